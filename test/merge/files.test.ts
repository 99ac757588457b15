/** Merged weights as a checkpoint: what changes and what does not, and files that do not fit. */
import { describe, expect, test } from "vitest";
import {
  type Adapter,
  adapt,
  compile,
  defineModel,
  input,
  type Model,
  traceProgram,
} from "../../compiler/index.ts";
import { bitFit, lora, ssf } from "../../entries/adapters.ts";
import { linear, norm } from "../../models/layers.ts";
import { mean, mul } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { createSession } from "../../runtime/session.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { type TensorData, type Weights, writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining, mergeAdapters } from "../../training/index.ts";
import { randomNumbers, relativeError } from "../../verify/ops/evaluate.ts";
import { narrow } from "../support/adapted-graphs.ts";
import { deviceTest } from "../support/device.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, readAll, refusal } from "../support/weights-files.ts";

const shape = [3, 8] as const;
const model = defineModel({
  name: "model",
  build(p) {
    const h = linear(p.at("image_encoder.a"), input("x", "f32", shape), 8, 12);
    return { y: linear(p.at("image_encoder.b"), norm(p.at("image_encoder.norm"), h, 1e-6), 12, 4) };
  },
});

/** Random tensors of every parameter that a model reads, or of those that another does not. */
function tensorsOf(of: Model, without: ReadonlyMap<string, TensorData> = new Map()) {
  const { parameters } = compile(traceProgram(of, "forward"), { target: "reference" });
  return new Map(
    parameters.flatMap(({ name, shape: sizes }, i) =>
      without.has(name)
        ? []
        : [
            [
              name,
              floats(
                randomNumbers(
                  sizes.reduce((a, b) => a * b, 1),
                  i + 1,
                ),
                sizes,
              ),
            ] as const,
          ],
    ),
  );
}

const open = (tensors: ReadonlyMap<string, TensorData>, metadata: Record<string, string> = {}) =>
  openBytes(writeSafetensors(tensors, metadata));

const half: TensorData = { dtype: "f16", shape: [3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
const whole: TensorData = { dtype: "i64", shape: [1], data: Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 1) };
const own = tensorsOf(model);
const base = new Map([["unread.half", half], ...own, ["unread.whole", whole]] as const);

async function run(of: Model, weights: Weights): Promise<ArrayLike<number>> {
  const plan = compile(traceProgram(of, "forward"), { target: "reference", profile: narrow });
  const session = await createSession(plan, referenceDevice(), { weights });
  const { y } = await session.run({ x: randomNumbers(24, 77) });
  session.close();
  return y!;
}

describe("the merged checkpoint", () => {
  const adapted = adapt(adapt(model, lora({ rank: 2, alpha: 32 }), { where: "**.a" }), bitFit());
  const adapter = tensorsOf(adapted, own);
  const bias = floats(randomNumbers(4, 5), [4]);
  const trained = new Map([...adapter, ["image_encoder.b.bias", bias] as const]);
  const joined = new Map([...base, ...trained]);

  test("of the bare model computes what the adapter does", async () => {
    const merged = await mergeAdapters(adapted, [await open(base), await open(trained)]);
    const wanted = await run(adapted, await open(joined));
    expect(relativeError(await run(model, merged), wanted)).toBeLessThan(1e-6);
  });

  test("differs from the base in what is merged and what trained, in nothing else", async () => {
    const merged = await mergeAdapters(adapted, [await open(base), await open(trained)]);
    expect([merged.merged, merged.replaced]).toEqual([
      ["image_encoder.a.weight"],
      ["image_encoder.b.bias"],
    ]);
    const all = await readAll(merged);
    expect([...all.keys()].sort()).toEqual([...base.keys()].sort());
    const different = [...all].filter(
      ([name, { dtype, data }]) =>
        dtype !== base.get(name)!.dtype || data.join() !== base.get(name)!.data.join(),
    );
    expect(different.map(([name]) => name).sort()).toEqual([
      "image_encoder.a.weight",
      "image_encoder.b.bias",
    ]);
    expect(all.get("image_encoder.b.bias")!.data.join()).toBe(bias.data.join());
    expect(merged.metadata.merged).toBe("lora, bitfit");
    await merged.close();
  });

  deviceTest("is right to single precision where a GPU computes it", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    const merged = await mergeAdapters(adapted, [await open(base), await open(trained)], {
      device,
    });
    const wanted = await run(adapted, await open(joined));
    expect(relativeError(await run(model, merged), wanted)).toBeLessThan(1e-6);
    await merged.close();
    device.destroy();
  });

  test("is read in pieces as well as at once", async () => {
    const merged = await mergeAdapters(adapted, [await open(base), await open(trained)]);
    for (const name of ["image_encoder.a.weight", "unread.half"]) {
      const pieces: number[] = [];
      for await (const piece of merged.rawChunks(name, 12)) pieces.push(...piece);
      expect(pieces).toEqual([...(await merged.read(name)).data]);
    }
  });
});

