/** Frozen parameters in a format that is asked for: how much they take, and that they only round once. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { compile } from "../../../compiler/compile.ts";
import {
  adapt,
  defaultProfile,
  defineModel,
  deviceProfile,
  input,
  type Model,
  type Plan,
  type Profile,
  type Tensor,
  traceProgram,
  type WeightFormat,
  weightFormats,
} from "../../../compiler/index.ts";
import { floatFormat } from "../../../formats/index.ts";
import { linear } from "../../../models/layers.ts";
import { parseSamConfig, samPreset } from "../../../models/sam/config.ts";
import { samModel } from "../../../models/sam/program.ts";
import { compileSam } from "../../../models/sam/sam.ts";
import { add, gather, matmul, mean, mul, neg, stack, sub } from "../../../ops/index.ts";
import { type Device, kernelText } from "../../../runtime/devices/device.ts";
import { checkFits } from "../../../runtime/devices/fits.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice, openWeightsFile, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession, type Inputs } from "../../../runtime/session.ts";
import { floatEntry, makeWeights, type Weights } from "../../../runtime/weights/index.ts";
import { createTrainer } from "../../../training/index.ts";
import { adamW } from "../../../training/optimisers/index.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";
import { describeOnDevice } from "../../support/device.ts";
import { fixture } from "../../support/fixtures.ts";
import { compileCuda } from "../../support/nvcc.ts";
import { fixturePath, refusal } from "../../support/weights-files.ts";

type F = Tensor<"f32">;

/**
 * Parameters that are read in fours and one by one, across and along, by computed places, side by side,
 * and in odd numbers.
 */
const layers = defineModel({
  name: "layers",
  build(p) {
    const x = input("x", "f32", [24, 36]);
    const wide = linear(p.at("up"), x, 36, 40);
    const narrow = matmul(wide as Tensor, p.f32("down", [40, 36]) as Tensor) as F;
    const rows = gather(p.f32("table", [11, 36]), input("places", "i32", [24])) as F;
    const stacked = stack([0, 1, 2].map((i) => p.f32(`expert.${i}`, [7, 9])));
    const expert = gather(stacked, input("choice", "i32", [2])) as F;
    return {
      y: add(add(narrow, rows), p.f32("offset", [24, 36])),
      experts: neg(expert),
      odd: mul(p.f32("odd", [35]), 1),
    };
  },
});

const inputs: Inputs = {
  x: Float32Array.from(randomNumbers(24 * 36, 1)),
  places: Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 11),
  choice: Int32Array.of(2, 1),
};

/** The values of a plan's parameters, rounded to a format if one is given. */
function weightsOf(
  { parameters }: Plan,
  rounded: WeightFormat = "f32",
  change: (name: string, values: Float32Array) => void = () => {},
): Weights {
  const { encode, decode } = floatFormat(rounded);
  const tensors = new Map(parameters.map(({ name, shape }) => [name, floatEntry(shape)]));
  return makeWeights({
    source: "test",
    tensors,
    metadata: {},
    async *stream(name, elements) {
      const { bytes } = tensors.get(name)!;
      const seed = [...tensors.keys()].indexOf(name);
      const values = Float32Array.from(randomNumbers(bytes / 4, seed, [-3, 3]));
      change(name, values);
      const given = decode(encode(values));
      for (let i = 0; i < given.length; i += elements)
        yield new Uint8Array(given.slice(i, i + elements).buffer);
    },
    close: async () => {},
  });
}

const results = async (plan: Plan, device: Device, weights: Weights, given: Inputs) => {
  const session = await createSession(plan, device, { weights });
  const values = await session.run(given);
  session.close();
  return Object.fromEntries(Object.entries(values).map(([name, v]) => [name, [...v]]));
};

/** What a plan gives whose weights are in a format, and what the `f32` plan gives for rounded weights. */
async function both(model: Model, weightFormat: WeightFormat, device: Device, profile?: Profile) {
  const options = { target: device.target, ...(profile ? { profile } : {}) };
  const graph = () => traceProgram(model, "forward");
  const [plain, narrow] = [
    compile(graph(), options),
    compile(graph(), { ...options, weightFormat }),
  ];
  return Promise.all([
    results(narrow, device, weightsOf(narrow), inputs),
    results(plain, device, weightsOf(plain, weightFormat), inputs),
  ]);
}

