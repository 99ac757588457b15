/** Where values come from outside: inputs of a program, and parameters that carry their path. */
import { captureSpan, diagnose } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import type { ElementOp } from "../op.ts";
import { checkDType, checkNames } from "./checks.ts";
import { checkInit, type Init } from "./init.ts";
import { problemOfShape, shapeHelp } from "./shapes.ts";
import {
  apply,
  type Dim,
  type DType,
  type Op,
  refuse,
  type Shape,
  type Tensor,
  type Type,
} from "./tensor.ts";

export interface Source {
  /** The input's name, or the parameter's path: the key in a checkpoint. */
  readonly name: string;
  readonly type: Type;
  /** A sentence for generated wrappers. */
  readonly doc?: string;
  /** A parameter's first value, where no checkpoint has it; a state's, where it is not zeros. */
  readonly init?: Init;
}

export const inputOp: Op<Source> = {
  name: "input",
  kind: "input",
  type: (_inputs, attrs) => [attrs.type],
  note: (attrs) => attrs.name,
};

export const parameterOp: Op<Source> = {
  name: "parameter",
  kind: "parameter",
  type: (_inputs, attrs) => [attrs.type],
  note: (attrs) => attrs.name,
};

export const stateOp: Op<Source> = {
  name: "state",
  kind: "state",
  type: (_inputs, attrs) => [attrs.type],
  note: (attrs) => attrs.name,
};

/** Returns its input as it is: for a program that returns an input, or one tensor twice. */
export const copyOp: ElementOp<null> = {
  name: "copy",
  kind: "element",
  cost: 0,
  type: (inputs) => [inputs[0]!],
  element: ({ inputs, at }) => inputs[0]!.at(...at),
  vjp: ([g]) => [g],
  tests: { samples: [{ inputs: [[1, 2]], call: (x) => x!, outputs: [[1, 2]] }] },
};

/** The sizes that names stand for in this trace: `{ batch: 2 }`. */
export type Dims = Readonly<Record<string, number>>;

let currentDims: Dims = {};

interface Declared {
  /** What their names begin with. */
  readonly prefix: string;
  readonly states: Tensor[];
}

let declared: Declared | undefined;

/** Runs `body` and collects the states that it declares, read or not, in order. */
export function declaring<T>(prefix: string, body: () => T) {
  const outer = declared;
  const states: Tensor[] = [];
  declared = { prefix, states };
  try {
    return { made: body(), states };
  } finally {
    declared = outer;
  }
}

/** Runs `body` with the sizes that named dims stand for. */
export function withDims<T>(dims: Dims, body: () => T): T {
  const outer = currentDims;
  currentDims = dims;
  try {
    return body();
  } finally {
    currentDims = outer;
  }
}

/** The sizes of a shape in this trace. @throws E102 for a shape that no tensor has. */
export function resolveShape(shape: Shape, of: string): number[] {
  if (!Array.isArray(shape)) throw noShape(problemOfShape(shape)!, of);
  // A copy of a list has no holes.
  const sizes = Array.from(shape, (d: Dim) => {
    const known = typeof d === "string" && Object.hasOwn(currentDims, d);
    const size = known ? currentDims[d] : d;
    if (typeof size === "string")
      throw diagnose("E102", {
        message: `${of}: the dim "${d}" has no size`,
        at: captureSpan(),
        help: `give one when tracing, for example { dims: { ${d}: 1 } } or --dim ${d}=1`,
      });
    if (typeof size !== "number" || !Number.isInteger(size) || size < 1)
      throw diagnose("E102", {
        message: `${of}: the dim ${typeof d === "string" ? `"${d}" ` : ""}is ${shown(size)}`,
        at: captureSpan(),
        help: "sizes are whole numbers from 1 up",
      });
    return size;
  });
  const problem = problemOfShape(sizes);
  if (problem !== undefined) throw noShape(problem, of);
  return sizes;
}

const noShape = (problem: string, of: string) =>
  diagnose("E102", { message: `${of}: ${problem}`, at: captureSpan(), help: shapeHelp });

/** Requires what names a tensor from outside, and a dtype. @throws E101 */
export function checkSource(of: string, name: unknown, dtype: unknown = "f32"): void {
  if (typeof name !== "string" || name === "")
    refuse(of, [], `the name is ${shown(name)}`, `give a text that is not empty: "${of}"`);
  checkDType(of, [], dtype);
}

/** What is made of an input's shape. */
export type MadeInputs = Readonly<Record<string, (shape: readonly number[]) => Tensor>>;

let madeInputs: MadeInputs = {};

/** Runs `body`, in which inputs of these names are what is made of their shapes, of other inputs. */
export function withInputs<T>(made: MadeInputs, body: () => T): T {
  const outer = madeInputs;
  madeInputs = made;
  try {
    return body();
  } finally {
    madeInputs = outer;
  }
}

/**
 * An input of the program: a tensor given at each run.
 * @throws E101 for what is no name and no dtype, E102 for a shape without sizes, E460 for an unknown option.
 */
export function input<const D extends DType, const S extends Shape>(
  name: string,
  dtype: D,
  shape: S,
  options: { readonly doc?: string } = {},
): Tensor<D, S> {
  checkSource("input", name, dtype);
  checkNames("input", options, { doc: true });
  const type = { dtype, shape: resolveShape(shape, `input ${name}`) };
  const make = Object.hasOwn(madeInputs, name) ? madeInputs[name] : undefined;
  if (make) return withInputs({}, () => make(type.shape)) as unknown as Tensor<D, S>;
  return apply(inputOp, [], { name, type, ...options })[0] as unknown as Tensor<D, S>;
}

/**
 * Memory that outlives a run, such as a cache of keys or a running mean: read as it was when the run
 * began. A program that returns a tensor of this name, dtype and shape writes it, once every step has
 * run; it need not read it. Programs of one model share their states by name.
 *
 * It begins as `init` says, with zeros unless given, and does so again when a session is reset.
 * Random values depend on the name alone, `copy` takes f32 from the weights.
 * @throws E101 for what is no name and no dtype, E102 for a shape without sizes, E252 for an initial value
 * that the dtype does not have, E460 for an unknown option. Tracing throws E106 for two states or inputs of one name,
 * E251 for a tensor of another dtype or shape that is returned under the state's name.
 */
export function state<const D extends DType, const S extends Shape>(
  name: string,
  dtype: D,
  shape: S,
  options: { readonly doc?: string; readonly init?: Init } = {},
): Tensor<D, S> {
  checkSource("state", name, dtype);
  checkNames("state", options, { doc: true, init: true });
  const type = { dtype, shape: resolveShape(shape, `state ${name}`) };
  checkInit(`state ${name}`, type, options.init);
  const named = `${declared?.prefix ?? ""}${name}`;
  const made = apply(stateOp, [], { name: named, type, ...options })[0]!;
  declared?.states.push(made);
  return made as unknown as Tensor<D, S>;
}
