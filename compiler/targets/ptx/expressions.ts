/** Expressions: each becomes instructions, and the operand that has its value. */
import { bug } from "../../../diagnostics/index.ts";
import type { Expr, Fn, Fold, Scalar } from "../../kernel/ir.ts";
import { exp, log, quotient, quotientByKnown, single, tanh, whole } from "./functions.ts";
import { load, loaded } from "./memory.ts";
import { bits, inRegister, laneOf, type Operand, special, type Writer } from "./writer.ts";

type Call = Extract<Expr, { kind: "call" }>;
type Id = Extract<Expr, { kind: "id" }>;

/** The type of an instruction that is asked for numbers of a scalar. */
const numbers = { f32: "f32", u32: "u32", i32: "s32", bool: "pred" } as const;

export function operand(w: Writer, e: Expr): Operand {
  switch (e.kind) {
    case "lit":
      return literal(w, e.value, e.type);
    case "ref":
      return w.named(e.name);
    case "id":
      return id(w, e);
    case "lane":
      return laneOf(w);
    case "broadcast":
      return exchanged(w, e.arg, (x) =>
        w.make("u32", "shfl.sync.idx.b32", x, `${e.lane}`, "31", "0xffffffff"),
      );
    case "shuffle":
      return exchanged(w, e.arg, (x) =>
        w.make("u32", "shfl.sync.bfly.b32", x, `${e.mask}`, "31", "0xffffffff"),
      );
    case "reduce":
      return reduce(w, e.fold, e.type, operand(w, e.arg));
    case "cast":
      return cast(w, operand(w, e.arg), e.arg.type, e.type);
    case "load":
      return load(w, e.from, e.index, operand);
    case "call":
      return call(w, e);
  }
}

function literal(w: Writer, value: number, type: Scalar): Operand {
  if (type === "f32") return single(value);
  if (type !== "bool") return `${value}`;
  return w.once(value ? "true" : "false", () =>
    w.make("bool", "setp.eq.u32", value ? "0" : "1", "0"),
  );
}

const tidOf = (w: Writer, axis: 0 | 1 | 2) => special(w, `%tid.${"xyz"[axis]}`);

/** A block's threads make warps in their order; the last one may have fewer than 32. */
function id(w: Writer, { of, axis }: Id): Operand {
  const [threads] = w.kernel.threads;
  switch (of) {
    case "group":
      return special(w, `%ctaid.${"xyz"[axis]}`);
    case "thread":
      return tidOf(w, axis);
    case "subgroup":
      return w.once(of, () => w.make("u32", "shr.u32", tidOf(w, 0), "5"));
    case "subgroups":
      return `${Math.ceil(threads / 32)}`;
    case "member":
      return laneOf(w);
    case "members": {
      if (threads % 32 === 0) return "32";
      return w.once(of, () => {
        const first = w.make("u32", "and.b32", tidOf(w, 0), "-32");
        return w.make("u32", "min.u32", w.make("u32", "sub.u32", `${threads}`, first), "32");
      });
    }
  }
}

/** Registers of 32 bits pass; a condition does as 0 or 1. */
function exchanged(w: Writer, arg: Expr, exchange: (x: Operand) => Operand): Operand {
  const x = operand(w, arg);
  if (arg.type === "bool")
    return w.make("bool", "setp.ne.u32", exchange(w.make("u32", "selp.b32", "1", "0", x)), "0");
  return ofType(w, arg.type, exchange(asBits(w, arg.type, x)));
}

/** A number as a register that passes between threads, and back. */
const asBits = (w: Writer, type: Scalar, x: Operand): Operand =>
  type === "f32" ? w.make("u32", "mov.b32", x) : inRegister(w, type, x);
const ofType = (w: Writer, type: Scalar, x: Operand): Operand =>
  type === "f32" ? w.make("f32", "mov.b32", x) : x;

const foldings: Readonly<Record<Fold, string>> = { add: "add", max: "max", min: "min" };

/** Of two, whatever they are. */
function folded(w: Writer, fold: Fold, type: Scalar, x: Operand, y: Operand): Operand {
  const kept = type === "f32" && fold !== "add" ? ".NaN" : "";
  return w.make(type, `${foldings[fold]}${kept}.${numbers[type]}`, x, y);
}

function reduce(w: Writer, fold: Fold, type: Scalar, arg: Operand): Operand {
  const [threads] = w.kernel.threads;
  const passed = (x: Operand, how: "bfly" | "down" | "idx", by: number, all: Operand) => {
    const bits = asBits(w, type, x);
    return ofType(w, type, w.make("u32", `shfl.sync.${how}.b32`, bits, `${by}`, "31", all));
  };
  const distances = [16, 8, 4, 2, 1];
  // Both of a pair add the same two numbers, so all have the same sum.
  if (threads % 32 === 0)
    return distances.reduce(
      (x, apart) => folded(w, fold, type, x, passed(x, "bfly", apart, "0xffffffff")),
      arg,
    );
  // Member 0 gets what all have, from half as many each time, and passes it on.
  const members = id(w, { kind: "id", type: "u32", of: "members", axis: 0 });
  const all = w.once("all members", () =>
    w.make("u32", "shr.u32", "-1", w.make("u32", "sub.u32", "32", members)),
  );
  const isThere = (apart: number) =>
    w.once(`${apart} apart`, () =>
      w.make("bool", "setp.lt.u32", w.make("u32", "add.u32", laneOf(w), `${apart}`), members),
    );
  const first = distances.reduce((x, apart) => {
    const both = folded(w, fold, type, x, passed(x, "down", apart, all));
    return w.make(type, `selp.${bits[type]}`, both, x, isThere(apart));
  }, arg);
  return passed(first, "idx", 0, all);
}

