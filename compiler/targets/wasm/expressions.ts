/** Expressions: scalars where all threads have the same, or places in a line; vectors where they differ. */
import { bug } from "../../../diagnostics/index.ts";
import { castRange } from "../../kernel/cast.ts";
import type { Expr, Fn, Scalar } from "../../kernel/ir.ts";
import { loadScalar, loadVector } from "./accesses.ts";
import { divide, divideBy, exp, log, tanh } from "./functions.ts";
import { widenHalves } from "./halves.ts";
import { typeOf, type Writer } from "./writer.ts";

type Call = Extract<Expr, { kind: "call" }>;

/** What a writer does for names, ids and reductions: they depend on the kernel's threads. */
export interface Threads {
  /** A name's value: as a vector whatever it is, or as a scalar. */
  name(name: string, as: "scalar" | "vector"): void;
  /** A scalar that all threads have, or that of the first one in a line. */
  id(e: Extract<Expr, { kind: "id" | "lane" }>): void;
  /** Of threads that are in no line. */
  idVector(e: Extract<Expr, { kind: "id" }>): void;
  /** Puts into the lanes of threads that are not at work what does not change a reduction. */
  settle(e: Extract<Expr, { kind: "reduce" }>): void;
}

const plainScalar: Partial<Record<Fn, Partial<Record<Scalar, string>>>> = {
  ...{ add: both("add"), sub: both("sub"), mul: both("mul"), addwrap: whole("add") },
  ...{ mulwrap: whole("mul"), xor: whole("xor"), shl: whole("shl"), shr: whole("shr_u") },
  ...{ div: { f32: "f32.div" }, min: { f32: "f32.min" }, max: { f32: "f32.max" } },
  ...{ maxnum: { f32: "f32.max" }, neg: { f32: "f32.neg" }, abs: { f32: "f32.abs" } },
  ...{ floor: { f32: "f32.floor" }, sqrt: { f32: "f32.sqrt" } },
  ...{ lt: ordered("lt"), le: ordered("le"), eq: { ...both("eq"), bool: "i32.eq" } },
  ...{ and: { bool: "i32.and" }, or: { bool: "i32.or" }, not: { bool: "i32.eqz" } },
  bits: { f32: "i32.reinterpret_f32" },
  float: { u32: "f32.reinterpret_i32" },
};

const plainVector: Partial<Record<Fn, Partial<Record<Scalar, string>>>> = {
  ...{ add: fours("add"), sub: fours("sub"), mul: fours("mul"), addwrap: { u32: "i32x4.add" } },
  ...{ mulwrap: { u32: "i32x4.mul" }, xor: { u32: "v128.xor" }, div: { f32: "f32x4.div" } },
  min: { f32: "f32x4.min", i32: "i32x4.min_s", u32: "i32x4.min_u" },
  max: { f32: "f32x4.max", i32: "i32x4.max_s", u32: "i32x4.max_u" },
  ...{ maxnum: { f32: "f32x4.pmax" }, neg: { f32: "f32x4.neg", i32: "i32x4.neg" } },
  ...{ abs: { f32: "f32x4.abs", i32: "i32x4.abs" }, floor: { f32: "f32x4.floor" } },
  sqrt: { f32: "f32x4.sqrt" },
  lt: { f32: "f32x4.lt", i32: "i32x4.lt_s", u32: "i32x4.lt_u" },
  le: { f32: "f32x4.le", i32: "i32x4.le_s", u32: "i32x4.le_u" },
  eq: { f32: "f32x4.eq", i32: "i32x4.eq", u32: "i32x4.eq", bool: "i32x4.eq" },
  ...{ and: { bool: "v128.and" }, or: { bool: "v128.or" }, not: { bool: "v128.not" } },
};

function both(name: string) {
  return { f32: `f32.${name}`, i32: `i32.${name}`, u32: `i32.${name}` } as const;
}

function whole(name: string) {
  return { u32: `i32.${name}` };
}

