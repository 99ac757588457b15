/** Draws a sequence of calls: overlapping, refused, aborted, closed, on a device that may be lost. */
import { type Random, randomOf } from "../random.ts";
import { type Argument, type Call, spoiled, valuesOf } from "./call.ts";
import { type HostName, hosts } from "./hosts.ts";
import { refusedPlans, wrongDevices } from "./small.ts";

export interface CallsCase {
  readonly host: HostName;
  readonly on: "reference" | "webgpu" | "mortal";
  readonly micro: number;
  readonly calls: readonly Call[];
}

type Typed = Readonly<
  Record<string, { readonly dtype: "f32" | "i32" | "u32" | "bool"; readonly size: number }>
>;

const f32 = (size: number) => ({ dtype: "f32", size }) as const;
const lineInputs: Typed = { a: f32(1), b: f32(1), x: f32(4), n: { dtype: "i32", size: 2 } };
const states: Typed = { sum: f32(4), last: f32(4) };

interface Drawn {
  readonly method: string;
  readonly args: readonly Argument[];
  readonly bad?: string;
}

/** Some of the inputs, or one of them as nobody may give it, or one that there is not. */
function given(
  random: Random,
  typed: Typed,
  every: number,
  isBad: boolean,
): readonly [Argument, string?] {
  const names = Object.keys(typed).filter(() => random.chance(every));
  const values = Object.fromEntries(names.map((name) => [name, valuesOf(random, typed[name]!)]));
  if (!isBad) return [values];
  if (random.chance(0.2))
    return [{ ...values, unknown: { as: "array", of: [1] } }, "an unknown name"];
  const name = random.pick(Object.keys(typed));
  const wrong = spoiled(random, valuesOf(random, typed[name]!), typed[name]!.dtype);
  // What is wrong comes last: all before it is checked, or written, first.
  const { [name]: _, ...others } = values;
  return [{ ...others, [name]: wrong }, `${name} as ${wrong.as}`];
}

function onLine(random: Random, isBad: boolean): Drawn {
  const method = random.pick(["run", "run", "run", "run", "read", "write", "reset", "profile"]);
  const outputs = ["y", "seen", "n"].filter(() => random.chance(0.6));
  switch (method) {
    case "write": {
      const [values, bad] = given(random, states, 0.6, isBad);
      return { method: "one.write", args: [values], ...(bad ? { bad } : {}) };
    }
    case "reset":
      return isBad
        ? { method: "one.reset", args: ["unknown"], bad: "an unknown state" }
        : { method: "one.reset", args: random.chance(0.5) ? [] : [random.pick(["sum", "last"])] };
    case "read": {
      const names = random.chance(0.4) ? [random.pick(["sum", "last"])] : outputs;
      return isBad
        ? { method: "one.read", args: [[...names, "unknown"]], bad: "an unknown output" }
        : { method: "one.read", args: [names] };
    }
    case "profile":
      return { method: "one.profile", args: [] };
  }
  if (isBad && random.chance(0.2))
    return {
      method: "one.run",
      args: [given(random, lineInputs, 1, false)[0], ["unknown"]],
      bad: "an unknown output",
    };
  const [values, bad] = given(random, lineInputs, random.chance(0.3) ? 1 : 0.5, isBad);
  return {
    method: "one.run",
    args: random.chance(0.3) ? [values, outputs] : [values],
    ...(bad ? { bad } : {}),
  };
}

function onBundle(random: Random, isBad: boolean): Drawn {
  if (!isBad && random.chance(0.15)) return { method: "model.reset", args: [] };
  if (isBad && random.chance(0.3))
    return { method: "model.run", args: ["unknown", {}], bad: "an unknown program" };
  const [values, bad] = given(random, { x: f32(4) }, 0.8, isBad);
  return {
    method: "model.run",
    args: [random.pick(["prefill", "decode", "decode"]), values],
    ...(bad ? { bad } : {}),
  };
}

const batch: Typed = { x: f32(6), target: f32(2) };