describe("files that do not fit", () => {
  const adapted = adapt(model, lora({ rank: 2, alpha: 32 }), { where: "**.a" });
  const adapter = tensorsOf(adapted, own);
  const named = (name: string, tensor: TensorData) => new Map([[name, tensor]]);
  test.each<[string, Model, readonly ReadonlyMap<string, TensorData>[], string, string]>([
    ["nothing at all", adapted, [], "E164", "there are no weights"],
    ["the adapter's are missing", adapted, [base], "E164", "no file has image_encoder.a.lora_"],
    [
      "of another rank",
      adapt(model, lora({ rank: 3, alpha: 32 }), { where: "**.a" }),
      [base, adapter],
      "E164",
      "image_encoder.a.lora_A is [2, 8] in the file but [3, 8] in the model",
    ],
    [
      "of an adapter elsewhere",
      adapted,
      [base, adapter, named("image_encoder.b.lora_A", half)],
      "E164",
      "neither the adapted model nor its checkpoint has image_encoder.b.lora_A",
    ],
  ])("%s", async (_claim, of, files, code, words) => {
    const opened = await Promise.all(files.map((one) => open(one)));
    const error = await refusal(() => mergeAdapters(of, opened));
    expect(error.message).toContain(words);
    expect(error.code).toBe(code);
  });

  test("weights that are not finite are named before anything is computed of them", async () => {
    const broken = new Map([
      ...adapter,
      ["image_encoder.a.lora_A", floats(new Array(16).fill(NaN), [2, 8])] as const,
    ]);
    const merged = await mergeAdapters(adapted, [await open(base), await open(broken)]);
    const error = await refusal(() => merged.read("image_encoder.a.weight"));
    expect([error.code, error.message]).toEqual([
      "E205",
      expect.stringContaining("lora_A: 16 values"),
    ]);
  });

  test("an adapter file of training knows its base", async () => {
    const plan = compileTraining(adapted, {
      loss: ({ y }) => ({ loss: mean(mul(y!, y!)) }),
      optimiser: adamW(),
      target: "reference",
    });
    const training = await createTrainingSession(plan, referenceDevice(), {
      weights: await open(base),
      rate: () => 0.01,
    });
    await training.step({ x: randomNumbers(24, 1) });
    const bytes = await training.saveAdapter();
    training.close();
    const merged = await mergeAdapters(adapted, [await open(base), await openBytes(bytes)]);
    expect(merged.merged).toEqual(["image_encoder.a.weight"]);
    const louder = adapt(model, lora({ rank: 2, alpha: 6 }), { where: "**.a" });
    const differs = await refusal(async () =>
      mergeAdapters(louder, [await open(base), await openBytes(bytes)]),
    );
    expect([differs.code, differs.details.message]).toEqual([
      "E435",
      "lora was trained with { alpha: 32 }, but here it has { alpha: 6 }",
    ]);
    const other = new Map([
      ...base,
      ["image_encoder.b.weight", floats(randomNumbers(48, 9), [4, 12])] as const,
    ]);
    const error = await refusal(async () =>
      mergeAdapters(adapted, [await open(other), await openBytes(bytes)]),
    );
    expect([error.code, error.message]).toEqual([
      "E431",
      expect.stringContaining("image_encoder.b.weight"),
    ]);
  });
});

describe("an adapter file from before settings were kept", () => {
  const where = { where: "**.a" };
  const metadata = { kind: "inarch adapter", base: "{}" };

  test.each<[string, Record<string, string>]>([
    ["of the first version", metadata],
    ["that lost its metadata", {}],
  ])("E436 for one %s: alpha follows from no shape, and nobody gave it", async (_claim, about) => {
    const adapted = adapt(model, lora({ rank: 2 }), where);
    const adapter = await open(tensorsOf(adapted, own), about);
    const files = [await open(base), adapter];
    const { code, details } = await refusal(() => mergeAdapters(adapted, files));
    expect([code, details.message, details.help]).toEqual([
      "E436",
      "the file does not say with which alpha lora was trained",
      "give it where lora is made, or as inarch merge --setting alpha=…; unless given it is { alpha: 32 }",
    ]);
  });

  test.each<[string, Adapter]>([
    ["with the alpha that is given", lora({ rank: 2, alpha: 6 })],
    ["whose settings follow from its shapes", ssf()],
  ])("is merged %s", async (_claim, adapter) => {
    const adapted = adapt(model, adapter, where);
    const trained = tensorsOf(adapted, own);
    const merged = await mergeAdapters(adapted, [await open(base), await open(trained, metadata)]);
    const wanted = await run(adapted, await open(new Map([...base, ...trained])));
    expect(relativeError(await run(model, merged), wanted)).toBeLessThan(1e-6);
  });
});