describe.each(weightFormats)("weights in %s", (weightFormat) => {
  test("all of them are, small ones too, and none takes more than its words", () => {
    const plan = compile(traceProgram(layers, "forward"), { weightFormat });
    const width = floatFormat(weightFormat).width;
    for (const { name, shape, bytes } of plan.parameters) {
      const count = shape.reduce((a, b) => a * b, 1);
      expect(bytes, name).toBe(Math.ceil((count * width) / 4) * 4);
    }
  });

  test("give the results of f32 for rounded weights, bit for bit", async () => {
    const [narrow, plain] = await both(layers, weightFormat, referenceDevice());
    expect(narrow).toEqual(plain);
  });

  test("arrive in whatever pieces", async () => {
    const plan = compile(traceProgram(layers, "forward"), { target: "reference", weightFormat });
    const whole = weightsOf(plan);
    const pieces = { ...whole, chunks: (name: string) => whole.chunks(name, 4 * 13) };
    expect(await results(plan, referenceDevice(), pieces, inputs)).toEqual(
      await results(plan, referenceDevice(), whole, inputs),
    );
  });

  test.each([0, 8])("Dawn accepts the text, in subgroups of %i", async (subgroup) => {
    const profile = { ...defaultProfile, subgroup };
    const gpu = await requestNullGpu({ features: ["subgroups"] });
    const { kernels } = compile(traceProgram(layers, "forward"), { profile, weightFormat });
    for (const kernel of kernels) {
      const source = kernelText(kernel);
      gpu.device.pushErrorScope("validation");
      gpu.device.createShaderModule({ code: source });
      expect((await gpu.device.popErrorScope())?.message, source).toBe(undefined);
    }
    gpu.destroy();
  });
});

describe("weights in bf16", () => {
  test("of ViT-B take half the bytes of f32", () => {
    const graph = traceProgram(samModel(samPreset("vit_b")), "encode", { batch: 1 });
    const [plain, narrow] = [compile(graph), compile(graph, { weightFormat: "bf16" })];
    const bytes = ({ buffers }: Plan) =>
      buffers.reduce((sum, b) => sum + (b.role === "weights" ? b.bytes : 0), 0);
    // What is more than half lies between tensors: each begins at a multiple of 256 bytes.
    expect(bytes(narrow) / bytes(plain)).toBeCloseTo(0.5, 4);
    expect(narrow.parameters.every((p) => p.stored === "packed-bf16")).toBe(true);
    expect(narrow.parameters.length).toBe(plain.parameters.length);
    expect(narrow.steps.length).toBe(plain.steps.length);
    expect(narrow.kernels.length).toBe(plain.kernels.length);
  });

  test("nvcc accepts the text, for sm_80 and sm_90", () => {
    const options = { target: "cuda", weightFormat: "bf16" } as const;
    const plan = compile(traceProgram(layers, "forward"), options);
    const text = plan.kernels.map(kernelText).join("\n");
    expect(text).toMatch(/ushort4/);
    expect(text).toMatch(/widen_bfloat\(/);
    compileCuda(plan);
  });

  test("E151: a finite number that rounds to infinity", async () => {
    const give = (value: number) => (_name: string, values: Float32Array) => {
      values[1] = value;
    };
    const plan = compile(traceProgram(layers, "forward"), {
      target: "reference",
      weightFormat: "bf16",
    });
    const open = async (value: number) =>
      createSession(plan, referenceDevice(), { weights: weightsOf(plan, "f32", give(value)) });
    const { code, details } = await refusal(() => open(-3.4e38));
    expect([code, details.message]).toEqual([
      "E151",
      "element 1 of up.weight is -3.3999999521443642e+38, the largest bf16 is 3.3895313892515355e+38",
    ]);
    for (const value of [3.396e38, Number.POSITIVE_INFINITY, Number.NaN])
      (await open(value)).close();
  });
});

const narrow = weightFormats.filter((format) => format !== "f32");

describeOnDevice("on a device", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device?.destroy());

  test.each(narrow)("layers in %s are those of f32 for rounded weights", async (format) => {
    for (const profile of [defaultProfile, deviceProfile(device.capabilities)]) {
      const [narrow, plain] = await both(layers, format, device, profile);
      expect(narrow).toEqual(plain);
    }
  });

  test.each(narrow)("a small SAM in %s is that of f32 for rounded weights", async (format) => {
    const config = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));
    const graph = traceProgram(samModel(config), "encode");
    const profile = deviceProfile(device.capabilities);
    const file = await openWeightsFile(fixturePath("sam_nano.pth"));
    const { encode, decode } = floatFormat(format);
    const rounded: Pick<Weights, "source" | "tensors" | "chunks"> = {
      ...file,
      async *chunks(name) {
        for await (const chunk of file.chunks(name)) yield decode(encode(chunk));
      },
    };
    const { data } = fixture("sam_nano.safetensors").tensors.get("image_normalized")!;
    const image = (data as Float32Array<ArrayBuffer>).slice(0, data.length / 2);
    const given = [
      [compile(graph, { profile, weightFormat: format }), file],
      [compile(graph, { profile }), rounded],
    ] as const;
    const embeddings = [];
    for (const [plan, weights] of given) {
      const session = await createSession(plan, device, { weights });
      embeddings.push([...(await session.run({ image })).embedding!]);
      session.close();
    }
    expect(embeddings[0]).toEqual(embeddings[1]);
    await file.close();
  });

  test.each(narrow)("every number of %s is read as it is, wherever in a word", async (format) => {
    // Each finite pattern but the last: an odd number of them.
    const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = floatFormat(format)
      .decode(new Uint8Array(patterns.buffer))
      .filter(Number.isFinite)
      .slice(0, -1);
    const reader = defineModel({
      name: "reader",
      build: (p) => ({ y: neg(p.f32("weight", [values.length])) }),
    });
    const plan = compile(traceProgram(reader, "forward"), { weightFormat: format });
    const give = (_name: string, given: Float32Array) => given.set(values);
    const { y } = await results(plan, device, weightsOf(plan, "f32", give), {});
    const wrong = [...values.keys()].filter((i) => !Object.is(y![i], -values[i]!));
    expect(wrong.slice(0, 9).map((i) => [values[i], y![i]])).toEqual([]);
  });

  test("training has the loss of f32 for a rounded base", async () => {
    const [format, base] = ["f16", "lin"] as const;
    const model = defineModel({
      name: "line",
      build: (p) => ({ y: linear(p.at(base), input("x", "f32", [12, 16]), 16, 24) }),
    });
    const adapted = adapt(model, lora({ rank: 4, alpha: 4 }), { where: base });
    const loss = ({ y }: Record<string, F>) => {
      const difference = sub(y!, input("target", "f32", [12, 24]));
      return { square: mean(mul(difference, difference)) };
    };
    const x = randomNumbers(12 * 16, 1);
    const target = randomNumbers(12 * 24, 2);
    const plan = compile(traceProgram(model, "forward"));
    const options = { device, loss, rate: 0.01, seed: 3, optimiser: adamW({}) };
    const run = async (more: { weightFormat?: WeightFormat; weights: Weights }) => {
      const trainer = await createTrainer(adapted, { ...options, ...more });
      const losses = [];
      for (let i = 0; i < 5; i++) losses.push((await trainer.step({ x, target })).loss);
      const { frozen } = trainer.memory();
      trainer.close();
      return { losses, frozen: frozen! };
    };
    const narrow = await run({ weightFormat: format, weights: weightsOf(plan) });
    const plain = await run({ weights: weightsOf(plan, format) });
    expect(narrow.losses).toEqual(plain.losses);
    expect(narrow.frozen).toBeLessThan(plain.frozen);
  });
});

