/**
 * Calls that cannot be: one argument of an op is what nobody may give. It is refused with a code, where the
 * call is made; or it is taken, and then whatever follows works or has a code too.
 */
import { compile } from "../../../compiler/compile.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { type Random, randomOf } from "../random.ts";
import { exactly } from "./arithmetic.ts";
import { type Arg, isRef, type Kind, type Ref } from "./known.ts";
import {
  evaluate,
  isLeaf,
  type Leaf,
  live,
  type Program,
  replaced,
  show,
  traced,
} from "./program.ts";
import { runOn } from "./run.ts";

export interface Spoilt {
  /** Sources, and one call of which an argument is wrong. */
  readonly program: Program;
  readonly words: string;
  /** No such call makes sense. */
  readonly isRefused: boolean;
}

type Path = readonly (string | number)[];

/** Places of what is written out in a call: tensors, numbers, words. */
function places(arg: unknown, path: Path = []): Path[] {
  if (isRef(arg) || typeof arg === "number" || typeof arg === "string") return [path];
  if (typeof arg !== "object" || arg === null) return [];
  return Object.entries(arg).flatMap(([key, x]) =>
    places(x, [...path, Array.isArray(arg) ? Number(key) : key]),
  );
}

const at = (arg: unknown, path: Path): unknown =>
  path.reduce((x, key) => (x as Record<string, unknown>)[key], arg);

function put(arg: Arg, path: Path, to: Arg): Arg {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (Array.isArray(arg)) return arg.map((x: Arg, i) => (i === key ? put(x, rest, to) : x));
  return {
    ...(arg as Record<string, Arg>),
    [key]: put((arg as Record<string, Arg>)[key]!, rest, to),
  };
}

/** Where a float may be any float: operands, and what a tensor is filled with. */
const takesAnyFloat: ReadonlySet<string> = new Set(
  "add sub mul div maximum minimum eq ne lt le gt ge where selectPositive full pad".split(" "),
);

/** What a random stream is counted by may be any number: it is taken as 32 bits. */
const isAnyNumber = (op: string, path: Path) =>
  path.includes("stream") || (op.startsWith("random") && path[0] === 1);

/** Ops that take a number as an operand, of whole numbers too. */
const beside = "add mul div maximum minimum eq ne lt le gt ge".split(" ");

/** A number beside whole numbers, which seldom come together by chance. */
function besideWhole(random: Random): Spoilt {
  const dtype = random.pick(["i32", "u32"] as const);
  const wrong = random.pick(noWhole(dtype));
  const leaf: Leaf = { source: "input", dtype, shape: [3], fill: "ordinary", seed: 0 };
  const operands: Arg[] = [{ at: 0, result: 0 }, wrong];
  const call = random.chance(0.2)
    ? { op: "full", args: [wrong, [3], dtype] }
    : { op: random.pick(beside), args: random.chance(0.5) ? operands : operands.toReversed() };
  const program = { statements: [leaf, call], outputs: [{ at: 1, result: 0 }], commits: [] };
  return { program, words: `${call.op} of ${dtype} and ${wrong}`, isRefused: true };
}

const noWhole = (dtype: string): number[] => [
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  dtype === "u32" ? -1 : 2 ** 31,
];

export function spoil(seed: number, program: Program): Spoilt | undefined {
  const random = randomOf(seed);
  if (random.chance(0.15)) return besideWhole(random);
  const call = random.pick(live(program).filter((i) => !isLeaf(program.statements[i]!)));
  const s = call === undefined ? undefined : program.statements[call]!;
  if (!s || isLeaf(s)) return undefined;
  const all = places(s.args);
  if (all.length === 0) return undefined;
  const path = random.pick(all);
  const before = at(s.args, path);
  const made = evaluate(program, exactly);
  const kind = (r: Ref): Kind => made.get(r.at)![r.result]!;
  const dtype = dtypeIn(s.args, kind);
  const wrong = wrongFor(random, before, { op: s.op, path, dtype });
  if (!wrong) return undefined;
  const args = put(s.args as Arg, path, wrong.to) as readonly Arg[];
  return {
    program: alone({ op: s.op, args }, kind),
    words: `${s.op}: ${path.join(".")} is ${words(wrong.to)}`,
    isRefused: wrong.isRefused,
  };
}

