/** Tiles: every one of the tuning space is right; a tuning chooses among them, and nothing else. */
import { describe, expect, test } from "vitest";
import { compile, compileAlone, compileStages } from "../../compiler/compile.ts";
import { candidatesOf, pickVariants } from "../../compiler/forms/pick.ts";
import { fuse } from "../../compiler/fuse/fuse.ts";
import type { Region } from "../../compiler/fuse/region.ts";
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { apply, type Tile, type Variant } from "../../compiler/op-kit.ts";
import { defaultProfile, type Profile } from "../../compiler/profile.ts";
import { takeOut } from "../../compiler/tuning/alone.ts";
import { parseTuning, tuningFor, withTuning, writeTuning } from "../../compiler/tuning/file.ts";
import { kernelKey } from "../../compiler/tuning/kernel-key.ts";
import { sameVariant, type Tuning } from "../../compiler/tuning/tuning.ts";
import { finish } from "../../compiler/turns.ts";
import { op as attentionOp } from "../../ops/attention/attention.ts";
import { add, attention, gelu, matmul } from "../../ops/index.ts";
import { kernelText } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { type TuneOptions, tuneRegion } from "../../tuning/tuner.ts";
import { type Arrays, evaluate, randomNumbers } from "../../verify/ops/evaluate.ts";

/** A large device: all tiles are legal on it. */
const large: Profile = {
  ...defaultProfile,
  ...{ name: "large", maxSharedBytes: 96 * 1024, maxThreads: 1024 },
  ...{ rolled: false, deviceClass: "discrete" },
};
const subgroups: Profile = { ...defaultProfile, name: "subgroups", subgroup: 8 };

describe.each([
  ["in workgroup memory", large],
  ["of subgroups", subgroups],
] as const)("tiles %s", (_, profile) => {
  test("of a product are right at tails of odd sizes", async () => {
    await checkTiles(profile, (tile) => product(tile.m! + 1, tile.n! - 1, (tile.k ?? 4) + 1));
  });
  test("of a product are right in groups of four", async () => {
    await checkTiles(profile, (tile) => product(tile.m! - 4 || 4, tile.n! + 4, (tile.k ?? 8) - 4));
  });
  test("of attention are right at tails of odd sizes", async () => {
    await checkTiles(profile, () => attentionTo(69, 67));
  });
  test("of attention are right on a grid", async () => {
    await checkTiles(profile, () => attentionOn(3, 11));
  });
});

/** A product with a transposed operand, and a sum behind it. */
function product(m: number, n: number, depth: number): Graph {
  const a = input("a", "f32", [m, depth]);
  const b = input("b", "f32", [n, depth]);
  const y = add(matmul(a, b, { transpose: "right" }), input("c", "f32", [m, n]));
  return graphOf([{ name: "y0", tensor: y }]);
}

function attentionTo(queries: number, keys: number): Graph {
  const q = input("q", "f32", [1, 1, queries, 5]);
  const [k, v] = [input("k", "f32", [1, 1, keys, 5]), input("v", "f32", [1, 1, keys, 3])];
  return graphOf([{ name: "y0", tensor: attention(q, k, v) }]);
}

function attentionOn(rows: number, columns: number): Graph {
  const named = (name: string) => input(name, "f32", [1, 1, rows * columns, 4]);
  const size = Math.max(rows, columns);
  const terms = input("terms", "f32", [2, size, 1, size, size]);
  const attrs = {
    scale: 0.5,
    causal: undefined,
    extras: ["relative"] as const,
    grid: [rows, columns] as const,
  };
  const [y] = apply(attentionOp, [named("q"), named("k"), named("v"), terms], attrs);
  return graphOf([{ name: "y0", tensor: y! }]);
}