function onTraining(random: Random, isBad: boolean, micro: number): Drawn {
  const method = random.pick([
    "step",
    "step",
    "step",
    "step",
    "run",
    "parameter",
    "gradient",
    "save",
    "saveAdapter",
    "present",
    "state",
  ]);
  const name = isBad ? "unknown" : "w";
  const bad = isBad ? { bad: "an unknown tensor" } : {};
  switch (method) {
    case "parameter":
    case "gradient":
      return { method: `trainer.${method}`, args: [name], ...bad };
    case "state":
      return { method: "trainer.state", args: [isBad ? "unknown" : "counted"], ...bad };
    case "save":
    case "saveAdapter":
    case "present":
      return { method: `trainer.${method}`, args: [] };
    case "run": {
      const [values, words] = given(random, { x: f32(6) }, 1, isBad);
      return { method: "trainer.run", args: ["forward", values], ...(words ? { bad: words } : {}) };
    }
  }
  const all = Array.from({ length: micro }, () => given(random, batch, 1, false)[0]);
  if (!isBad) return { method: "trainer.step", args: all };
  const way = random.below(3);
  // The last of the micro-steps is the bad one: those before it have been accepted.
  const { target: _, ...none } = all.at(-1) as Record<string, never>;
  if (way === 0)
    return { method: "trainer.step", args: [...all.slice(0, -1), none], bad: "no target" };
  if (way === 1)
    return { method: "trainer.step", args: [...all, ...all], bad: "too many micro-steps" };
  const [wrong, words] = given(random, batch, 1, true);
  return { method: "trainer.step", args: [...all.slice(0, -1), wrong], bad: words! };
}

function onOpening(random: Random, isBad: boolean, on: CallsCase["on"]): Drawn {
  if (on !== "reference" && random.chance(0.3)) {
    const plan = random.pick(Object.keys(refusedPlans));
    return { method: "open.refused", args: [plan], bad: plan };
  }
  const method = `open.${random.pick(["session", "bundle", "trainer"])}`;
  if (!isBad) return { method, args: ["good"] };
  const wrong = random.pick(Object.keys(wrongDevices));
  return { method, args: [wrong], bad: `${wrong} as a device` };
}

/** Compiling a training takes as long as a dozen sequences on a session. */
const often: readonly HostName[] = [
  ...(Object.keys(hosts) as HostName[]),
  ...Array<HostName>(5).fill("session"),
  ...(["shared", "bundle"] as const),
];

export function drawCalls(seed: number, devices: readonly CallsCase["on"][]): CallsCase {
  const random = randomOf(seed);
  const host = random.pick(often);
  const micro = random.between(1, 2);
  const on = random.chance(0.85) ? "reference" : random.pick(devices);
  const calls: Call[] = [];
  const put = ({ method, args, bad }: Drawn) =>
    calls.push({
      method,
      args,
      after: random.pick(["nothing", "nothing", "nothing", "promises", "events", "all"]),
      ...(random.chance(0.2) ? { abort: random.pick([-1, 0, 0, 1, 3, 10]) } : {}),
      overwritten: random.chance(0.5),
      ...(bad ? { bad } : {}),
    });
  const all = given(random, lineInputs, 1, false)[0];
  if (host === "session" || host === "shared") put({ method: "one.run", args: [all] });
  for (let n = random.between(2, 9); n > 0; n--) {
    const isBad = random.chance(0.25);
    if (host === "shared" && random.chance(0.3)) put({ method: "two.run", args: [] });
    else if (host === "session" || host === "shared") put(onLine(random, isBad));
    else if (host === "bundle") put(onBundle(random, isBad));
    else if (host === "opening") put(onOpening(random, isBad, on));
    else put(onTraining(random, isBad, micro));
  }
  const insert = (method: string) =>
    calls.splice(random.between(1, calls.length), 0, {
      method,
      args: [],
      after: random.pick(["nothing", "promises", "events"]),
      overwritten: false,
    });
  if (random.chance(0.3) && host !== "opening") insert("close");
  if (on === "mortal") insert("lose");
  return { host, on, micro, calls };
}