function ordered(name: string) {
  return { f32: `f32.${name}`, i32: `i32.${name}_s`, u32: `i32.${name}_u` };
}

function fours(name: string) {
  return { f32: `f32x4.${name}`, i32: `i32x4.${name}`, u32: `i32x4.${name}` };
}

const ofFours: Partial<Record<Fn, typeof exp>> = { exp, log, tanh, half: widenHalves };

/** What all threads have, or the first of a line. */
export function scalar(w: Writer, threads: Threads, e: Expr): void {
  const { code } = w;
  switch (e.kind) {
    case "lit":
      code.op(`${typeOf(e.type)}.const`, e.value);
      return;
    case "ref":
      threads.name(e.name, "scalar");
      return;
    case "id":
    case "lane":
      threads.id(e);
      return;
    case "broadcast":
      w.vector(e.arg);
      code.op(`${typeOf(e.type)}x4.extract_lane`, e.lane);
      return;
    case "reduce":
      reduce(w, threads, e);
      code.op(`${typeOf(e.type)}x4.extract_lane`, 0);
      return;
    case "cast":
      scalarCast(w, e);
      return;
    case "load":
      loadScalar(w, e.from, e.index);
      return;
    case "call":
      scalarCall(w, e);
      return;
  }
}

function scalarCast(w: Writer, e: Extract<Expr, { kind: "cast" }>): void {
  const { code } = w;
  const [from, to] = [e.arg.type, e.type];
  w.scalar(e.arg);
  if (to === "bool") {
    code.op(`${typeOf(from)}.const`, 0);
    code.op(`${typeOf(from)}.ne`);
  } else if (to === "f32") {
    if (from !== "f32") code.op(`f32.convert_i32_${from === "i32" ? "s" : "u"}`);
  } else if (from === "f32") {
    // A NaN stays, and becomes 0.
    code.op("f32.const", castRange[to][1]);
    code.op("f32.min");
    code.op(`i32.trunc_sat_f32_${to === "i32" ? "s" : "u"}`);
  }
}

function scalarCall(w: Writer, e: Call): void {
  const { code } = w;
  const { fn, args } = e;
  const type = args[0]!.type;
  const name = plainScalar[fn]?.[type];
  const four = ofFours[fn];
  if (name !== undefined) {
    for (const x of args) w.scalar(x);
    code.op(name);
  } else if (four) {
    w.scalar(args[0]!);
    code.op(`${typeOf(type)}x4.splat`);
    four(code);
    code.op("f32x4.extract_lane", 0);
  } else if (fn === "fma") {
    w.scalar(args[0]!);
    w.scalar(args[1]!);
    code.op(`${typeOf(type)}.mul`);
    w.scalar(args[2]!);
    code.op(`${typeOf(type)}.add`);
  } else if (fn === "select") {
    for (const x of args) w.scalar(x);
    code.op("select");
  } else if (fn === "opaque") w.scalar(args[0]!);
  else wholeCall(w, e);
}

/** Of whole numbers, what WebAssembly has no instruction for or traps at. */
function wholeCall(w: Writer, { fn, args }: Call): void {
  const { code } = w;
  const type = args[0]!.type;
  const sign = type === "i32" ? "s" : "u";
  w.scalar(args[0]!);
  if (fn === "neg" || fn === "abs") {
    code.op("i32x4.splat");
    code.op(`i32x4.${fn}`);
    code.op("i32x4.extract_lane", 0);
    return;
  }
  w.scalar(args[1]!);
  if (fn === "div" || fn === "mod") {
    quotient(w, fn, args[1]!, sign);
    return;
  }
  if (fn !== "min" && fn !== "max") bug(`${fn} of ${type} in WebAssembly`);
  code.held("i32", (b) =>
    code.held("i32", (a) => {
      const [first, second] = fn === "min" ? [a, b] : [b, a];
      for (const local of [first, second, a, b]) code.get(local);
      code.op(`i32.lt_${sign}`);
      code.op("select");
    }),
  );
}

