/** Walks a kernel once. A target supplies the spelling; the walk is shared. */
import { bug } from "../../diagnostics/index.ts";
import { formatOf } from "../../formats/index.ts";
import type { Buffer, Expr, Fn, Fold, Id, Kernel, Scalar, Stmt, WholeFragmentStmt } from "./ir.ts";

export interface Dialect {
  /** `type` is the operands' type, for targets whose division is not typed. */
  call(fn: Fn, args: readonly string[], type: Scalar): string;
  readonly reserved: ReadonlySet<string>;
  literal(value: number, type: Scalar): string;
  id(of: Id, axis: 0 | 1 | 2): string;
  readonly lane: string;
  broadcast(arg: string, lane: number): string;
  /** Of targets that are given such kernels (`Target.shuffles`). */
  shuffle(arg: string, mask: number): string;
  /** `type` is that of what is reduced. */
  reduce(fold: Fold, arg: string, type: Scalar): string;
  cast(arg: string, from: Scalar, to: Scalar): string;
  declare(mutable: boolean, name: string, type: Scalar, value: string): string;
  /** What a variable of the type is set to; the value as it is, unless given. */
  assigned?(type: Scalar, value: string): string;
  loop(name: string, count: number, rolled: boolean): string;
  load(from: Buffer, name: string, index: string): string;
  load4(from: Buffer, name: string, index: string, names: readonly string[]): readonly string[];
  /** `of` is the value before it was spelled. */
  store(to: Buffer, name: string, index: string, value: string, of: Expr): string;
  /** `index` is spelled; empty where there is none. */
  fragment(stmt: WholeFragmentStmt, name: (n: string) => string, index: string): string;
  store4(
    to: Buffer,
    name: string,
    index: string,
    values: readonly string[],
    of: readonly Expr[],
  ): readonly string[];
  readonly barrier: string;
  /** Of targets that are given kernels with numbered fragments (`MatrixSubgroups.numbered`). */
  readonly numbered?: Numbered;
  kernel(kernel: Kernel, name: (n: string) => string, body: string): string;
}

/** How elements of fragments and copies are spelled. */
export interface Numbered {
  elements(from: string, names: readonly string[]): readonly string[];
  copy(to: string, index: string, from: string, at: string, when: string): string;
  readonly group: string;
  wait(left: number): string;
}

/** Operators shared by every C-family target. */
export const infix: Record<Fn, (...a: string[]) => string> = {
  add: (a, b) => `(${a} + ${b})`,
  sub: (a, b) => `(${a} - ${b})`,
  mul: (a, b) => `(${a} * ${b})`,
  div: (a, b) => `(${a} / ${b})`,
  mod: (a, b) => `(${a} % ${b})`,
  fma: (a, b, c) => `fma(${a}, ${b}, ${c})`,
  neg: (a) => `(-${a})`,
  min: (a, b) => `min(${a}, ${b})`,
  max: (a, b) => `max(${a}, ${b})`,
  abs: (a) => `abs(${a})`,
  floor: (a) => `floor(${a})`,
  exp: (a) => `exp(${a})`,
  log: (a) => `log(${a})`,
  sqrt: (a) => `sqrt(${a})`,
  tanh: (a) => `tanh(${a})`,
  lt: (a, b) => `(${a} < ${b})`,
  le: (a, b) => `(${a} <= ${b})`,
  eq: (a, b) => `(${a} == ${b})`,
  and: (a, b) => `(${a} && ${b})`,
  or: (a, b) => `(${a} || ${b})`,
  not: (a) => `(!${a})`,
  select: (yes, no, cond) => `(${cond} ? ${yes} : ${no})`,
  maxnum: (a, b) => `max(${a}, ${b})`,
  addwrap: (a, b) => `(${a} + ${b})`,
  mulwrap: (a, b) => `(${a} * ${b})`,
  xor: (a, b) => `(${a} ^ ${b})`,
  shl: (a, by) => `(${a} << ${by})`,
  shr: (a, by) => `(${a} >> ${by})`,
  bits: (a) => `bits(${a})`,
  float: (a) => `float(${a})`,
  half: (a) => `half(${a})`,
  opaque: (a) => a,
};

/**
 * How a kernel's names are spelled: as the kernel has them, or numbered in the order of their first
 * use, so that kernels that differ in nothing but names have one text.
 */
export type Names = "own" | "numbered";

export function print(kernel: Kernel, d: Dialect, names: Names = "own"): string {
  const name = spelling(d.reserved, names);
  const body = walk(d, name)(kernel.body, "  ");
  return d.kernel(names === "own" ? kernel : { ...kernel, name: "kernel" }, name, body);
}

/** One statement by itself, with what is inside it. */
export const printStatement = (stmt: Stmt, d: Dialect): string =>
  walk(d, spelling(d.reserved, "own"))([stmt], "");

