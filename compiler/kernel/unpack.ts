/**
 * Formats that are read from words become arithmetic on words: what targets spell then has types of
 * memory alone. The last step before a kernel is printed, so that everything before it sees elements.
 */
import { bug } from "../../diagnostics/index.ts";
import { type Format, formatOf, type Patterns, wordsOf } from "../../formats/index.ts";
import { floatOf, halfOf, shiftLeft, shiftRight } from "./bits.ts";
import type { Buffer, Expr, Kernel, Stmt } from "./ir.ts";
import { withArguments, withParts } from "./parts.ts";
import { index, type Operand, Value } from "./value.ts";

/** A buffer as its words. */
interface Packed {
  readonly format: Format;
  readonly words: Buffer;
}

type Load = Extract<Expr, { kind: "load" }>;
type Load4 = Extract<Stmt, { kind: "load4" }>;

export function unpack(kernel: Kernel): Kernel {
  const packed = new Map(kernel.params.flatMap((b) => packedOf(b)));
  if (packed.size === 0) return kernel;
  const vectors = new Map<Buffer, number>();
  for (const [b, count] of kernel.vectors) {
    const { format, words = b } = packed.get(b) ?? {};
    const wide = format ? wordsAtOnce(format, count) : count;
    if (wide > 1) vectors.set(words, wide);
  }
  const params = kernel.params.map((b) => packed.get(b)?.words ?? b);
  const body = rewriteBlock(kernel.body, packed);
  return { ...kernel, params, vectors, body };
}

function packedOf(b: Buffer): [Buffer, Packed][] {
  if (b.scalar === "bool") return [];
  const format = formatOf(b.scalar);
  if (!format.widen) return [];
  if (b.writable) bug(`${b.name} would be written as ${b.scalar}`);
  return [[b, { format, words: { ...b, scalar: "u32", size: wordsOf(b.scalar, b.size) } }]];
}

/** How many words hold `count` neighbours, if one load can have them all; else 1. */
function wordsAtOnce({ block }: Format, count: number): number {
  if (count % block.elements !== 0) return 1;
  const words = (count / block.elements) * block.words;
  return words === 2 || words === 4 ? words : 1;
}

type AllPacked = ReadonlyMap<Buffer, Packed>;

const rewriteBlock = (body: readonly Stmt[], packed: AllPacked): Stmt[] =>
  body.flatMap((s) => rewriteStmt(s, packed));

function rewriteStmt(s: Stmt, packed: AllPacked): Stmt[] {
  const expr = (e: Expr) => rewriteExpr(e, packed);
  const changed = withParts(s, expr, (body) => rewriteBlock(body, packed));
  const { format, words } = (changed.kind === "load4" && packed.get(changed.from)) || {};
  return format && words ? unpackFour(changed as Load4, format, words) : [changed];
}

function rewriteExpr(e: Expr, packed: AllPacked): Expr {
  const changed = withArguments(e, (part) => rewriteExpr(part, packed));
  const { format, words } = (changed.kind === "load" && packed.get(changed.from)) || {};
  return format && words
    ? widened(format, words, new Value((changed as Load).index)).expr
    : changed;
}

/** One element. */
function widened(format: Format, words: Buffer, at: Value): Value {
  const first = at.div(format.block.elements).mul(format.block.words);
  const word = (i: Operand) =>
    new Value({ kind: "load", type: "u32", from: words, index: first.add(i).expr });
  return format.widen!(word, at.mod(format.block.elements), patterns);
}

/** Neighbours: from words that are loaded at once where that is possible, else each by itself. */
function unpackFour({ names, index: at }: Load4, format: Format, words: Buffer): Stmt[] {
  const count = wordsAtOnce(format, names.length);
  const { block } = format;
  if (count === 1)
    return names.map((name, j): Stmt => {
      const place = new Value(at).mul(names.length).add(j);
      return { kind: "let", name, value: widened(format, words, place).expr };
    });
  const held = Array.from({ length: count }, (_, i) => `${names[0]}_w${i}`);
  const lets = names.map((name, j): Stmt => {
    const first = Math.floor(j / block.elements) * block.words;
    const word = (i: Operand): Value =>
      new Value({ kind: "ref", type: "u32", name: held[first + numberOf(i)]!, mutable: false });
    const value = format.widen!(word, index(j % block.elements), patterns);
    return { kind: "let", name, value: value.expr };
  });
  return [{ kind: "load4", names: held, from: words, index: at }, ...lets];
}

/** The place within a block is known here, and so is what a format computes of it. */
const numberOf = (i: Operand): number => {
  if (typeof i === "number") return i;
  return i.expr.kind === "lit" ? i.expr.value : bug("a word of neighbours that is not known");
};

const patterns: Patterns<Value> = {
  plus: (a, b) => a.add(b),
  times: (a, b) => a.mul(b),
  shiftLeft: (a, by: Operand) => shiftLeft(a, by),
  shiftRight: (a, by: Operand) => shiftRight(a, by),
  float: floatOf,
  half: halfOf,
  number: (a) => a.cast("f32"),
};
