/**
 * Training in bf16: two transformer blocks, of which some weights train. Gradients are off by no more than 1.5 times
 * what PyTorch's are in bfloat16 (`bf16_block.py`), weights that train are singles, and the loss has no scale.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { defineAdapter } from "../../../adapters/adapter.ts";
import {
  adapt,
  compile,
  defineModel,
  input,
  type Precision,
  type Tensor,
  traceProgram,
} from "../../../compiler/index.ts";
import { targetNamed, usualProfile } from "../../../compiler/targets/find.ts";
import { linear, norm } from "../../../models/layers.ts";
import { hashedTensor } from "../../../models/sam/hashed.ts";
import {
  add,
  attention,
  gelu,
  mean,
  mul,
  permute,
  reshape,
  slice,
  sub,
} from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { trainingBytes } from "../../../runtime/training/memory.ts";
import { plansOf } from "../../../runtime/training/plan.ts";
import { bfloatToFloat, floatToBfloat, writeSafetensors } from "../../../runtime/weights/index.ts";
import { compileTraining } from "../../../training/compile.ts";
import { planTraining } from "../../../training/forecast/training.ts";
import { createTrainer, type TrainerOptions } from "../../../training/index.ts";
import { adamW } from "../../../training/optimisers/index.ts";
import { repository } from "../../support/command-line.ts";
import { buildDriver, describeCuda, type TestDriver } from "../../support/libcuda.ts";
import { ptxDevice } from "../../support/ptx-device.ts";
import { openBytes, refusal } from "../../support/weights-files.ts";

type F = Tensor<"f32">;
const [tokens, width, hidden, heads, depth, seed] = [64, 32, 128, 2, 2, "bf16"];

interface Gradient {
  readonly norm: number;
  readonly along: number;
  readonly autocast: number;
}
const reference = JSON.parse(
  readFileSync(join(repository, "test", "fixtures", "bf16_block.json"), "utf8"),
) as { readonly loss: number; readonly gradients: Readonly<Record<string, Gradient>> };

const model = defineModel({
  name: "blocks",
  build(p) {
    let x: F = input("x", "f32", [tokens, width]);
    for (let i = 0; i < depth; i++) {
      const at = p.at(`blocks.${i}`);
      const qkv = linear(at.at("qkv"), norm(at.at("norm1"), x, 1e-6), width, 3 * width);
      const third = (n: number) => {
        const part = slice(qkv, [[], [n * width, (n + 1) * width]]);
        return permute(reshape(part, [1, tokens, heads, width / heads]), [0, 2, 1, 3]);
      };
      const attended = permute(attention(third(0), third(1), third(2)), [0, 2, 1, 3]);
      const rows = reshape(attended, [tokens, width]) as F;
      x = add(x, linear(at.at("proj"), rows, width, width)) as F;
      const wide = gelu(linear(at.at("lin1"), norm(at.at("norm2"), x, 1e-6), width, hidden));
      x = add(x, linear(at.at("lin2"), wide as F, hidden, width)) as F;
    }
    return { y: x };
  },
});

const train = ["qkv", "lin2", "norm1", "norm2"].map((part) => `blocks.*.${part}.*`);
const adapted = adapt(model, defineAdapter({ name: "some" }), { train });
const loss: TrainerOptions["loss"] = ({ y }) => {
  const difference = sub(y!, input("target", "f32", [tokens, width]));
  return { square: mean(mul(difference, difference)) };
};

const shapes = Object.fromEntries(
  compile(traceProgram(model, "forward")).parameters.map(({ name, shape }) => [name, shape]),
);
const weights = () => {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = new Uint8Array(hashedTensor(seed, name, shape).buffer);
    return [name, { dtype: "f32" as const, shape, data }] as const;
  });
  return openBytes(writeSafetensors(new Map(tensors), {}));
};

/** From `-scale` to `scale`: as the elements of a matrix of one row, in other units. */
function hashes(name: string, count: number, scale: number): Float32Array<ArrayBuffer> {
  const units = (scale * Math.sqrt(count)) / (Math.sqrt(3) * 0.7);
  return hashedTensor(seed, name, [1, count]).map((v) => v * units);
}
const x = hashes("x", tokens * width, 2);
const target = hashes("target", tokens * width, 1);

