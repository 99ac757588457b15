/** The model of GPUs against tiles that were measured on one: its choice is near the fastest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import { capabilities } from "../../../compiler/targets/cuda/capabilities.ts";
import { fragments } from "../../../compiler/tile/fragment-tiles.ts";
import { productTiles } from "../../../compiler/tile/product-tiles.ts";
import { walkTiles } from "../../../compiler/tile/walk-tiles.ts";
import { showTile } from "../../../compiler/tuning/tuning.ts";

interface Measured<Size> {
  readonly what: string;
  readonly size: Size;
  readonly times: Readonly<Record<string, number>>;
}

interface File {
  readonly attention: readonly Measured<Record<"images" | "rows" | "walked" | "depth", number>>[];
  readonly products: readonly Measured<Record<"rows" | "depth" | "columns", number>>[];
  readonly fragments: File["products"];
}

const path = join(import.meta.dirname, "../../../bench/results/gpu/nvidia-h200/tiles.json");
const file = JSON.parse(readFileSync(path, "utf8")) as File;

const profile: Profile = {
  ...defaultProfile,
  ...{ maxSharedBytes: 48 * 1024, maxThreads: 1024, rolled: false, deviceClass: "discrete" },
};

/** The time of a tile over that of the fastest. */
const lossOf = (tile: Parameters<typeof showTile>[0], { times }: Measured<unknown>): number =>
  times[showTile(tile)]! / Math.min(...Object.values(times));

describe("of tiles measured on an H200 the model's first", () => {
  test.each(file.attention)("for attention, $what, takes at most 1.4 times the least", (one) => {
    const { images, rows, walked, depth } = one.size;
    const walk = { kind: "walk", images, rows, walked, scores: [depth], sums: [depth] } as const;
    expect(lossOf(walkTiles(walk, profile)[0]!, one)).toBeLessThan(1.4);
  });

  test.each(file.products)("for a product, $what, takes at most 1.1 times the least", (one) => {
    const { rows, columns, depth } = one.size;
    const work = { kind: "product", images: 1, rows, columns, depths: [depth] } as const;
    expect(lossOf(productTiles(work, profile)[0]!, one)).toBeLessThan(1.1);
  });

  test.each(file.fragments)("in fragments, $what, takes at most 1.04 times the least", (one) => {
    const { rows, columns, depth } = one.size;
    const work = { kind: "product", images: 1, rows, columns, depths: [depth] } as const;
    // What every GPU gives to a kernel, and what this one does.
    for (const sharedBytes of [99 * 1024, 227 * 1024]) {
      const matrices = { ...capabilities.matrices!, sharedBytes };
      const [first] = fragments.blockings(work, { ...deviceProfile(capabilities), matrices });
      expect(lossOf(first!.tile, one)).toBeLessThan(1.04);
    }
  });
});