/** Runs each tile of the one region of a graph on the reference device, against the oracle. */
async function checkTiles(profile: Profile, graphFor: (tile: Tile) => Graph): Promise<void> {
  const variants = variantsIn(regionOf(graphFor({ m: 9, n: 9 }), profile), profile);
  expect(variants.length).toBeGreaterThan(1);
  for (const variant of variants) {
    const graph = graphFor(variant.tile);
    const got = await runVariant(graph, profile, variant);
    const wanted = (await evaluate(graph, arraysFor(graph))).y0!;
    const largest = wanted.reduce((x, v) => Math.max(x, Math.abs(v)), 0);
    const words = JSON.stringify(variant);
    expect(got.length, words).toBe(wanted.length);
    for (const [i, v] of wanted.entries())
      if (!(Math.abs(got[i]! - v) <= 1e-6 * largest))
        expect.fail(`${words}, element ${i}: ${got[i]} instead of ${v}`);
  }
}

/** The one region of a graph as it is written: rewriting makes small products no kernels at all. */
const regionOf = (graph: Graph, profile: Profile): Region =>
  finish(fuse(graph, finish(pickVariants(graph, profile)), profile, "fused")).regions[0]!;

const variantsIn = ({ anchor }: Region, profile: Profile): readonly Variant[] =>
  candidatesOf(anchor, profile).variants;

const arraysFor = (graph: Graph): Arrays =>
  Object.fromEntries(
    graph.nodes
      .filter((n) => n.op.kind === "input")
      .map((n, i) => {
        const size = n.types[0]!.shape.reduce((x, y) => x * y, 1);
        return [(n.attrs as { name: string }).name, randomNumbers(size, i + 1)];
      }),
  );

/** Outputs hold nothing beforehand, and the reference device objects to whatever stays unwritten. */
async function runVariant(whole: Graph, profile: Profile, asked: Variant): Promise<number[]> {
  const region = regionOf(whole, profile);
  // The variant for these sizes: another graph's has the same form and tile.
  const variant = variantsIn(region, profile).find((v) => sameVariant(v, asked));
  const alone = takeOut({ ...region, variant });
  const plan = compileAlone(alone.graph, alone.region, { target: "reference", profile });
  const session = await createSession(plan, referenceDevice());
  const arrays = arraysFor(whole);
  const inputs = region.reads.map((t, i) => {
    const { name } = t.node.attrs as { name: string };
    return [`x${i}`, Float64Array.from(arrays[name]!)] as const;
  });
  const { y0 } = await session.run(Object.fromEntries(inputs));
  return [...y0!];
}

describe("the model of tiles", () => {
  const best = (m: number, n: number, k: number, profile: Profile) =>
    variantsIn(regionOf(product(m, n, k), profile), profile)[0]!.tile;

  test("gives large products many sums per thread on a discrete device", () => {
    const { rm, rn, m, n } = best(4096, 3072, 768, large) as Record<string, number>;
    expect(rm! * rn!).toBeGreaterThanOrEqual(32);
    expect(m! * n!).toBeGreaterThanOrEqual(64 * 64);
  });

  test("splits the depth of a decoder's few rows among slices of threads", () => {
    expect(best(7, 256, 2048, large).split).toBeGreaterThan(1);
    expect(best(4096, 768, 768, large).split).toBe(1);
  });

  test("never asks for more than the profile has", () => {
    for (const profile of [defaultProfile, { ...large, maxThreads: 64, maxSharedBytes: 8192 }]) {
      const region = regionOf(product(300, 300, 300), profile);
      for (const variant of variantsIn(region, profile)) {
        const options = { target: "wgsl", profile } as const;
        const alone = takeOut({ ...region, variant });
        // The compiler refuses kernels beyond the profile.
        expect(compileAlone(alone.graph, alone.region, options).steps.length).toBe(1);
      }
    }
  });
});

