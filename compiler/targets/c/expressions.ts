/** Expressions: scalars where all threads have the same, or places in a line; vectors where they differ. */
import { bug } from "../../../diagnostics/index.ts";
import type { Expr, Fn, Kernel, Scalar } from "../../kernel/ir.ts";
import { floatLiteral } from "../../kernel/printer.ts";
import { loadScalar, loadVector } from "./accesses.ts";
import { letters, type Text, vectorOf, type Writer } from "./writer.ts";

type Call = Extract<Expr, { kind: "call" }>;
type Id = Extract<Expr, { kind: "id" }>;

/** Operators of scalars and vectors alike. */
const operators: Partial<Record<Fn, Text>> = {
  ...{ add: "+", sub: "-", mul: "*", addwrap: "+", mulwrap: "*", xor: "^", shl: "<<", shr: ">>" },
  ...{ lt: "<", le: "<=", eq: "==" },
};
/** Functions that are spelled with the letter of their argument's type. */
const named: ReadonlySet<Fn> = new Set([
  ...(["min", "max", "abs", "floor", "exp", "log", "sqrt", "tanh"] as const),
]);
/** Of places these are modulo 2^32. */
const wrapping: ReadonlySet<Fn> = new Set(["addwrap", "mulwrap", "xor", "shl", "shr"] as const);

export function literal(value: number, type: Scalar): Text {
  if (type === "u32") return `${value}l`;
  // The least number of C is the opposite of none.
  if (type !== "f32") return value < 0 ? `(${value + 1} - 1)` : `${value}`;
  if (Number.isNaN(value)) return '__builtin_nanf("")';
  if (!Number.isFinite(value)) return `(${value < 0 ? "-" : ""}__builtin_inff())`;
  if (Object.is(value, -0)) return "(-0.0f)";
  return value < 0 ? `(${floatLiteral(value)}f)` : `${floatLiteral(value)}f`;
}

/** What all threads have, or the first of a line. */
export function scalar(w: Writer, e: Expr): Text {
  switch (e.kind) {
    case "lit":
      return literal(e.value, e.type);
    case "ref":
      return w.isVector(e.name) ? first(w.name(e.name), e.type) : w.name(e.name);
    case "id":
      return scalarId(w.kernel, e);
    case "lane":
      return "0l";
    case "broadcast":
      if (w.shapes.isSame(e.arg)) return w.scalar(e.arg);
      return first(w.vector(e.arg), e.type, e.lane);
    case "reduce":
      return reduce(w, e);
    case "shuffle":
      return bug("a shuffle, which this target does not spell");
    case "cast":
      return scalarCast(w.scalar(e.arg), e.arg.type, e.type);
    case "load":
      return loadScalar(w, e);
    case "call":
      return scalarCall(w, e);
  }
}

/** One lane's. */
const first = (vector: Text, type: Scalar, lane = 0): Text => {
  const one = `(${vector})[${lane}]`;
  if (type === "bool") return `(${one} != 0)`;
  return type === "u32" ? `(long)${one}` : one;
};

function scalarCast(arg: Text, from: Scalar, to: Scalar): Text {
  if (from === to) return arg;
  if (to === "bool") return `(${arg} != 0)`;
  if (to === "f32") return `(float)${arg}`;
  if (from === "f32") return `${to === "i32" ? "int" : "unsigned"}_f(${arg})`;
  if (from === "bool") return to === "u32" ? `(long)${arg}` : arg;
  return to === "i32" ? `(int)${arg}` : `(long)(unsigned)${arg}`;
}

function scalarCall(w: Writer, { fn, args, type: result }: Call): Text {
  const { type } = args[0]!;
  const all = args.map((x) => w.scalar(x));
  const [a, b, c] = all as [Text, Text, Text];
  if (type === "u32" && wrapping.has(fn))
    return `(long)(unsigned)((unsigned)${a} ${operators[fn]} (unsigned)${b})`;
  if (operators[fn]) return `(${a} ${operators[fn]} ${b})`;
  if (named.has(fn)) return `${fn}_${letters[type]}(${all.join(", ")})`;
  switch (fn) {
    case "div":
      return type === "f32" ? `(${a} / ${b})` : scalarQuotient("div", all, args[1]!);
    case "mod":
      return scalarQuotient("mod", all, args[1]!);
    case "fma":
      return `(${a} * ${b} + ${c})`;
    case "neg":
      return `(-${a})`;
    case "maxnum":
      return `max_f(${a}, ${b})`;
    case "and":
      return `(${a} && ${b})`;
    case "or":
      return `(${a} || ${b})`;
    case "not":
      return `(!${a})`;
    case "select":
      return `(${c} ? ${a} : ${b})`;
    case "bits":
      return `bits_f(${a})`;
    case "float":
      return `float_u(${a})`;
    case "half":
      return `half_u(${a})`;
    case "opaque":
      return a;
    default:
      return bug(`${fn} of ${result} in C`);
  }
}

function scalarQuotient(fn: "div" | "mod", [a, b]: readonly Text[], by: Expr): Text {
  if (by.kind === "lit" && by.value > 0) return `(${a} ${fn === "div" ? "/" : "%"} ${b})`;
  return `${fn}_${letters[by.type]}(${a}, ${b})`;
}

/** What each thread has. */
export function vector(w: Writer, e: Expr): Text {
  const shape = w.shapes.of(e);
  if (e.kind === "ref" && w.isVector(e.name)) return w.name(e.name);
  if (shape.kind === "linear") return spread(w, e, shape.by);
  switch (e.kind) {
    case "load":
      return loadVector(w, e);
    case "cast":
      return vectorCast(w.vector(e.arg), e.arg.type, e.type);
    case "call":
      return vectorCall(w, e);
    case "id":
      return vectorId(w.kernel, e);
    default:
      return bug(`${e.kind} differs from thread to thread`);
  }
}