/** A number divided by 0 stays, and leaves nothing. The least by -1 is itself. */
function quotient({ code }: Writer, fn: "div" | "mod", by: Expr, sign: "s" | "u"): void {
  const operation = `i32.${fn === "div" ? "div" : "rem"}_${sign}`;
  if (by.kind === "lit" && by.value !== 0 && by.value !== -1) {
    code.op(operation);
    return;
  }
  code.held("i32", (b) =>
    code.held("i32", (a) => {
      const divisor = () => {
        code.get(b);
        code.get(b);
        code.op("i32.eqz");
        code.op("i32.add");
      };
      const isLast = () => {
        code.get(b);
        code.i32(-1);
        code.op("i32.eq");
      };
      if (fn === "mod" || sign === "u") {
        code.get(a);
        divisor();
        code.op(operation);
        return;
      }
      code.i32(0);
      code.get(a);
      code.op("i32.sub");
      code.get(a);
      code.i32(1);
      divisor();
      isLast();
      code.op("select");
      code.op(operation);
      isLast();
      code.op("select");
    }),
  );
}

/** What each thread has. */
export function vector(w: Writer, threads: Threads, e: Expr): void {
  const { code, shapes } = w;
  const shape = shapes.of(e);
  if (e.kind === "ref") threads.name(e.name, "vector");
  else if (e.kind === "load" && (shape.kind === "vector" || e.type !== "bool"))
    loadVector(w, e.from, e.index);
  else if (e.kind === "broadcast") {
    w.vector(e.arg);
    code.held("v128", (all) => {
      code.get(all);
      code.get(all);
      code.shuffle(e.lane, e.lane, e.lane, e.lane);
    });
  } else if (e.kind === "reduce") reduce(w, threads, e);
  else if (shape.kind === "linear") spread(w, e, shape.by);
  else if (e.kind === "cast") vectorCast(w, e);
  else if (e.kind === "call") vectorCall(w, e);
  else if (e.kind === "id") threads.idVector(e);
  else bug(`${e.kind} differs from thread to thread`);
}

/** A scalar in every thread, or places in a line. */
function spread(w: Writer, e: Expr, by: number): void {
  const { code } = w;
  if (e.kind === "lit") {
    if (e.type === "f32") code.floats(e.value);
    else code.patterns(e.type === "bool" ? -e.value : e.value);
    return;
  }
  if (e.type === "bool") code.i32(0);
  w.scalar(e);
  if (e.type === "bool") code.op("i32.sub");
  code.op(`${typeOf(e.type)}x4.splat`);
  if (by === 0) return;
  code.steps(by);
  code.op("i32x4.add");
}

function vectorCast(w: Writer, e: Extract<Expr, { kind: "cast" }>): void {
  const { code } = w;
  const [from, to] = [e.arg.type, e.type];
  w.vector(e.arg);
  if (to === "bool") {
    if (from === "bool") return;
    code.patterns(0);
    code.op(`${typeOf(from)}x4.ne`);
  } else if (from === "bool") {
    if (to === "f32") code.floats(1);
    else code.patterns(1);
    code.op("v128.and");
  } else if (to === "f32") {
    if (from !== "f32") code.op(`f32x4.convert_i32x4_${from === "i32" ? "s" : "u"}`);
  } else if (from === "f32") {
    code.floats(castRange[to][1]);
    code.op("f32x4.min");
    code.op(`i32x4.trunc_sat_f32x4_${to === "i32" ? "s" : "u"}`);
  }
}