describe("a compilation", () => {
  const graph = () => {
    const x = input("x", "f32", [40, 24]);
    return graphOf([{ name: "y", tensor: gelu(matmul(x, input("w", "f32", [24, 48]))) }]);
  };
  const tuned = (tile?: Tile): Tuning => {
    const region = regionOf(graph(), defaultProfile);
    const key = kernelKey(region, defaultProfile);
    return { [key]: { tile: tile ?? variantsIn(region, defaultProfile)[3]!.tile, gain: 1.5 } };
  };

  test("is what it was without a tuning, or with one of other kernels", () => {
    const other = { "matmul@1 workgroups f32[1,1] f32[1,1]: |": { tile: { m: 1 }, gain: 2 } };
    for (const tuning of [{}, other])
      expect(compile(graph(), { tuning })).toEqual(compile(graph()));
  });

  test("takes a tuned tile, and is the same every time", () => {
    const plans = [1, 2].map(() => compile(graph(), { tuning: tuned() }));
    expect(JSON.stringify(plans[0])).toBe(JSON.stringify(plans[1]));
    expect(plans[0]!.kernels).not.toEqual(compile(graph()).kernels);
  });

  test("names a kernel by its template, its shapes, and what melted", () => {
    expect(Object.keys(tuned())).toEqual(["matmul@1 workgroups f32[40,24] f32[24,48]: | gelu"]);
  });

  test("takes a tile of another form that the device can run", () => {
    const profile = subgroups;
    const region = regionOf(graph(), profile);
    const { variants } = candidatesOf(region.anchor, defaultProfile);
    const tuning = { [kernelKey(region, profile)]: { ...variants[2]!, gain: 2 } };
    const { fusion } = compileStages(graph(), { profile, tuning });
    expect(fusion.regions[0]!.variant).toMatchObject({
      form: "workgroups",
      tile: variants[2]!.tile,
    });
    const asked = { profile, tuning, forms: { matmul: "subgroups" } };
    expect(compileStages(graph(), asked).fusion.regions[0]!.variant!.form).toBe("subgroups");
  });

  test("takes the tiles of files that were written before they named forms", () => {
    const text = `{
      "format": "inarch tuning 1",
      "devices": { "gpu": {
        "matmul@1 workgroups f32[40,24] f32[24,48]: | gelu":
          { "tile": { "m": 64, "n": 4, "k": 32, "rm": 1, "rn": 4, "split": 1 }, "gain": 1.2 },
        "matmul@1 subgroups-8 f32[40,24] f32[24,48]: | gelu":
          { "tile": { "m": 40, "n": 16, "rn": 2 }, "gain": 1.3 },
        "matmul@1 workgroups-f32 f32[40,24] f32[24,48]: | gelu":
          { "tile": { "m": 32, "n": 64, "k": 24, "down": 1, "across": 2, "rm": 4, "rn": 4,
            "round": 16, "product": 0 }, "gain": 1.1 },
        "attention@1 workgroups f32[1,1,69,5] f32[1,1,67,5] f32[1,1,67,3]: |":
          { "tile": { "rows": 64, "keys": 34 }, "gain": 1.1 },
        "attention@1 subgroups-8 f32[1,1,69,5] f32[1,1,67,5] f32[1,1,67,3]: |":
          { "tile": { "perLane": 4 }, "gain": 1.1 },
        "attention@1 workgroups-f32 f32[1,1,69,5] f32[1,1,67,5] f32[1,1,67,3]: |":
          { "tile": { "rows": 64, "keys": 34 }, "gain": 1.1 }
      } }
    }`;
    const tuning = tuningFor(parseTuning(text, "old"), "gpu", "old");
    const products = [{ operand: "f32", rows: 8, columns: 8, depth: 8 }] as const;
    const fragments = { ...large, matrices: { width: 32, widths: "fixed", products } as const };
    for (const [made, profile, form] of [
      [graph(), large, "workgroups"],
      [graph(), subgroups, "subgroups"],
      [graph(), fragments, "fragments"],
    ] as const) {
      const region = regionOf(made, profile);
      const { tile } = tuning[kernelKey(region, profile)]!;
      expect(region.variant!.tile).not.toEqual(tile);
      const [tuned] = compileStages(made, { profile, tuning }).fusion.regions;
      expect(tuned!.variant).toMatchObject({ form, tile });
    }
    // Attention is another program since, whose tiles have other sizes.
    for (const profile of [large, subgroups, fragments]) {
      const region = regionOf(attentionTo(69, 67), profile);
      expect(tuning[kernelKey(region, profile)]).toBe(undefined);
      const [tuned] = compileStages(attentionTo(69, 67), { profile, tuning }).fusion.regions;
      expect(tuned!.variant!.tile).toEqual(region.variant!.tile);
    }
  });

  test("melts by the tiles that will run", () => {
    // Every column of tiles computes the sum in front of it again: of 512, 16 columns or 128.
    const x = add(input("x", "f32", [64, 64]), input("z", "f32", [64, 64]));
    const whole = graphOf([{ name: "y", tensor: matmul(x, input("w", "f32", [64, 512])) }]);
    const regions = compileStages(whole).fusion.regions;
    expect(regions).toMatchObject([{ variant: { tile: { n: 32 } } }]);
    expect(regions[0]!.nodes).toContain(x.node);
    const { variants } = candidatesOf(regions[0]!.anchor, defaultProfile);
    const narrow = variants.find(({ tile }) => tile.n === 4)!;
    const tuning = { [kernelKey(regions[0]!, defaultProfile)]: { ...narrow, gain: 2 } };
    const { fusion } = compileStages(whole, { tuning });
    expect(fusion.regions.map((r) => r.anchor.op.name)).toEqual(["add", "matmul"]);
    expect(fusion.regions[1]!.variant).toMatchObject({ tile: narrow.tile });
    expect([...fusion.reasons.values()]).toEqual([
      "its users would compute each element 128 times",
    ]);
  });

  test("E112: refuses a form that the device cannot run, or that there is not", () => {
    const region = regionOf(graph(), defaultProfile);
    const key = kernelKey(region, defaultProfile);
    const { tile } = candidatesOf(regionOf(graph(), subgroups).anchor, subgroups).variants[0]!;
    for (const [form, words] of [
      ["subgroups", /E112.*"default" cannot run the form subgroups of matmul.*matmul@1/s],
      ["tensors", /E112.*matmul has no form "tensors".*can run workgroups/s],
    ] as const)
      expect(() => compile(graph(), { tuning: { [key]: { form, tile, gain: 2 } } })).toThrow(words);
  });

  test("E821: refuses a tile that the profile does not allow", () => {
    const tile = { m: 512, n: 512, k: 64, rm: 8, rn: 8, split: 1 };
    expect(() => compile(graph(), { tuning: tuned(tile) })).toThrow(
      /E821.*m=512 n=512 k=64 rm=8 rn=8 split=1.*can have, such as m=/s,
    );
  });
});