/** A scalar in every thread, or places in a line. */
function spread(w: Writer, e: Expr, by: number): Text {
  const one = w.scalar(e);
  if (e.type === "bool") return `all_vi(-${one})`;
  const all = `all_${vectorOf(e.type)}(${one})`;
  if (by === 0) return all;
  return by === 1 ? `(${all} + steps)` : `(${all} + steps * ${by >>> 0}u)`;
}

function vectorCast(arg: Text, from: Scalar, to: Scalar): Text {
  if (from === to) return arg;
  if (to === "bool") return `(${arg} != 0)`;
  if (from === "bool")
    return to === "f32" ? `number_vi(${arg} & 1)` : `(${vectorOf(to)})(${arg} & 1)`;
  if (to === "f32") return `number_${vectorOf(from)}(${arg})`;
  if (from === "f32") return `${to === "i32" ? "int" : "unsigned"}_vf(${arg})`;
  return `(${vectorOf(to)})${arg}`;
}

function vectorCall(w: Writer, { fn, args }: Call): Text {
  const { type } = args[0]!;
  if (fn === "select" && w.shapes.isSame(args[2]!)) {
    const [yes, no] = [w.vector(args[0]!), w.vector(args[1]!)];
    return `(${w.scalar(args[2]!)} ? ${yes} : ${no})`;
  }
  const all = args.map((x) => w.vector(x));
  const [a, b, c] = all as [Text, Text, Text];
  if (type === "f32" && (fn === "min" || fn === "max")) {
    // A NaN in what is compared with a number stays.
    const first = `${fn}_first_vf`;
    if (isNumber(args[1]!)) return `${first}(${b}, ${a})`;
    if (isNumber(args[0]!)) return `${first}(${a}, ${b})`;
  }
  if (operators[fn]) return `(${a} ${operators[fn]} ${b})`;
  if (named.has(fn)) return `${fn}_${vectorOf(type)}(${all.join(", ")})`;
  switch (fn) {
    case "div":
      return type === "f32" ? `(${a} / ${b})` : vectorQuotient("div", all, args[1]!);
    case "mod":
      return vectorQuotient("mod", all, args[1]!);
    case "fma":
      return `(${a} * ${b} + ${c})`;
    case "neg":
      return `(-${a})`;
    case "maxnum":
      return `max_first_vf(${a}, ${b})`;
    case "and":
      return `(${a} & ${b})`;
    case "or":
      return `(${a} | ${b})`;
    case "not":
      return `(~${a})`;
    case "select":
      return `pick_${vectorOf(type)}(${c}, ${a}, ${b})`;
    case "bits":
      return `(vu)${a}`;
    case "float":
      return `(vf)${a}`;
    case "half":
      return `half_vu(${a})`;
    case "opaque":
      return a;
    default:
      return bug(`${fn} of ${type} in C`);
  }
}

const isNumber = (e: Expr): boolean => e.kind === "lit" && !Number.isNaN(e.value);

function vectorQuotient(fn: "div" | "mod", [a, b]: readonly Text[], by: Expr): Text {
  if (by.kind === "lit" && by.value > 0)
    return `(${a} ${fn === "div" ? "/" : "%"} ${by.value}${by.type === "u32" ? "u" : ""})`;
  return `${fn}_${vectorOf(by.type)}(${a}, ${b})`;
}

const axes = "xyz";

function scalarId({ threads }: Kernel, { of, axis }: Id): Text {
  const count = threads.reduce((a, b) => a * b);
  switch (of) {
    case "group":
      return `group_${axes[axis]}`;
    case "thread": {
      const { before, extent, isLast } = axisOf(threads, axis);
      const own = before > 1 ? `(thread / ${before}l)` : "thread";
      return isLast ? own : `(${own} % ${extent}l)`;
    }
    case "subgroup":
      return "vector";
    case "subgroups":
      return `((${count}l + LANES - 1) / LANES)`;
    case "member":
      return "0l";
    case "members":
      return `min_u(LANES, ${count}l - thread)`;
  }
}

/** The numbers of threads along an axis, where they are in no line. */
function vectorId({ threads }: Kernel, { axis }: Id): Text {
  const { before, extent, isLast } = axisOf(threads, axis);
  const all = "(all_vu(thread) + steps)";
  const own = before > 1 ? `(${all} / ${before}u)` : all;
  return isLast ? own : `(${own} % ${extent}u)`;
}

/** The threads of the axes before one, and its own; whether it is the last that has any. */
function axisOf(threads: Kernel["threads"], axis: 0 | 1 | 2) {
  const before = threads.slice(0, axis).reduce((a, b) => a * b, 1);
  const extent = threads[axis]!;
  return { before, extent, isLast: before * extent === threads.reduce((a, b) => a * b) };
}

/** What all threads have together. What threads that are not at work have changes nothing. */
function reduce(w: Writer, { fold, arg, type }: Extract<Expr, { kind: "reduce" }>): Text {
  const all = w.vector(arg);
  const vector = vectorOf(type);
  const name = `${{ add: "add", max: "high", min: "low" }[fold]}_${vector}`;
  const one = (of: Text) => (type === "u32" ? `(long)${name}(${of})` : `${name}(${of})`);
  if (w.mask === undefined) return one(all);
  if (fold === "add") return one(`(${vector})((vi)${all} & ${w.mask})`);
  // The first thread is always at work.
  return one(`or_first_${vector}(${w.mask}, ${all})`);
}
