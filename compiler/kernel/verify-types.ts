/** Types of kernel expressions: what each function takes and gives, and what literals can be. */
import { formatOf } from "../../formats/index.ts";
import { type Expr, type Fn, type Scalar, widened } from "./ir.ts";

/** Says what is wrong; never returns. */
export type Fail = (message: string) => never;

const numbers: readonly Scalar[] = ["f32", "u32", "i32"];
const signed: readonly Scalar[] = ["f32", "i32"];
const whole: readonly Scalar[] = ["u32", "i32"];
const all: readonly Scalar[] = ["f32", "u32", "i32", "bool"];

/** The types that a function's arguments can have, all one type, and what comes of it. */
interface Signature {
  readonly count: number;
  readonly of: readonly Scalar[];
  /** The arguments' type unless given. */
  readonly gives?: Scalar;
}

const arithmetic = { count: 2, of: numbers } as const;
const real = { count: 1, of: ["f32"] } as const;
const comparison = { count: 2, of: numbers, gives: "bool" } as const;
const logic = { count: 2, of: ["bool"] } as const;
const pattern = { count: 2, of: ["u32"] } as const;
const number = { count: 1, of: ["u32"], gives: "f32" } as const;

/** `select` has a condition behind these. */
const signatures: Record<Fn, Signature> = {
  ...{ add: arithmetic, sub: arithmetic, mul: arithmetic, div: arithmetic },
  ...{ min: arithmetic, max: arithmetic, fma: { count: 3, of: numbers } },
  ...{ mod: { count: 2, of: whole }, neg: { count: 1, of: signed }, abs: { count: 1, of: signed } },
  ...{ floor: real, exp: real, log: real, sqrt: real, tanh: real },
  ...{ lt: comparison, le: comparison, eq: { count: 2, of: all, gives: "bool" } },
  ...{ and: logic, or: logic, not: { count: 1, of: ["bool"] }, select: { count: 2, of: all } },
  maxnum: { count: 2, of: ["f32"] },
  ...{ addwrap: pattern, mulwrap: pattern, xor: pattern, shl: pattern, shr: pattern },
  bits: { count: 1, of: ["f32"], gives: "u32" },
  ...{ float: number, half: number, opaque: { count: 1, of: numbers } },
};

/** Checks one expression against the types of its parts, which are checked by themselves. */
export function checkType(e: Expr, fail: Fail): void {
  switch (e.kind) {
    case "lit":
      if (!canBe(e.value, e.type)) fail(`${e.value} is no ${e.type}`);
      return;
    case "call":
      checkCall(e, fail);
      return;
    case "broadcast":
    case "shuffle":
    case "reduce":
      if (e.type !== e.arg.type) fail(`a ${e.kind} of ${e.arg.type} is ${e.type}`);
      if (e.type === "bool") fail(`a ${e.kind} of booleans`);
      return;
    case "load":
      if (e.type !== widened(e.from.scalar))
        fail(`a load from ${e.from.name}, which holds ${e.from.scalar}, is ${e.type}`);
      checkIndex(e.index, fail);
      return;
    case "id":
    case "lane":
    case "ref":
    case "cast":
      return;
  }
}

export function checkIndex(index: Expr, fail: Fail): void {
  if (index.type !== "u32") fail(`an index is ${index.type}`);
}

function checkCall(e: Extract<Expr, { kind: "call" }>, fail: Fail): void {
  const { count, of, gives } = signatures[e.fn];
  const types = e.args.map((x) => x.type);
  const condition = e.fn === "select" ? types.splice(2, 1)[0] : "bool";
  const [first] = types;
  if (types.length !== count || condition === undefined)
    fail(`${e.fn} takes ${e.fn === "select" ? 3 : count} arguments, not ${e.args.length}`);
  if (types.some((type) => type !== first) || !of.includes(first!))
    fail(`${e.fn} of ${types.join(" and ")}`);
  if (condition !== "bool") fail(`select by ${condition}`);
  if (e.type !== (gives ?? first)) fail(`${e.fn} of ${first} is ${e.type}`);
}

function canBe(value: number, type: Scalar): boolean {
  switch (type) {
    case "f32":
      return !Number.isFinite(value) || Math.abs(value) <= formatOf(type).largest;
    case "u32":
      return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
    case "i32":
      return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
    case "bool":
      return value === 0 || value === 1;
  }
}
