/** Files of training: what they hold of adapters, and what is refused where they are loaded. */
import { describe, expect, test } from "vitest";
import { type ConvLoraOptions, convLora, houlsby, lora, vera } from "../../adapters/index.ts";
import { type Adapter, adapt, defineModel, input, type Model } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { mean, mul, relu, sub } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createTrainingSession, type TrainingSession } from "../../runtime/training/session.ts";
import {
  readAdapterFile,
  type TensorData,
  type Weights,
  writeSafetensors,
} from "../../runtime/weights/index.ts";
import { fingerprint } from "../../runtime/weights/kinds.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, readAll, refusal } from "../support/weights-files.ts";

const model = defineModel({
  name: "two-layers",
  build(p) {
    const h = relu(linear(p.at("a"), input("x", "f32", [4, 6]), 6, 6));
    return { y: linear(p.at("b"), h, 6, 6) };
  },
});

const base = () => {
  const shapes = { "a.weight": [6, 6], "a.bias": [6], "b.weight": [6, 6], "b.bias": [6] };
  const tensors = Object.entries(shapes).map(([name, shape], i) => {
    const count = shape.reduce((n, size) => n * size, 1);
    return [name, floats(randomNumbers(count, i + 1), shape)] as const;
  });
  return openBytes(writeSafetensors(new Map(tensors), {}));
};

const begin = async (of: Model, more: object = {}) =>
  createTrainingSession(
    compileTraining(of, {
      target: "reference",
      loss: ({ y }) => {
        const off = sub(y!, input("target", "f32", [4, 6]));
        return { square: mean(mul(off, off)) };
      },
      optimiser: adamW(),
      programs: { forward: {} },
    }),
    referenceDevice(),
    { weights: await base(), rate: 0.05, seed: 3, ...more },
  );

const batch = (step: number) => ({
  x: randomNumbers(24, 100 + step),
  target: randomNumbers(24, 50),
});

async function train(session: TrainingSession, from = 0, to = 3) {
  for (let step = from; step < to; step++) await session.step(batch(step));
  return session;
}

/** The file of an adapter that was trained for three steps. */
async function trained(adapter: Adapter, where: string | string[] = "**"): Promise<Weights> {
  const session = await train(await begin(adapt(model, adapter, { where })));
  return openBytes(await session.saveAdapter());
}

/** The same file with other metadata; undefined takes a line out. */
async function restated(file: Weights, lines: Readonly<Record<string, string | undefined>>) {
  const metadata = Object.entries({ ...file.metadata, ...lines }).filter(
    ([, v]) => v !== undefined,
  );
  const all = await readAll(file);
  return openBytes(writeSafetensors(all, Object.fromEntries(metadata) as Record<string, string>));
}

/** As files were before they held settings. */
const old = (file: Weights) => restated(file, { format: undefined, adapters: undefined });

const load = async (file: Weights, adapter: Adapter, where: string | string[] = "**") =>
  (await begin(adapt(model, adapter, { where }))).loadAdapter(file);

