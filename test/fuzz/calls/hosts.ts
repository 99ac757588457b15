/**
 * Sessions, a bundle, a training, and how they are opened. Each has a twin that computes in plain numbers
 * what the same calls give when they are made one by one.
 */
import { loadBundle } from "../../../runtime/bundle/model.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { createTrainer } from "../../../training/index.ts";
import {
  line,
  refusedPlans,
  smallBundle,
  tenfold,
  trained,
  trainingOn,
  wrongDevices,
} from "./small.ts";

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

/** What is wrong with a result, whatever else happened. */
export type Watch = (
  method: string,
  args: readonly unknown[],
  value: unknown,
) => string | undefined;

export type HostName = keyof typeof hosts;

interface Kind {
  open(device: Device, micro: number): Promise<Host>;
  /** Undefined: the same host again, which is called one by one. */
  readonly twin?: () => Twin;
  readonly watch?: () => Watch;
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
        // Measuring runs every step, and leaves its outputs, but the states as they are.
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

const bundleTwin = (): Twin => {
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
};

/** Steps move what is counted by the mean of each batch; nothing else does. */
function countedByHand(): Watch {
  let counted = [0, 0, 0];
  return (method, args, value) => {
    if (method === "trainer.step")
      for (const one of args) {
        const x = listed(one).x!;
        counted = counted.map((c, j) => c + (x[j]! + x[3 + j]!) / 2);
      }
    if (method !== "trainer.state") return undefined;
    const got = Array.from(value as number[]);
    const isNear = counted.every((c, j) => Math.abs(c - got[j]!) < 1e-3);
    return isNear ? undefined : `gave ${got}, by hand it is ${counted}`;
  };
}

/** Each way in which something is placed on a device. */
function opening(device: Device): Host {
  const opened: { close(): unknown }[] = [];
  const ways: Record<string, (on: Device, more: object) => Promise<{ close(): unknown }>> = {
    session: (on, more) => createSession(line(device), on, more),
    bundle: async (on, more) => loadBundle(await smallBundle(device), on, more),
    trainer: async (on, more) => createTrainer(trained, await trainingOn(on, 1, more)),
  };
  return {
    async call(method, [given], more = {}) {
      if (method === "open.refused") {
        const one = await createSession(refusedPlans[given as string]!(line(device)), device, more);
        opened.push(one);
        return one.run({ a: [1], b: [1], x: [1, 2, 3, 4], n: [1, 2] });
      }
      const on = given === "good" ? device : wrongDevices[given as string]!;
      opened.push(await ways[method.split(".")[1]!]!(on, more));
      return "open";
    },
    close: () => Promise.all(opened.map((one) => one.close())),
  };
}

const sessionArity = { run: 2, read: 1, write: 1, reset: 1, profile: 1 };
const trainerArity = { run: 3, profile: 0, parameter: 1, gradient: 1, present: 0, save: 0 };

export const hosts = {
  session: {
    async open(device: Device) {
      const one = await createSession(line(device), device);
      return { call: caller({ one }, sessionArity), close: () => one.close() };
    },
    twin: lineTwin,
  },
  shared: {
    async open(device: Device) {
      const one = await createSession(line(device), device);
      const bind = { y: one.output("y") };
      const two = await createSession(tenfold(device), device, { bind });
      const close = () => Promise.all([two.close(), one.close()]);
      return { call: caller({ one, two }, sessionArity), close };
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
      const model = await loadBundle(await smallBundle(device), device);
      return { call: caller({ model }, { run: 2, reset: 1 }), close: () => model.close() };
    },
    twin: bundleTwin,
  },
  training: {
    async open(device: Device, micro: number) {
      const trainer = await createTrainer(trained, await trainingOn(device, micro));
      const arity = { ...trainerArity, saveAdapter: 0, state: 1 };
      return { call: caller({ trainer }, arity), close: () => trainer.close() };
    },
    watch: countedByHand,
  },
  opening: {
    open: async (device: Device) => opening(device),
    twin: (): Twin => () => "open",
  },
} as const satisfies Record<string, Kind>;
