/**
 * Loads and stores. Neighbours are one access; other places are accessed lane by lane. Threads that are not at
 * work have indices that mean nothing: they read element 0, and write nothing. In a line of neighbours those
 * stay within a vector of what the others read, and the device leaves room for that at both ends of a buffer.
 */
import { bug } from "../../../diagnostics/index.ts";
import type { NativeName } from "../../../formats/index.ts";
import { type Buffer, type Element, type Expr, type Stmt, widened } from "../../kernel/ir.ts";
import { type Text, vectorOf, type Writer } from "./writer.ts";

type Load = Extract<Expr, { kind: "load" }>;
type Store = Extract<Stmt, { kind: "store" }>;
type Load4 = Extract<Stmt, { kind: "load4" }>;
type Store4 = Extract<Stmt, { kind: "store4" }>;

/** In memory: words, and narrow numbers, which are their bits. */
export const memoryTypes: Partial<Record<Element, Text>> = {
  ...{ f32: "float", i32: "int", u32: "unsigned", bool: "unsigned" },
  ...{ f16: "unsigned short", bf16: "unsigned short" },
} satisfies Record<NativeName | "bool", Text>;

/** What functions that widen and round narrow numbers are called. */
const narrow: Partial<Record<Element, readonly [widen: Text, round: Text]>> = {
  f16: ["half", "round"],
  bf16: ["bfloat", "round_bfloat"],
};

export const memoryTypeOf = ({ scalar }: Buffer): Text =>
  memoryTypes[scalar] ?? bug(`${scalar} in memory`);

const widthOf = ({ scalar }: Buffer): "h" | "w" => (narrow[scalar] ? "h" : "w");

/** An element of a buffer that all threads read. */
export function loadScalar(w: Writer, { from, index }: Pick<Load, "from" | "index">): Text {
  return read(from, `${w.arrayOf(from)}[${w.scalar(index)}]`);
}

function read(from: Buffer, element: Text): Text {
  const [widen] = narrow[from.scalar] ?? [];
  if (widen) return `${widen}_u(${element})`;
  if (from.scalar === "bool") return `(${element} != 0)`;
  return widened(from.scalar) === "u32" ? `(long)${element}` : element;
}

/** What each thread reads. */
export function loadVector(w: Writer, { from, index }: Pick<Load, "from" | "index">): Text {
  const { shapes, mask } = w;
  const array = w.arrayOf(from);
  if (shapes.differs(from)) {
    if (shapes.isSame(index)) return `${array}[${w.scalar(index)}]`;
    return asWidened(from, `gather_w(${array}, ${places(w, index)} * LANES + steps)`);
  }
  const shape = shapes.of(index);
  const width = widthOf(from);
  if (shape.kind === "linear" && shape.by === 1)
    return asWidened(from, `line_${width}(${array} + ${w.scalar(index)})`);
  if (shape.kind === "linear" && shape.by > 1 && mask === undefined)
    return asWidened(from, `strided_${width}(${array} + ${w.scalar(index)}, ${shape.by})`);
  const isLikely = width === "w" && from.space === "global";
  return asWidened(
    from,
    `${isLikely ? "likely" : "gather"}_${width}(${array}, ${places(w, index)})`,
  );
}

/** Of a line's words, as they come out of memory. */
function asWidened(from: Buffer, words: Text): Text {
  const [widen] = narrow[from.scalar] ?? [];
  if (widen) return `${widen}_vu(${words})`;
  if (from.scalar === "bool") return `((vu)${words} != 0)`;
  return widened(from.scalar) === "f32" ? words : `(${vectorOf(widened(from.scalar))})${words}`;
}

/** The index of each thread; of one that is not at work 0. */
function places(w: Writer, index: Expr): Text {
  const all = w.vector(index);
  return w.mask === undefined ? all : `(${all} & (vu)${w.mask})`;
}

export function store(
  w: Writer,
  { to, index, value }: Pick<Store, "to" | "index" | "value">,
): Text {
  const { shapes, mask } = w;
  const array = w.arrayOf(to);
  if (shapes.differs(to)) return storeOwn(w, { to, index, value });
  if (shapes.isSame(index) && shapes.isSame(value)) {
    const one = w.scalar(value);
    const [, round] = narrow[to.scalar] ?? [];
    return `${array}[${w.scalar(index)}] = ${round ? `${round}_f(${one})` : one};`;
  }
  const shape = shapes.of(index);
  const width = widthOf(to);
  const all = asStored(to, w.vector(value));
  const line = `put_${width}(${array} + ${w.scalar(index)}, ${all});`;
  const isLine = shape.kind === "linear" && shape.by === 1;
  if (isLine && mask === undefined) return line;
  const at = w.vector(index);
  if (mask === undefined) return `scatter_${width}(${array}, ${at}, ${all});`;
  const some = `scatter_${width}_if(${mask}, ${array}, ${at}, ${all});`;
  return isLine ? `if (every(${mask})) ${line} else ${some}` : some;
}

const asStored = (to: Buffer, value: Text): Text => {
  const [, round] = narrow[to.scalar] ?? [];
  if (round) return `${round}_vf(${value})`;
  return widened(to.scalar) === "f32" ? value : `(vf)${value}`;
};

/** To an array of each thread's own. */
function storeOwn(w: Writer, { to, index, value }: Pick<Store, "to" | "index" | "value">): Text {
  const { shapes, mask } = w;
  const array = w.arrayOf(to);
  const all = w.vector(value);
  if (shapes.isSame(index)) {
    const place = `${array}[${w.scalar(index)}]`;
    if (mask === undefined) return `${place} = ${all};`;
    return `${place} = pick_${vectorOf(value.type)}(${mask}, ${all}, ${place});`;
  }
  const at = `${w.vector(index)} * LANES + steps`;
  if (mask === undefined) return `scatter_w(${array}, ${at}, ${asStored(to, all)});`;
  return `scatter_w_if(${mask}, ${array}, ${at}, ${asStored(to, all)});`;
}

const plus = (index: Expr, count: number, j: number): Expr => ({
  kind: "call",
  type: "u32",
  fn: "add",
  args: [
    {
      kind: "call",
      type: "u32",
      fn: "mul",
      args: [index, { kind: "lit", type: "u32", value: count }],
    },
    { kind: "lit", type: "u32", value: j },
  ],
});

/** Four neighbours, or two words, one by one. */
export const loadsOf = ({ from, index, names }: Load4): readonly Load[] =>
  names.map((_, j) => ({
    kind: "load",
    type: widened(from.scalar),
    from,
    index: plus(index, names.length, j),
  }));

export const storesOf = ({ to, index, values }: Store4): readonly Omit<Store, "kind">[] =>
  values.map((value, j) => ({ to, index: plus(index, values.length, j), value }));
