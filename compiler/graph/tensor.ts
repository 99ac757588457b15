/**
 * Tensors and nodes: the graph is nothing but immutable nodes that point at their inputs.
 *
 * A node points at its op, so no pass knows any op by name. Nodes have one type per result from
 * the start (attention and its row statistics, values and their indices).
 */
import { captureSpan, diagnose, type LazySpan } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import { type DType, dtypes, problemOfShape, shapeHelp, shownList } from "./shapes.ts";

export type { DType };
/** A size, or the name of one that is given at trace time. Names exist in the editor only. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a tensor: its dtype, and its shape in numbers. */
export interface Type {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Refuses the inputs: what is wrong, and what to type instead. */
export type Fail = (message: string, help?: string) => never;

/**
 * What a node needs of its op. Sources (inputs, parameters, states) are no more than this: their
 * values come from outside. `compiler/op.ts` has what element ops and kernel ops are beside it.
 */
export interface Op<A = unknown> {
  readonly name: string;
  readonly kind: "element" | "kernel" | "input" | "parameter" | "state";
  /** Result types from input types: the shape rule. */
  type(inputs: readonly Type[], attrs: A, fail: Fail): readonly Type[];
  /**
   * The vector-Jacobian product: from the cotangents of the results (undefined: the result is
   * unused) the cotangents of the inputs, written with ops. Undefined: no gradient goes there.
   */
  readonly vjp?: (
    cotangents: readonly (Tensor | undefined)[],
    site: { readonly inputs: readonly Tensor[]; readonly results: readonly Tensor[]; attrs: A },
  ) => readonly (Tensor | undefined)[];
  /** A few words on the attributes for graph dumps: "axes 0, 1". */
  readonly note?: (attrs: A) => string;
}

export interface Node {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: unknown;
  /** One per result. */
  readonly types: readonly Type[];
  readonly span: LazySpan;
  /** Nodes made later have higher numbers: a program's own order. */
  readonly order: number;
  /**
   * Of nodes that are computed at another time than equal ones, on purpose: nothing is merged with what
   * has another number here, or none.
   */
  readonly turn?: number | undefined;
}

declare const staticShape: unique symbol;
declare const staticType: unique symbol;

/** One result of a node. `D` and `S` are what the editor knows of its dtype and shape. */
export class Tensor<D extends DType = DType, S extends Shape = Shape> {
  declare readonly [staticShape]: S;
  declare readonly [staticType]: D;
  readonly node: Node;
  /** Which result of the node. */
  readonly result: number;

  constructor(node: Node, result = 0) {
    this.node = node;
    this.result = result;
  }

  get type(): Type {
    return this.node.types[this.result]!;
  }
  get dtype(): D {
    return this.type.dtype as D;
  }
  /** The sizes of this trace, in numbers. */
  get shape(): readonly number[] {
    return this.type.shape;
  }