function walk(d: Dialect, name: (n: string) => string) {
  const expr = (e: Expr): string => {
    switch (e.kind) {
      case "lit":
        return d.literal(e.value, e.type);
      case "ref":
        return name(e.name);
      case "id":
        return d.id(e.of, e.axis);
      case "lane":
        return d.lane;
      case "broadcast":
        return d.broadcast(bare(expr(e.arg)), e.lane);
      case "shuffle":
        return d.shuffle(bare(expr(e.arg)), e.mask);
      case "reduce":
        return d.reduce(e.fold, bare(expr(e.arg)), e.type);
      case "cast":
        return d.cast(bare(expr(e.arg)), e.arg.type, e.type);
      case "load":
        return d.load(e.from, name(e.from.name), bare(expr(e.index)));
      case "call":
        return d.call(e.fn, e.args.map(expr), e.args[0]!.type);
    }
  };
  const { assigned = (_type: Scalar, value: string) => value } = d;
  const ofNumbered = () => d.numbered ?? bug("fragments with numbered elements for this target");
  const block = (body: readonly Stmt[], pad: string): string =>
    body.map((s) => stmt(s, pad)).join("\n");
  const stmt = (s: Stmt, pad: string): string => {
    switch (s.kind) {
      case "let":
        return pad + d.declare(false, name(s.name), s.value.type, bare(expr(s.value)));
      case "var":
        return pad + d.declare(true, name(s.name), s.value.type, bare(expr(s.value)));
      case "load4": {
        const names = s.names.map(name);
        const lines = d.load4(s.from, name(s.from.name), bare(expr(s.index)), names);
        return lines.map((line) => pad + line).join("\n");
      }
      case "store4": {
        const values = s.values.map((v) => bare(expr(v)));
        const lines = d.store4(s.to, name(s.to.name), bare(expr(s.index)), values, s.values);
        return lines.map((line) => pad + line).join("\n");
      }
      case "set":
        return `${pad}${name(s.name)} = ${assigned(s.value.type, bare(expr(s.value)))};`;
      case "store":
        return (
          pad + d.store(s.to, name(s.to.name), bare(expr(s.index)), bare(expr(s.value)), s.value)
        );
      case "fragment-load":
      case "fragment-store":
        return pad + d.fragment(s, name, bare(expr(s.index)));
      case "fragment-zero":
      case "fragment-multiply":
        return pad + d.fragment(s, name, "");
      case "fragment-elements":
        return ofNumbered()
          .elements(name(s.from.name), s.names.map(name))
          .map((line) => pad + line)
          .join("\n");
      case "copy": {
        const [index, at, when] = [s.index, s.at, s.when].map((e) => bare(expr(e)));
        return pad + ofNumbered().copy(name(s.to.name), index!, name(s.from.name), at!, when!);
      }
      case "copy-group":
        return pad + ofNumbered().group;
      case "copy-wait":
        return pad + ofNumbered().wait(s.left);
      case "barrier":
        return pad + d.barrier;
      case "for":
        return `${pad}${d.loop(name(s.name), s.count, s.rolled)} {\n${block(s.body, `${pad}  `)}\n${pad}}`;
      case "if":
        return `${pad}if (${bare(expr(s.cond))}) {\n${block(s.body, `${pad}  `)}\n${pad}}`;
    }
  };
  return block;
}

/** How names are spelled where some are reserved. */
export const spelling = (reserved: ReadonlySet<string>, names: Names): ((n: string) => string) =>
  names === "own" ? (n) => (reserved.has(n) ? `${n}_` : n) : numbered();

function numbered(): (n: string) => string {
  const numbers = new Map<string, string>();
  return (n) => {
    const known = numbers.get(n);
    if (known !== undefined) return known;
    const next = `v${numbers.size}`;
    numbers.set(n, next);
    return next;
  };
}

/** Drops one pair of redundant outer parentheses. */
function bare(s: string): string {
  if (!s.startsWith("(") || !s.endsWith(")")) return s;
  let depth = 0;
  for (let i = 0; i < s.length - 1; i++) {
    if (s[i] === "(") depth++;
    if (s[i] === ")" && --depth === 0) return s;
  }
  return s.slice(1, -1);
}

/** A literal that reads back as the same finite float32. */
export function floatLiteral(value: number): string {
  const rounded = Math.fround(value);
  const text = shortest(rounded);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The pattern of a float32, as a literal of unsigned numbers. */
export const patternLiteral = (value: number): string =>
  `0x${new Uint32Array(Float32Array.of(value).buffer)[0]!.toString(16)}u`;

const { largest } = formatOf("f32");

/** The fewest digits that round to the same float32. */
function shortest(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    // Beyond the largest float32 a compiler refuses what would be rounded to it.
    if (Math.fround(Number(text)) === value && Math.abs(Number(text)) <= largest)
      return String(Number(text));
  }
  return Number.isInteger(value) ? String(BigInt(value)) : String(value);
}