describe("refused", () => {
  test("E153: a format that does not exist", async () => {
    const { code, details } = await refusal(() =>
      compile(traceProgram(layers, "forward"), { weightFormat: "f61" as WeightFormat }),
    );
    expect([code, details.message, details.help]).toEqual([
      "E153",
      'there is no number format "f61" for weights',
      `the formats are ${weightFormats.join(", ")}`,
    ]);
  });

  test("E152 and E153: a plan with a format that a later version has", async () => {
    const plan = compile(traceProgram(layers, "forward"), {
      target: "reference",
      weightFormat: "bf16",
    });
    const later = "q8" as WeightFormat;
    const parameters = plan.parameters.map((p) => ({ ...p, stored: later }));
    const { code, details } = await refusal(() =>
      createSession({ ...plan, parameters }, referenceDevice(), { weights: weightsOf(plan) }),
    );
    expect([code, details.message]).toEqual([
      "E153",
      "up.weight is stored in q8, a number format that this runtime does not know",
    ]);
    const [kernel] = plan.kernels;
    const params = kernel!.params.map((p) => ({ ...p, scalar: later }));
    const fitting = () =>
      checkFits(
        { name: "plan", kernels: [{ ...kernel!, params }] },
        referenceDevice().capabilities,
      );
    expect((await refusal(fitting)).code).toBe("E152");
  });

  test("the programs of a SAM take the format, both of them", async () => {
    const config = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));
    const { encode, decode } = compileSam(config, { target: "wgsl", weightFormat: "bf16" });
    for (const { parameters } of [encode, await decode(8)])
      expect(parameters.every((p) => p.stored === "packed-bf16")).toBe(true);
  });
});