async function trainerOn(device: Device, precision: Precision, more: Partial<TrainerOptions> = {}) {
  const optimiser = adamW({ decay: 0.01 });
  const options = { device, precision, loss, optimiser, rate: 0.01, weights: await weights() };
  return createTrainer(adapted, { ...options, ...more });
}

type Gradients = ReadonlyMap<string, Float32Array>;

async function gradientsOn(
  device: Device,
  precision: Precision,
  more: Partial<TrainerOptions> = {},
): Promise<{ readonly loss: number; readonly gradients: Gradients }> {
  const trainer = await trainerOn(device, precision, more);
  const { loss } = await trainer.gradients({ x, target });
  const gradients = new Map<string, Float32Array>();
  for (const { name } of trainer.plan.tensors)
    gradients.set(name, Float32Array.from(await trainer.gradient(name)));
  trainer.close();
  return { loss, gradients };
}

const length = (values: Iterable<number>) => Math.hypot(...values);
const distance = (a: Float32Array, b: Float32Array) => length(a.map((v, i) => v - b[i]!));

let single: Awaited<ReturnType<typeof gradientsOn>>;
beforeAll(async () => {
  single = await gradientsOn(cpuDevice(), "f32");
});

test("in f32 loss and gradients are those of PyTorch in float64", () => {
  expect(Math.abs(single.loss / reference.loss - 1)).toBeLessThan(1e-6);
  expect(single.gradients.size).toBe(depth * 8);
  for (const [name, values] of single.gradients) {
    const { norm, along } = reference.gradients[name]!;
    expect(Math.abs(length(values) / norm - 1), name).toBeLessThan(1e-5);
    const direction = hashes(`along/${name}`, values.length, 1);
    const product = values.reduce((sum, v, i) => sum + v * direction[i]!, 0);
    expect(Math.abs(product - along), name).toBeLessThan(1e-5 * norm * Math.sqrt(values.length));
  }
});

/** PyTorch's autocast rounds operands of products, and no residual. */
async function isCloseOn(device: Device, more?: Partial<TrainerOptions>) {
  const { loss, gradients } = await gradientsOn(device, "bf16", more);
  expect(Math.abs(loss / single.loss - 1)).toBeLessThan(2 ** -9);
  const errors = [...gradients].map(([name, values]) => {
    const { norm, autocast } = reference.gradients[name]!;
    return [name, distance(values, single.gradients.get(name)!) / norm / autocast] as const;
  });
  expect(errors.filter(([, ratio]) => !(ratio <= 1.5))).toEqual([]);
  // What is as exact as singles was not stored in bf16.
  expect(Math.max(...errors.map(([, ratio]) => ratio))).toBeGreaterThan(0.1);
}

describe("gradients in bf16 are as far off as PyTorch's", () => {
  test("on the reference device", () => isCloseOn(referenceDevice()));
  test("as WebAssembly", () => isCloseOn(cpuDevice()));
  test("by PTX, which multiplies bf16", () => isCloseOn(ptxDevice()));
});

test("what trains is single: updates that bf16 could not hold are kept", async () => {
  const trainer = await trainerOn(cpuDevice(), "bf16", { rate: 1e-6 });
  const name = "blocks.1.lin2.weight";
  const before = Float32Array.from(await trainer.parameter(name));
  for (let i = 0; i < 3; i++) await trainer.step({ x, target });
  const after = Float32Array.from(await trainer.parameter(name));
  trainer.close();
  const stored = (values: Float32Array) => bfloatToFloat(floatToBfloat(values));
  const rounded = stored(before);
  const stepped = stored(rounded.map((v, i) => v + (after[i]! - before[i]!) / 3));
  const large = [...before.keys()].filter((i) => Math.abs(before[i]!) > 2 ** -8);
  expect(large.length).toBeGreaterThan(0.9 * before.length);
  expect(large.every((i) => stepped[i] === rounded[i])).toBe(true);
  // A gradient near zero may change its sign.
  const moved = after.filter((v, i) => Math.abs(v - before[i]!) > 2e-6);
  expect(moved.length).toBeGreaterThan(0.95 * after.length);
});

