/**
 * What is called: sessions, a bundle, a training. Each has a twin that computes in plain numbers what the
 * same calls give when they are made one by one.
 */
import { defineAdapter } from "../../../adapters/adapter.ts";
import { compile } from "../../../compiler/compile.ts";
import { graphOf, trace } from "../../../compiler/graph/graph.ts";
import { defineModel } from "../../../compiler/graph/model.ts";
import { input, state } from "../../../compiler/graph/sources.ts";
import { adapt, type Tensor } from "../../../compiler/index.ts";
import { add, matmul, mean, mul, sub } from "../../../ops/index.ts";
import type { Bundle } from "../../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { bytesSource, openWeights, writeSafetensors } from "../../../runtime/weights/index.ts";
import { createTrainer, sgd } from "../../../training/index.ts";

/** Makes a call by the name of its method; options are a user's: a signal. */
export type Caller = (method: string, args: readonly unknown[], options?: object) => unknown;

export interface Host {
  readonly call: Caller;
  readonly close: () => unknown;
}

/** What a twin gives for a call that must be refused, given what came before. */
export const refused = Symbol("refused");
/** What a twin gives where nothing is said. */
export const anything = Symbol("anything");

export type Twin = (method: string, args: readonly unknown[]) => unknown;

export type HostName = keyof typeof hosts;

interface Kind {
  open(device: Device, micro: number): Promise<Host>;
  /** Undefined: the same host again, which is called one by one. */
  readonly twin?: () => Twin;
}

type Method = (...args: unknown[]) => unknown;

/** Calls `object.method` with the options at their place. */
function caller(
  objects: Readonly<Record<string, object>>,
  arity: Readonly<Record<string, number>>,
): Caller {
  return (method, args, options) => {
    const [object, name] = method.split(".") as [string, string];
    const own = objects[object] as Record<string, Method>;
    const given = [...args];
    if (options) {
      const most = arity[name];
      while (most !== undefined && given.length < most) given.push(undefined);
      given.push(options);
    }
    return own[name]!(...given);
  };
}