describe("a tuning file", () => {
  const kernels: Tuning = {
    b: { form: "workgroups", tile: { m: 8, n: 4 }, gain: 1.2 },
    a: { tile: { m: 4 }, gain: 1 },
  };
  const empty = parseTuning('{ "format": "inarch tuning 1", "devices": {} }', "empty");
  const text = writeTuning(withTuning(empty, "gpu", kernels));

  test("is read as it was written, with its names in order", () => {
    expect(tuningFor(parseTuning(text, "f"), "gpu", "f")).toEqual(kernels);
    expect(writeTuning(parseTuning(text, "f"))).toBe(text);
    expect(text.indexOf('"a"')).toBeLessThan(text.indexOf('"b"'));
  });

  test("keeps what other devices and other kernels had", () => {
    const more = withTuning(parseTuning(text, "f"), "gpu", { c: kernels.a! });
    expect(Object.keys(tuningFor(more, "gpu", "f"))).toEqual(["a", "b", "c"]);
    expect(Object.keys(withTuning(more, "other", {}).devices)).toEqual(["gpu", "other"]);
  });

  test("E820: is refused if it is damaged, or of another version", () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ["{", /E820.*is JSON/s],
      ['{ "format": "inarch tuning 9", "devices": {} }', /E820.*"inarch tuning 9"/s],
      ['{ "format": "inarch tuning 1" }', /E820.*no object devices/s],
      [text.replace('"m": 8', '"m": 8.5'), /E820.*kernel "b" has no tile/s],
      [text.replace('"form": "workgroups"', '"form": 7'), /E820.*kernel "b" has no tile/s],
    ];
    for (const [broken, words] of refused) expect(() => parseTuning(broken, "f")).toThrow(words);
  });

  test("E822: is refused for a device that it does not know", () => {
    expect(() => tuningFor(parseTuning(text, "f"), "tpu", "f")).toThrow(/E822.*"gpu".*"tpu"/s);
  });
});