test("the loss goes the way it goes in f32, without a scale, in less memory", async () => {
  const [plain, narrow] = [
    await trainerOn(cpuDevice(), "f32"),
    await trainerOn(cpuDevice(), "bf16"),
  ];
  const losses: (readonly [number, number])[] = [];
  for (let i = 0; i < 12; i++) {
    const reports = [await plain.step({ x, target }), await narrow.step({ x, target })] as const;
    expect(reports[1].vetoed).toBe(undefined);
    losses.push([reports[0].loss, reports[1].loss]);
  }
  expect(losses.at(-1)![0]).toBeLessThan(0.8 * losses[0]![0]);
  for (const [a, b] of losses) expect(Math.abs(b / a - 1)).toBeLessThan(4e-3);
  const states = (trainer: typeof plain) => trainer.plan.update.states.map((s) => s.name);
  expect(states(narrow)).toEqual(states(plain));
  const [more, less] = [plain.memory(), narrow.memory()];
  const frozen = depth * (width * width + hidden * width);
  expect(more.frozen! - less.frozen!).toBe(2 * frozen);
  // Statistics, sums and what the program returns stay single.
  expect(less.activations! / more.activations!).toBeLessThan(0.65);
  expect([less.trained, less.gradients, less.optimiser]).toEqual([
    ...[more.trained, more.gradients, more.optimiser],
  ]);
  for (const trainer of [plain, narrow]) trainer.close();
});

test("a forecast for CUDA is what its plans take, and keeps a budget", async () => {
  const optimiser = adamW({ decay: 0.01 });
  const options = { target: "ptx", profile: usualProfile(targetNamed("ptx")), loss, optimiser };
  const bytes = (precision: Precision, budget?: number) => {
    const found = { ...options, precision, ...(budget === undefined ? {} : { budget }) };
    return trainingBytes(plansOf(compileTraining(adapted, found)));
  };
  const request = { model: adapted, dims: {}, ...options, optimiser: "adamW" } as const;
  const forecast = planTraining({ ...request, precision: "bf16" }).bytes;
  const [halves, narrow] = [bytes("mixed"), bytes("bf16")];
  expect(forecast.frozen).toBe(narrow.frozen);
  expect(narrow.total).toBeLessThan(bytes("f32").total);
  // Of the same width: it lacks the loss scale alone.
  for (const part of ["frozen", "activations", "trained", "gradients", "optimiser"] as const)
    expect(narrow[part], part).toBe(halves[part]);
  expect(bytes("bf16", narrow.total)).toEqual(narrow);
  expect((await refusal(() => bytes("f32", narrow.total))).code).toBe("E140");
});

test("E150: WebGPU cannot write bf16, and the error says what to type instead", async () => {
  const { code, details } = await refusal(() =>
    compileTraining(adapted, { loss, precision: "bf16", optimiser: adamW() }),
  );
  expect([code, details.message, details.help]).toEqual([
    "E150",
    'precision "bf16" stores bf16, which the profile "default" cannot write',
    'compile with { precision: "f32" }; "mixed" is for devices with halves (in WebGPU: the feature shader-f16), "bf16" for CUDA and processors',
  ]);
});

describeCuda("on the driver for tests", () => {
  // Printed CUDA has no fragments: the kernels of both targets are then the same.
  const { matrices: _, ...profile } = usualProfile(targetNamed("cuda"));
  let driver: TestDriver;
  beforeAll(() => {
    const plansFor = (of: string) =>
      plansOf(
        compileTraining(adapted, {
          ...{ target: of, profile, precision: "bf16", loss },
          optimiser: adamW({ decay: 0.01 }),
        }),
      );
    const printed = plansFor("cuda");
    driver = buildDriver(plansFor("ptx").map((ptx, i) => ({ ptx, cuda: printed[i]! })));
    vi.stubEnv("INARCH_CUDA", driver.path);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    driver?.remove();
  });

  test("gradients in bf16 are as far off as PyTorch's", async () => {
    const { device } = await openDevice({ kind: "cuda" });
    await isCloseOn(device, { profile });
    device.destroy();
  });
});