function vectorCall(w: Writer, e: Call): void {
  const { code, shapes } = w;
  const { fn, args } = e;
  const type = args[0]!.type;
  if (type === "f32" && (fn === "min" || fn === "max") && args.some(isNumber)) {
    // A NaN in the first one stays.
    for (const x of isNumber(args[0]!) ? [...args].reverse() : args) w.vector(x);
    code.op(`f32x4.p${fn}`);
    return;
  }
  const name = plainVector[fn]?.[type];
  const four = ofFours[fn];
  if (name !== undefined) {
    for (const x of args) w.vector(x);
    code.op(name);
  } else if (four) {
    w.vector(args[0]!);
    four(code);
  } else if (fn === "fma" && code.fma && type === "f32") {
    for (const x of args) w.vector(x);
    code.op("f32x4.relaxed_madd");
  } else if (fn === "fma") {
    w.vector(args[0]!);
    w.vector(args[1]!);
    code.op(`${typeOf(type)}x4.mul`);
    w.vector(args[2]!);
    code.op(`${typeOf(type)}x4.add`);
  } else if (fn === "select") {
    const isSame = shapes.isSame(args[2]!);
    w.vector(args[0]!);
    w.vector(args[1]!);
    if (isSame) w.scalar(args[2]!);
    else w.vector(args[2]!);
    code.op(isSame ? "select" : "v128.bitselect");
  } else if (fn === "div" || fn === "mod") vectorQuotient(w, e);
  else if (fn === "shl" || fn === "shr") shift(w, e);
  // `bits`, `float` and `opaque`: the same pattern.
  else w.vector(args[0]!);
}

const isNumber = (e: Expr): boolean => e.kind === "lit" && !Number.isNaN(e.value);

function vectorQuotient(w: Writer, { fn, args }: Call): void {
  const { code } = w;
  const [a, b] = args as [Expr, Expr];
  const type = a.type as "i32" | "u32";
  const by = type === "u32" && b.kind === "lit" ? b.value : 0;
  w.vector(a);
  if (by > 0 && Math.log2(by) % 1 === 0) {
    if (fn === "div") code.i32(Math.log2(by));
    else code.patterns(by - 1);
    code.op(fn === "div" ? "i32x4.shr_u" : "v128.and");
    return;
  }
  const divided = () => {
    if (by > 0) return divideBy(code, by);
    w.vector(b);
    divide(code, type);
  };
  if (fn === "div") {
    divided();
    return;
  }
  code.held("v128", (all) => {
    code.get(all);
    code.get(all);
    divided();
    w.vector(b);
    code.op("i32x4.mul");
    code.op("i32x4.sub");
    // Nothing is left of what is divided by 0.
    if (by > 0) return;
    w.vector(b);
    code.patterns(0);
    code.op("i32x4.ne");
    code.op("v128.and");
  });
}

/** By one number in all threads, or lane by lane. */
function shift(w: Writer, { fn, args }: Call): void {
  const { code, shapes } = w;
  const [of, by] = args as [Expr, Expr];
  const name = fn === "shl" ? "shl" : "shr_u";
  w.vector(of);
  if (shapes.isSame(by)) {
    w.scalar(by);
    code.op(`i32x4.${name}`);
    return;
  }
  code.held("v128", (all) => {
    w.vector(by);
    code.held("v128", (places) => {
      code.get(all);
      for (let lane = 0; lane < 4; lane++) {
        code.get(all);
        code.op("i32x4.extract_lane", lane);
        code.get(places);
        code.op("i32x4.extract_lane", lane);
        code.op(`i32.${name}`);
        code.op("i32x4.replace_lane", lane);
      }
    });
  });
}

/** What all threads have together, in all of them. */
function reduce(w: Writer, threads: Threads, e: Extract<Expr, { kind: "reduce" }>): void {
  const { code } = w;
  w.vector(e.arg);
  threads.settle(e);
  const name = plainVector[e.fold]![e.type]!;
  for (const order of [
    [2, 3, 0, 1],
    [1, 0, 3, 2],
  ])
    code.held("v128", (all) => {
      for (const _ of [0, 1, 2]) code.get(all);
      code.shuffle(...order);
      code.op(name);
    });
}