describe("an adapter's file", () => {
  test("holds every setting, the places, and a version", async () => {
    const file = await trained(lora({ rank: 2, alpha: 6, parts: ["v", "q"] }), "a");
    expect(file.metadata).toMatchObject({ kind: "inarch adapter", format: "2" });
    const { adapters } = readAdapterFile(file);
    expect(adapters).toEqual([
      {
        name: "lora",
        settings: { rank: 2, alpha: 6, dropout: 0, parts: ["q", "v"] },
        places: ["a"],
      },
    ]);
    // What it says makes the adapter again.
    await load(file, lora(adapters![0]!.settings), adapters![0]!.places as string[]);
  });

  test("holds what an adapter made and did not train, and no other frozen tensor", async () => {
    const file = await trained(vera({ rank: 5 }));
    const own = ["a", "b"].flatMap((place) => [`${place}.vera_b`, `${place}.vera_d`]);
    expect([...file.tensors.keys()].sort()).toEqual([...own, "vera.A_6", "vera.B_6"]);
    expect([...readAdapterFile(file).base.keys()].sort()).toEqual([
      "a.bias",
      "a.weight",
      "b.bias",
      "b.weight",
    ]);
  });

  test("loads what did not train, too", async () => {
    const adapted = adapt(model, vera({ rank: 5 }));
    const first = await train(await begin(adapted));
    const bytes = await first.saveAdapter();
    const other = await begin(adapted, { seed: 4 });
    await other.loadAdapter(await openBytes(bytes));
    expect(await other.saveAdapter()).toEqual(bytes);
    const { x } = batch(9);
    expect(await other.run("forward", { x })).toEqual(await first.run("forward", { x }));
  });

  test("is not rounded by mixed precision: what the file holds lies there as it was made", () => {
    const wide = defineModel({
      name: "wide",
      build: (p) => ({ y: linear(p, input("x", "f32", [2, 64]), 64, 64) }),
    });
    const { frozen } = compileTraining(adapt(wide, vera({ rank: 32 })), {
      target: "reference",
      precision: "mixed",
      loss: ({ y }) => ({ square: mean(mul(y!, y!)) }),
      optimiser: adamW(),
    });
    const stored = frozen.map((tensor) => [tensor.name, tensor.stored]);
    expect(Object.fromEntries(stored)).toEqual({
      weight: "f16",
      bias: undefined,
      "vera.A_64": undefined,
      "vera.B_64": undefined,
    });
  });

  test("goes on in a checkpoint, where it was loaded over what the seed gave", async () => {
    const adapted = adapt(model, vera({ rank: 5 }));
    const session = await begin(adapted);
    await session.loadAdapter(await trained(vera({ rank: 5 })));
    const other = await begin(adapted, { seed: 4 });
    await other.loadAdapter(await openBytes(await session.saveAdapter()));
    await train(other);
    const resume = await openBytes(await other.save());
    const resumed = await begin(adapted, { seed: 4, resume });
    expect(await resumed.saveAdapter()).toEqual(await other.saveAdapter());
  });

  test("of a training that left nothing frozen is loaded, and goes on: there is no other base", async () => {
    const whole = adapt(model, { name: "all", grafts: {}, train: ["**"] });
    const session = await train(await begin(whole));
    const bytes = await session.saveAdapter();
    const other = await begin(whole);
    await other.loadAdapter(await openBytes(bytes));
    const resumed = await begin(whole, { resume: await openBytes(await session.save()) });
    expect([await other.saveAdapter(), await resumed.saveAdapter()]).toEqual([bytes, bytes]);
  });
});

describe("E435: made with other settings, or elsewhere", () => {
  const two = ["a", "b"];
  test.each<[string, Adapter, Adapter, string | string[], string]>([
    [
      "another alpha",
      lora({ rank: 2, alpha: 6 }),
      lora({ rank: 2 }),
      two,
      "lora was trained with { alpha: 6 }, but here it has { alpha: 32 }",
    ],
    [
      "other parts",
      lora({ rank: 2, parts: ["q", "v"] }),
      lora({ rank: 2, parts: ["q", "k"] }),
      two,
      'lora was trained with { parts: ["q","v"] }, but here it has { parts: ["q","k"] }',
    ],
    [
      "no parts, and another rank",
      lora({ rank: 2 }),
      lora({ rank: 3, parts: ["k"] }),
      two,
      'lora was trained with { rank: 2, parts: null }, but here it has { rank: 3, parts: ["k"] }',
    ],
    [
      "other scales and more experts at once",
      convLora({ rank: 2, experts: [1, 2], topK: 1 }),
      convLora({ rank: 2, experts: [1, 4], topK: 2 }),
      "b",
      "conv-lora was trained with { topK: 1, experts: [1,2] }, but here it has { topK: 2, experts: [1,4] }",
    ],
    [
      "fewer places",
      lora({ rank: 2 }),
      lora({ rank: 2 }),
      "a",
      "lora was trained at b, but does not",
    ],
    [
      "another adapter",
      lora({ rank: 2 }),
      houlsby(),
      two,
      "lora was trained at a, but does not work there",
    ],
  ])("%s", async (_claim, then, now, where, words) => {
    const error = await refusal(async () => load(await trained(then), now, where));
    expect([error.code, error.details.message]).toEqual(["E435", expect.stringContaining(words)]);
  });

  test("more places", async () => {
    const file = await trained(lora({ rank: 2 }), "a");
    const { code, details } = await refusal(() => load(file, lora({ rank: 2 })));
    expect([code, details.message]).toEqual(["E435", "lora works at b, where it was not trained"]);
  });

  test("dropout is no matter to an adapter that is loaded, but to training that goes on", async () => {
    const adapted = (dropout: number) => adapt(model, lora({ rank: 2, alpha: 6, dropout }));
    const session = await train(await begin(adapted(0.1)));
    const other = await begin(adapted(0));
    await other.loadAdapter(await openBytes(await session.saveAdapter()));
    const resume = await openBytes(await session.save());
    const { code, details } = await refusal(() => begin(adapted(0), { resume }));
    expect([code, details.message]).toEqual([
      "E435",
      "lora was trained with { dropout: 0.1 }, but here it has { dropout: 0 }",
    ]);
  });
});