  /**
   * Asserts the shape, at trace time and for the editor: `x.is([2, 64, 64])`. A name stands for
   * any size.
   */
  is<const T extends Shape>(shape: T): Tensor<D, T> {
    const fits =
      Array.isArray(shape) &&
      shape.length === this.shape.length &&
      shape.every((d, i) => typeof d === "string" || d === this.shape[i]);
    if (!fits)
      throw diagnose("E103", {
        message: `expected a tensor of shape ${Array.isArray(shape) ? shownList(shape) : shown(shape)} but got ${show(this.type)}`,
        at: captureSpan(),
        labels: [[this.node.span, show(this.type)]],
        help: "correct the shape in is(...), or the expression before it",
      });
    return this as unknown as Tensor<D, T>;
  }
}

/** f32[2, 64] */
export const show = (t: Type): string => `${t.dtype}[${t.shape.join(", ")}]`;

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

let made = 0;
let turns = 0;

/** A number for nodes that are to be computed at a time of their own. */
export const newTurn = (): number => ++turns;

/** Sources hold values from outside: nothing computes them. */
export const isSource = ({ op }: Pick<Node, "op">): boolean =>
  op.kind !== "element" && op.kind !== "kernel";

export const isParameter = ({ node }: Tensor): boolean => node.op.kind === "parameter";

/**
 * Makes the node of an op, and a tensor per result. Throws E101 with the user's place for inputs that are
 * no tensors, when the op's shape rule does not accept them, and for results that no tensor can be.
 */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor[] {
  const span = captureSpan();
  checkTensors(op.name, inputs, span);
  const fail: Fail = (message, help) => refuse(op.name, inputs, message, help, span);
  const types = op.type(
    inputs.map((x) => x.type),
    attrs,
    fail,
  );
  for (const type of types) checkType(type, fail);
  return tensorsOfNew({ op: op as Op, inputs, attrs, types, span, order: made++ });
}

function checkType({ dtype, shape }: Type, fail: Fail): void {
  if (!dtypes.includes(dtype))
    fail(`there is no dtype ${shown(dtype)}`, `dtypes are ${dtypes.join(", ")}`);
  const problem = problemOfShape(shape);
  if (problem !== undefined) fail(`the result: ${problem}`, shapeHelp);
}

/**
 * Requires tensors, by the names that the function gives its arguments, or by their number.
 * @throws E101 for what is none.
 */
export function checkTensors(
  name: string,
  inputs: Readonly<Record<string, unknown>> | readonly unknown[],
  at?: LazySpan,
): void {
  const names = Array.isArray(inputs) ? undefined : Object.keys(inputs);
  const values: readonly unknown[] = names ? Object.values(inputs) : (inputs as readonly unknown[]);
  // Not `forEach`, which passes over the holes of a list.
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value instanceof Tensor) continue;
    const what = names?.[i] ?? `input ${i + 1}`;
    refuse(
      name,
      [],
      `${what} is ${shown(value)}, not a tensor${ofOther(value)}`,
      tensorHelp(value),
      at,
    );
  }
}

const ofOther = (value: unknown): string => (isForeign(value) ? " of this copy of inarch" : "");

export const tensorHelp = (value: unknown): string =>
  isForeign(value)
    ? 'two copies of inarch are at work: import everything from "inarch" and "inarch/ops"'
    : "give what an op, a parameter or input(...) has made; for the numbers of a list, an input or a parameter";

/** A tensor made by another copy of this package, which nothing here can recognise by its class. */
export const isForeign = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !(value instanceof Tensor) &&
  "node" in value &&
  "result" in value;

/**
 * A node once more, later, on other inputs of the same types: its op, attributes and place. `turn`: it is
 * not merged with nodes of another.
 */
export const again = (node: Node, inputs: readonly Tensor[], turn = node.turn): readonly Tensor[] =>
  tensorsOfNew({ ...node, inputs, order: made++, turn });

/** All results of a node, also those that nothing uses: always the same tensors. */
export const resultsOf = (node: Node): readonly Tensor[] => madeOf.get(node)!;

const madeOf = new WeakMap<Node, readonly Tensor[]>();

function tensorsOfNew(node: Node): Tensor[] {
  const tensors = node.types.map((_, i) => new Tensor(node, i));
  madeOf.set(node, tensors);
  return tensors;
}

/** Throws E101 at the user's place, with the inputs: what an op, or a composition of ops, refuses. */
export function refuse(
  name: string,
  inputs: readonly Tensor[],
  message: string,
  help?: string,
  at: LazySpan = captureSpan(),
): never {
  const words = ["left", "right"];
  throw diagnose("E101", {
    message: `${name}: ${message}`,
    at,
    labels: inputs.map((x, i) => [
      x.node.span,
      `${inputs.length === 2 ? words[i] : `input ${i + 1}`}: ${show(x.type)}`,
    ]),
    help,
  });
}
