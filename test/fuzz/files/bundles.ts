/** A bundle as `inarch build` writes it, and plans of whoever means ill. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "../../../build/build.ts";
import { bundleFiles } from "../../../build/bundle-files.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { defaultProfile, defineModel, input, type Plan, state } from "../../../compiler/index.ts";
import { linear } from "../../../models/layers.ts";
import { add, gelu, mean, mul } from "../../../ops/index.ts";
import { type Bundle, openBundle } from "../../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { base, digest, type Files, type Format, once, readTensors } from "./whole.ts";

const plainModel = defineModel({
  name: "plain",
  programs: {
    forward: (p) => {
      const x = input("x", "f32", [2, 4]);
      const seen = state("seen", "f32", [4]);
      return {
        y: gelu(linear(p, x, 4, 3)),
        seen: add(seen, mean(x, 0) as Tensor<"f32">),
      } as Record<string, Tensor>;
    },
    twice: () => ({ z: mul(input("x", "f32", [5]), 2) as Tensor }),
  },
});

/** What `inarch build` writes, by path. */
const built = once(async (): Promise<Files> => {
  const folder = await mkdtemp(join(tmpdir(), "inarch-fuzz-"));
  try {
    const weights = join(folder, "w.safetensors");
    await writeFile(weights, writeSafetensors(base));
    const out = join(folder, "out");
    await build({
      loaded: { model: plainModel, file: undefined },
      out,
      programs: ["forward", "twice"],
      dims: {},
      profile: defaultProfile,
      weights,
      onProgress: () => {},
    });
    const files = new Map<string, Uint8Array>();
    for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      // The wrapper is code: nobody reads it but an importer.
      if (/\.(?:js|d\.ts)$/.test(path)) continue;
      files.set(relative(out, path).replaceAll("\\", "/"), Uint8Array.from(await readFile(path)));
    }
    return files;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const open = (files: Files): Promise<Bundle> =>
  openBundle(
    async (path) => {
      const bytes = files.get(path);
      if (!bytes) throw new RangeError(`no ${path}`);
      return bytes;
    },
    { source: "damaged/" },
  );

async function readBundle(files: Files, gpu: Device | undefined, runs: boolean): Promise<string> {
  const bundle = await open(files);
  const weights = await bundle.openWeights();
  const read = await readTensors(weights);
  await weights.close();
  if (runs && gpu) {
    const placed = await loadBundle(bundle, gpu);
    for (const [name, plan] of Object.entries(bundle.plans))
      await placed.run(
        name,
        Object.fromEntries(
          plan.inputs.map((t) => [t.name, Array(t.shape.reduce((a, b) => a * b, 1)).fill(1)]),
        ),
      );
    await placed.close();
  }
  return digest(read, JSON.stringify(bundle.plans), JSON.stringify(bundle.manifest));
}

export const bundleFormats = (gpu: Device | undefined): Readonly<Record<string, Format>> => ({
  bundle: {
    files: built,
    read: (files) => readBundle(files, gpu, false),
    own: true,
    share: 0.6,
  },
  "plan under right hashes": {
    files: built,
    read: (files) => readBundle(files, gpu, true),
    share: 1,
    json: {
      of: (files) => plansIn(files),
      put: (files, json) => {
        const plans = new Map(Object.entries(json as Record<string, Plan>));
        const bytes = files.get("weights.safetensors")!;
        const old = JSON.parse(new TextDecoder().decode(files.get("manifest.json")));
        const made = bundleFiles({ name: "plain", plans, weights: old.weights });
        const text = (x: string | Uint8Array) =>
          typeof x === "string" ? new TextEncoder().encode(x) : x;
        return new Map([
          ["weights.safetensors", bytes],
          ...[...made.files].map(([path, x]) => [path, text(x)] as const),
        ]);
      },
    },
  },
  "manifest under no hash": {
    files: built,
    read: (files) => readBundle(files, gpu, true),
    share: 1,
    json: {
      of: (files) => JSON.parse(new TextDecoder().decode(files.get("manifest.json"))),
      put: (files, json) =>
        new Map([
          ...files,
          ["manifest.json", new TextEncoder().encode(JSON.stringify(json) ?? "")],
        ]),
    },
  },
});

function plansIn(files: Files): Record<string, unknown> {
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json")));
  const text = (path: string) => new TextDecoder().decode(files.get(path));
  return Object.fromEntries(
    Object.entries(manifest.programs as Record<string, { plan: string }>).map(
      ([name, { plan }]) => {
        const { kernels, ...rest } = JSON.parse(text(plan));
        return [
          name,
          {
            ...rest,
            kernels: kernels.map(({ file, ...k }: { file: string }) => ({
              ...k,
              source: text(file),
            })),
          },
        ];
      },
    ),
  );
}