describe("a file from before settings were kept", () => {
  test.each<[string, Adapter]>([
    ["is read where its settings follow from its shapes", houlsby({ bottleneck: 3 })],
    ["is read where they are given", lora({ rank: 2, alpha: 6 })],
  ])("%s", async (_claim, adapter) => {
    const file = await old(await trained(adapter));
    await load(file, adapter);
  });

  const experts: ConvLoraOptions = { rank: 2, experts: [3] };
  test.each<[string, Adapter, string]>([
    ["alpha", lora({ rank: 2 }), "the file does not say with which alpha lora was trained"],
    [
      "what the gate keeps",
      convLora({ ...experts, alpha: 32 }),
      "the file does not say with which topK conv-lora was trained",
    ],
    [
      "which scales experts have",
      convLora({ rank: 2, alpha: 2, topK: 1, convolution: "depthwise" }),
      "the file does not say with which experts conv-lora was trained",
    ],
  ])("E436: it does not say %s", async (_claim, adapter, words) => {
    const file = await old(await trained(adapter, "a"));
    const { code, details } = await refusal(() => load(file, adapter, "a"));
    expect([code, details.message]).toEqual(["E436", words]);
    expect(details.help).toContain("unless given it is");
  });

  test("lacks frozen tensors of the adapter, and says by their fingerprints which they were", async () => {
    const file = await trained(vera({ rank: 4 }));
    const frozen = ["vera.A_6", "vera.B_6"];
    const without = new Map([...(await readAll(file))].filter(([name]) => !frozen.includes(name)));
    const written = (prints: readonly (readonly [string, string])[]) => {
      const all = Object.fromEntries([...readAdapterFile(file).base, ...prints]);
      const metadata = { kind: "inarch adapter", base: JSON.stringify(all) };
      return openBytes(writeSafetensors(without, metadata));
    };
    const prints = frozen.map(
      async (name) => [name, fingerprint(await file.readF32(name))] as const,
    );
    await load(await written(await Promise.all(prints)), vera({ rank: 4 }));
    const others = await written(frozen.map((name) => [name, "00000000"]));
    expect((await refusal(() => load(others, vera({ rank: 4 })))).code).toBe("E431");
  });
});

test("E205: values that are not finite, and nothing has changed", async () => {
  const adapted = adapt(model, lora({ rank: 2, alpha: 6 }));
  const session = await train(await begin(adapted));
  const before = await session.saveAdapter();
  const file = await openBytes(before);
  const all = await readAll(file);
  all.set("b.lora_B", floats(new Array(12).fill(Number.POSITIVE_INFINITY), [6, 2]));
  const broken = await openBytes(writeSafetensors(all, { ...file.metadata }));
  expect((await refusal(() => session.loadAdapter(broken))).code).toBe("E205");
  expect(await session.saveAdapter()).toEqual(before);
});

test("E434: a tensor that does not train here", async () => {
  const file = await trained(lora({ rank: 2, alpha: 6 }));
  const more = new Map<string, TensorData>([
    ...(await readAll(file)),
    ["b.bias", floats([1, 2, 3, 4, 5, 6], [6])],
  ]);
  const changed = await openBytes(writeSafetensors(more, { ...file.metadata }));
  const { code, details } = await refusal(() => load(changed, lora({ rank: 2, alpha: 6 })));
  expect([code, details.message]).toEqual([
    "E434",
    "the adapter file has b.bias, which does not train here",
  ]);
});

describe("E437: no adapter file that can be read", () => {
  test.each<[string, Readonly<Record<string, string | undefined>>, string]>([
    ["a checkpoint", { kind: undefined }, "does not say that it is an adapter"],
    ["a training", { kind: "inarch training" }, 'it says that it is "inarch training"'],
    ["a later format", { format: "3" }, "has format 3, this version reads up to 2"],
    ["no JSON", { adapters: "[" }, '"adapters" of the file\'s metadata is damaged'],
    ["no list", { adapters: "{}" }, '"adapters" of the file\'s metadata is damaged'],
    ["no places", { adapters: '[{"name":"lora","settings":{}}]' }, '"adapters" of the'],
    ["no fingerprints", { base: '{"a.bias":1}' }, '"base" of the file\'s metadata is damaged'],
  ])("%s", async (_claim, lines, words) => {
    const adapter = lora({ rank: 2, alpha: 6 });
    const file = await restated(await trained(adapter), lines);
    const { code, details } = await refusal(() => load(file, adapter));
    expect([code, details.message]).toEqual(["E437", expect.stringContaining(words)]);
  });
});