function cast(w: Writer, x: Operand, from: Scalar, to: Scalar): Operand {
  if (from === to) return x;
  if (to === "bool")
    return from === "f32"
      ? w.make("bool", "setp.neu.f32", x, single(0))
      : w.make("bool", "setp.ne.u32", x, "0");
  if (from === "bool")
    return to === "f32"
      ? w.make("f32", "selp.f32", single(1), single(0), x)
      : w.make(to, "selp.b32", "1", "0", x);
  if (to === "f32") return w.make("f32", `cvt.rn.f32.${numbers[from]}`, inRegister(w, from, x));
  return from === "f32" ? whole(w, to, x) : x;
}

/** Of each type that has them. Rounding to nearest is not asked for where a product and a sum may be one instruction. */
const instructions: Partial<Record<Fn, (type: "f32" | "u32" | "s32") => string>> = {
  add: (type) => `add.${type}`,
  sub: (type) => `sub.${type}`,
  mul: (type) => (type === "f32" ? "mul.f32" : `mul.lo.${type}`),
  min: (type) => (type === "f32" ? "min.NaN.f32" : `min.${type}`),
  max: (type) => (type === "f32" ? "max.NaN.f32" : `max.${type}`),
  fma: (type) => (type === "f32" ? "fma.rn.f32" : `mad.lo.${type}`),
  neg: (type) => (type === "f32" ? "neg.f32" : "neg.s32"),
  abs: (type) => (type === "f32" ? "abs.f32" : "abs.s32"),
  floor: () => "cvt.rmi.f32.f32",
  sqrt: () => "sqrt.rn.f32",
  maxnum: () => "max.f32",
  addwrap: () => "add.u32",
  mulwrap: () => "mul.lo.u32",
  xor: () => "xor.b32",
  shl: () => "shl.b32",
  shr: (type) => `shr.${type}`,
};

function call(w: Writer, e: Call): Operand {
  const { fn, args, type: result } = e;
  const { type } = args[0]!;
  const found = args.map((x) => operand(w, x));
  // Of one operand alone a register is asked.
  const all = found.length === 1 ? [inRegister(w, type, found[0]!)] : found;
  const [a, b, c] = all as [Operand, Operand, Operand];
  const number = numbers[type];
  const instruction = type === "bool" ? undefined : instructions[fn]?.(numbers[type]);
  if (instruction) return w.make(result, instruction, ...all);
  switch (fn) {
    case "div":
      if (type === "f32") return w.make("f32", "div.rn.f32", a, b);
      return wholeQuotient(w, "div", type, [a, b], args[1]!);
    case "mod":
      return wholeQuotient(w, "rem", type, [a, b], args[1]!);
    case "exp":
      return exp(w, a);
    case "log":
      return log(w, a);
    case "tanh":
      return tanh(w, a);
    case "lt":
    case "le":
      return w.make("bool", `setp.${fn}.${number}`, a, b);
    case "eq":
      if (type !== "bool") return w.make("bool", `setp.eq.${number}`, a, b);
      return w.make("bool", "not.pred", w.make("bool", "xor.pred", a, b));
    case "and":
    case "or":
      return w.make("bool", `${fn}.pred`, a, b);
    case "not":
      return w.make("bool", "not.pred", a);
    case "select": {
      if (type !== "bool") return w.make(result, `selp.${bits[type]}`, a, b, c);
      const yes = w.make("bool", "and.pred", a, c);
      const no = w.make("bool", "and.pred", b, w.make("bool", "not.pred", c));
      return w.make("bool", "or.pred", yes, no);
    }
    case "bits":
    case "float":
      return w.make(result, "mov.b32", a);
    case "half":
      return loaded(w, "f16", w.make("half bits", "cvt.u16.u32", a));
    case "opaque":
      return a;
    default:
      return bug(`${fn} of ${type} in PTX`);
  }
}

function wholeQuotient(
  w: Writer,
  fn: "div" | "rem",
  type: Scalar,
  [a, b]: readonly [Operand, Operand],
  by: Expr,
): Operand {
  const isKnown = by.kind === "lit" && by.value > 0;
  if (type === "u32" && isKnown) return quotientByKnown(w, fn, inRegister(w, type, a), by.value);
  return quotient(w, fn, type === "i32" ? "s32" : "u32", [a, b], isKnown ? "positive" : "any");
}
