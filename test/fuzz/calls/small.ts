/** What is called: small programs, a bundle of two of them, a training. */
import { defineAdapter } from "../../../adapters/adapter.ts";
import { compile } from "../../../compiler/compile.ts";
import { type Graph, graphOf, trace } from "../../../compiler/graph/graph.ts";
import { defineModel } from "../../../compiler/graph/model.ts";
import { input, state } from "../../../compiler/graph/sources.ts";
import { adapt, type Tensor } from "../../../compiler/index.ts";
import type { Plan } from "../../../compiler/plan.ts";
import { add, matmul, mean, mul, sub } from "../../../ops/index.ts";
import type { Bundle } from "../../../runtime/bundle/bundle.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import {
  bytesSource,
  openWeights,
  writeSafetensors,
  writeWithChecksums,
} from "../../../runtime/weights/index.ts";
import { sgd, type TrainerOptions } from "../../../training/index.ts";
import { bundleOf } from "../../support/bundles.ts";

type Floats = Tensor<"f32">;

/** The plan of a graph for a device's target, compiled once: sequences of calls are many. */
const once = (make: () => Graph) => {
  const plans = new Map<string, Plan>();
  return ({ target }: Device): Plan => {
    const plan = plans.get(target) ?? compile(make(), { target });
    plans.set(target, plan);
    return plan;
  };
};
const outputs = (tensors: object) => tensors as Record<string, Tensor>;

/** y = a x + b; a state that adds up every x, and one that is written alone and begins as threes. */
export const line = once(() =>
  trace(() => {
    const x = input("x", "f32", [4]);
    const sum = add(state("sum", "f32", [4]), x);
    state("last", "f32", [4], { init: { kind: "constant", value: 3 } });
    const y = add(mul(input("a", "f32", [1]), x), input("b", "f32", [1]));
    const n = mul(input("n", "i32", [2]), 3);
    return outputs({ y, seen: add(sum, 0), n, sum, last: add(x, 0) });
  }, {}),
);

/** z = 10 y. */
export const tenfold = once(() =>
  graphOf([{ name: "z", tensor: mul(input("y", "f32", [4]), 10) as unknown as Tensor }]),
);

const floats = (values: readonly number[], shape: readonly number[]) => ({
  dtype: "f32" as const,
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

const stored = (tensors: Readonly<Record<string, ReturnType<typeof floats>>>) =>
  openWeights(bytesSource("drawn", writeSafetensors(new Map(Object.entries(tensors)))));

const prefill = once(() =>
  trace(() => {
    state("cache", "f32", [4]);
    return outputs({ cache: mul(input("x", "f32", [4]), 2) });
  }, {}),
);

const decode = once(() =>
  trace((p) => {
    const sum = add(state("cache", "f32", [4]), input("x", "f32", [4]));
    return outputs({ y: mul(sum, p.f32("w", [4])), cache: add(sum, 0) });
  }, {}),
);

/** Two programs that share a state: one writes it, the other reads it and adds to it. */
export const smallBundle = (device: Device): Promise<Bundle> =>
  bundleOf({
    name: "drawn",
    plans: new Map([
      ["prefill", prefill(device)],
      ["decode", decode(device)],
    ]),
    weights: writeWithChecksums(new Map([["w", floats([1, 2, 3, 4], [4])]])),
  });

/** Rows by a weight; a state counts what was seen. */
export const trained = adapt(
  defineModel({
    name: "counting",
    programs: {
      forward: (p) => {
        const x = input("x", "f32", [2, 3]);
        const counted = state("counted", "f32", [3]);
        const y = matmul(sub(x, mul(counted, 0.001)) as Floats, p.f32("w", [3, 1]) as Floats);
        return outputs({ y, counted: add(counted, mean(x, 0) as Floats) });
      },
    },
  }),
  defineAdapter({ name: "whole", train: ["**"] }),
);

export const trainingOn = async (
  device: Device,
  micro: number,
  more: object = {},
): Promise<TrainerOptions> => ({
  device,
  weights: await stored({ w: floats([0.5, -0.25, 1], [3, 1]) }),
  rate: 0.01,
  micro,
  optimiser: sgd({}),
  loss: ({ y }) => {
    const off = sub(y!, input("target", "f32", [2, 1])) as Tensor;
    return { square: mean(mul(off, off) as Tensor) };
  },
  programs: { forward: {} },
  ...more,
});

/** What users pass as a device, and is none. */
export const wrongDevices = {
  undefined: undefined,
  null: null,
  object: {},
  text: "webgpu",
  number: 3,
  adapter: { requestDevice: async () => undefined },
  opened: { device: { target: "wgsl" } },
  promise: Promise.resolve(undefined),
} as unknown as Readonly<Record<string, Device>>;

/** Plans that a device of text refuses, as it compiles, binds or runs them. */
export const refusedPlans: Readonly<Record<string, (plan: Plan) => Plan>> = {
  "a text that is none": (plan) => ({
    ...plan,
    kernels: plan.kernels.map((k) => ({ ...k, source: `${String(k.source)} }` })),
  }),
  "a place that is not aligned": (plan) => ({
    ...plan,
    steps: plan.steps.map((step) => ({
      ...step,
      bindings: step.bindings.map((at) =>
        at.bytes < 16 ? at : { ...at, offset: at.offset + 4, bytes: at.bytes - 4 },
      ),
    })),
  }),
  "a place of no bytes": (plan) => ({
    ...plan,
    steps: plan.steps.map((step) => ({
      ...step,
      bindings: step.bindings.map((at) => ({ ...at, bytes: 0 })),
    })),
  }),
  "too many workgroups": (plan) => ({
    ...plan,
    steps: plan.steps.map((step) => ({ ...step, groups: [2 ** 20, 1, 1] })),
  }),
};