const words = (x: unknown) =>
  typeof x === "number" ? String(x) : (JSON.stringify(x) ?? "undefined");

/** The dtype of the tensors beside a number, as far as numbers take it. */
function dtypeIn(args: readonly Arg[], kind: (r: Ref) => Kind): string {
  const tensors = args.filter(isRef).map(kind);
  const named = args.find((x) => x === "i32" || x === "u32" || x === "bool");
  return (
    (named as string | undefined) ??
    tensors.findLast((t) => t.dtype !== "bool")?.dtype ??
    tensors[0]?.dtype ??
    "f32"
  );
}

interface Where {
  readonly op: string;
  readonly path: Path;
  readonly dtype: string;
}

function wrongFor(
  random: Random,
  before: unknown,
  { op, path, dtype }: Where,
): { to: Arg; isRefused: boolean } | undefined {
  if (isRef(before))
    return { to: random.pick([null, "x", [1, 2, 3], {}, true] as Arg[]), isRefused: true };
  if (typeof before === "string") return { to: random.pick(["evil", "f64", ""]), isRefused: true };
  if (isAnyNumber(op, path)) return undefined;
  const isOperand = takesAnyFloat.has(op) && path.length === 1;
  if (isOperand && dtype === "f32")
    return { to: random.pick([1e39, 2 ** 53, 5e-324, Number.NaN]), isRefused: false };
  if (isOperand && dtype !== "bool") return { to: random.pick(noWhole(dtype)), isRefused: true };
  const to = random.pick([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1.5,
    -1,
    0,
    1e9,
    2 ** 53,
    "3",
    null,
  ] as Arg[]);
  return { to, isRefused: Number.isNaN(to) || typeof to === "string" || to === null };
}

/** The call with sources of its own. */
function alone(call: { op: string; args: readonly Arg[] }, kind: (r: Ref) => Kind): Program {
  const leaves: Leaf[] = [];
  const own = (r: Ref): Ref => {
    const { dtype, shape } = kind(r);
    leaves.push({ source: "input", dtype, shape, fill: "ordinary", seed: leaves.length });
    return { at: leaves.length - 1, result: 0 };
  };
  const args = call.args.map((x) => replaced(x, own) as Arg);
  return {
    statements: [...leaves, { op: call.op, args }],
    outputs: [{ at: leaves.length, result: 0 }],
    commits: [],
  };
}

const tooLong = 10_000;

export async function spoiltFault(
  { program, words: what, isRefused }: Spoilt,
  gpu: Device | undefined,
): Promise<string | undefined> {
  const start = performance.now();
  try {
    const graph = traced(program);
    if (isRefused) return `${what}: was not refused`;
    const plan = compile(graph);
    const size = plan.buffers.reduce((sum, b) => sum + b.bytes, 0);
    if (size > 2 ** 20) return late(what, start);
    await runOn(referenceDevice(), { graph, program, times: 1 }, {});
    if (gpu) await runOn(gpu, { graph, program, times: 1 }, {});
    return late(what, start);
  } catch (error) {
    if (error instanceof InarchError && error.kind !== "internal") return late(what, start);
    const { name, message } = error as Error;
    return `${what}: no coded error, but ${name}: ${message.split("\n")[0]}`;
  }
}

const late = (what: string, start: number) => {
  const took = performance.now() - start;
  return took > tooLong ? `${what}: took ${Math.round(took / 1000)} s` : undefined;
};

export const showSpoilt = ({ program, words: what }: Spoilt): string =>
  `${show(program)} // ${what}`;