describe("tuning a kernel", () => {
  const region = regionOf(product(9, 7, 5), large);
  const variants = variantsIn(region, large);
  const tiles = variants.map((v) => v.tile);
  const planOf = (variant: Variant) => {
    const alone = takeOut({ ...region, variant });
    return compileAlone(alone.graph, alone.region, { target: "reference", profile: large });
  };
  /** Times by the tile's rank in the model, in milliseconds. */
  const clock = (times: readonly number[]) => async (_: unknown, variant: Variant) =>
    times[variants.findIndex((v) => sameVariant(v, variant))]!;
  const tune = (options: Partial<TuneOptions>) =>
    tuneRegion(region, {
      ...{ device: referenceDevice(), profile: large, candidates: 3, rounds: 3 },
      ...options,
    });

  test("chooses the fastest of those that are right", async () => {
    const { tile, gain } = await tune({ measure: clock([10, 12, 5]) });
    expect({ tile, gain }).toEqual({ tile: tiles[2], gain: 2 });
  });

  test("keeps the default where nothing is faster", async () => {
    const { tile, gain } = await tune({ measure: clock([10, 12, 11]) });
    expect({ tile, gain }).toEqual({ tile: tiles[0], gain: 1 });
  });

  test("keeps the default where a gain is less than the default differs from itself", async () => {
    let calls = 0;
    const restless = async (_: unknown, variant: Variant) =>
      sameVariant(variant, variants[0]!) ? [10, 20][calls++ % 2]! : 9;
    const { tile, noise } = await tune({ measure: restless, rounds: 1 });
    expect({ tile, noise }).toEqual({ tile: tiles[0], noise: 1 });
  });

  test("never measures a candidate that computes a wrong number", async () => {
    const broken = (variant: Variant) => {
      const plan = planOf(variant);
      if (!sameVariant(variant, variants[2]!)) return plan;
      const kernels = plan.kernels.map((k) => ({
        ...k,
        source: kernelText(k).replace(/\* (operands\w*)/, "* 1.01 * $1"),
      }));
      expect(kernels).not.toEqual(plan.kernels);
      return { ...plan, kernels };
    };
    const { tile, trials } = await tune({ measure: clock([10, 9, 1]), planOf: broken });
    expect(tile).toEqual(tiles[1]);
    expect(trials[2]).toMatchObject({ milliseconds: undefined });
    expect(trials[2]!.reason).toMatch(/element \d+ is .* instead of/);
  });

  test("lets a candidate lose that leaves a tail unwritten, or throws", async () => {
    const failing = (variant: Variant) => {
      const plan = planOf(variant);
      const source = kernelText(plan.kernels[0]!).replace(/(\(r\w* < )\(9\)/, "$1(8)");
      if (sameVariant(variant, variants[1]!))
        return { ...plan, kernels: [{ ...plan.kernels[0]!, source }] };
      if (sameVariant(variant, variants[2]!)) throw new RangeError("no such kernel");
      return plan;
    };
    const { tile, trials } = await tune({ measure: clock([10, 1, 1]), planOf: failing });
    expect(tile).toEqual(tiles[0]);
    expect(trials.map((t) => t.reason)).toEqual([
      undefined,
      expect.stringMatching(/never written/),
      "no such kernel",
    ]);
  });

  test("compares with other results than the oracle's where they are given", async () => {
    const zeros = { expected: async () => [new Float64Array(9 * 7)] };
    await expect(tune({ ...zeros, candidates: 1 })).rejects.toThrow(/E823.*instead of 0/s);
  });

  test("E823: says so if even the default is wrong", async () => {
    const broken = (variant: Variant) => {
      const plan = planOf(variant);
      const source = kernelText(plan.kernels[0]!).replace(/\* (operands\w*)/, "* 1.01 * $1");
      return { ...plan, kernels: [{ ...plan.kernels[0]!, source }] };
    };
    await expect(tune({ planOf: broken, candidates: 1 })).rejects.toThrow(/E823.*default tile/s);
  });
});