const floats = (values: readonly number[], shape: readonly number[]) => ({
  dtype: "f32" as const,
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

const stored = (tensors: Readonly<Record<string, ReturnType<typeof floats>>>) =>
  openWeights(bytesSource("drawn", writeSafetensors(new Map(Object.entries(tensors)))));

/** y = a x + b; a state that adds up every x, and one that is written alone. */
const line = () => {
  const x = input("x", "f32", [4]);
  const sum = add(state("sum", "f32", [4]), x);
  return trace(() => {
    const y = add(mul(input("a", "f32", [1]), x), input("b", "f32", [1]));
    state("last", "f32", [4], { init: { kind: "constant", value: 3 } });
    const n = mul(input("n", "i32", [2]), 3);
    return { y, seen: add(sum, 0), n, sum, last: add(x, 0) } as Record<string, Tensor>;
  }, {});
};

type Numbers = Record<string, number[]>;

const listed = (given: unknown): Numbers =>
  Object.fromEntries(
    Object.entries((given ?? {}) as Record<string, ArrayLike<number>>).map(([k, v]) => [
      k,
      Array.from(v),
    ]),
  );

const zeros = () => [0, 0, 0, 0];
const threes = () => [3, 3, 3, 3];
const pick = (from: Numbers, names: readonly string[]) =>
  Object.fromEntries(names.map((n) => [n, from[n]!]));

function lineTwin(): Twin & { readonly y: () => number[] | undefined } {
  let given: Numbers = {};
  let made: Numbers | undefined;
  let states: Numbers = { sum: zeros(), last: threes() };
  const twin = (method: string, args: readonly unknown[]): unknown => {
    switch (method.split(".")[1]) {
      case "run":
      case "profile": {
        const next = { ...given, ...listed(args[0]) };
        if (["a", "b", "x", "n"].some((name) => !next[name])) return refused;
        given = next;
        const [a, b, x] = [next.a![0]!, next.b![0]!, next.x!];
        const sum = states.sum!.map((s, i) => s + x[i]!);
        made = { y: x.map((v) => a * v + b), seen: sum, n: next.n!.map((v) => v * 3) };
        // Measuring runs every step, and leaves the states as they are.
        if (method.endsWith("profile")) return anything;
        states = { sum, last: [...x] };
        return pick(made, (args[1] as string[] | undefined) ?? ["y", "seen", "n"]);
      }
      case "read": {
        const names = args[0] as string[];
        if (!made && names.some((n) => !states[n])) return refused;
        return pick({ ...made, ...states }, names);
      }
      case "write":
        states = { ...states, ...listed(args[0]) };
        return undefined;
      case "reset": {
        const begun: Numbers = { sum: zeros(), last: threes() };
        const names = args[0] === undefined ? ["sum", "last"] : [args[0]].flat();
        states = { ...states, ...pick(begun, names as string[]) };
        return undefined;
      }
      default:
        return anything;
    }
  };
  return Object.assign(twin, { y: () => made?.y });
}

const sessionArity = { run: 2, read: 1, write: 1, reset: 1, profile: 1 };

/** Three rows by a weight; the mean of the batch is taken away, a state counts what was seen. */
const trained = adapt(
  defineModel({
    name: "counting",
    programs: {
      forward: (p) => {
        const x = input("x", "f32", [2, 3]);
        const counted = state("counted", "f32", [3]);
        return {
          y: matmul(
            sub(x, mul(counted, 0.001)) as Tensor<"f32">,
            p.f32("w", [3, 1]) as Tensor<"f32">,
          ),
          counted: add(counted, mean(x, 0) as Tensor<"f32">),
        };
      },
    },
  }),
  defineAdapter({ name: "whole", train: ["**"] }),
);

export const hosts = {
  session: {
    async open(device: Device) {
      const one = await createSession(compile(line(), { target: device.target }), device);
      return { call: caller({ one }, sessionArity), close: () => one.close() };
    },
    twin: lineTwin,
  },
  shared: {
    async open(device: Device) {
      const one = await createSession(compile(line(), { target: device.target }), device);
      const tenfold = graphOf([{ name: "z", tensor: mul(input("y", "f32", [4]), 10) as Tensor }]);
      const bind = { y: one.output("y") };
      const two = await createSession(compile(tenfold, { target: device.target }), device, {
        bind,
      });
      return {
        call: caller({ one, two }, sessionArity),
        close: () => Promise.all([two.close(), one.close()]),
      };
    },
    twin: () => {
      const one = lineTwin();
      return (method: string, args: readonly unknown[]) => {
        if (method !== "two.run") return one(method, args);
        const y = one.y();
        return y ? { z: y.map((v) => v * 10) } : anything;
      };
    },
  },
  bundle: {
    async open(device: Device) {
      const compiled = (program: Parameters<typeof trace>[0]) =>
        compile(trace(program, {}), { target: device.target });
      const plans = {
        prefill: compiled(() => {
          state("cache", "f32", [4]);
          return { cache: mul(input("x", "f32", [4]), 2) as Tensor };
        }),
        decode: compiled((p) => {
          const cache = state("cache", "f32", [4]);
          const x = input("x", "f32", [4]);
          return {
            y: mul(add(cache, x), p.f32("w", [4])) as Tensor,
            cache: add(cache, x) as Tensor,
          };
        }),
      };
      const weights = await stored({ w: floats([1, 2, 3, 4], [4]) });
      const bundle = {
        source: "drawn",
        manifest: { name: "drawn" },
        plans,
        openWeights: async () => weights,
      };
      const model = await loadBundle(bundle as unknown as Bundle, device, { weights });
      return { call: caller({ model }, { run: 2, reset: 1 }), close: () => model.close() };
    },
    twin: (): Twin => {
      let cache = zeros();
      const given: Record<string, number[] | undefined> = {};
      return (method, args) => {
        if (method === "model.reset") {
          cache = zeros();
          return undefined;
        }
        const program = args[0] as string;
        const x = listed(args[1]).x ?? given[program];
        if (!x) return refused;
        given[program] = x;
        if (program === "prefill") cache = x.map((v) => 2 * v);
        else cache = cache.map((c, i) => c + x[i]!);
        return program === "prefill" ? {} : { y: cache.map((c, i) => c * (i + 1)) };
      };
    },
  },
  training: {
    async open(device: Device, micro: number) {
      const trainer = await createTrainer(trained, {
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
      });
      const own = caller(
        { trainer },
        {
          run: 3,
          profile: 0,
          parameter: 1,
          gradient: 1,
          present: 0,
          save: 0,
          saveAdapter: 0,
          state: 1,
        },
      );
      return {
        call: (method, args, options) => {
          // A step takes its options behind the inputs of all its micro-steps.
          if (method !== "trainer.steps") return own(method, args, options);
          return trainer.steps;
        },
        close: () => trainer.close(),
      };
    },
  },
} as const satisfies Record<string, Kind>;
