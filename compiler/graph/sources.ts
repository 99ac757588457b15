/** Where values come from outside: inputs of a program, and parameters that carry their path. */
import { captureSpan, diagnose } from "../../diagnostics/index.ts";
import type { ElementOp, SourceOp } from "../op.ts";
import { apply, type Dim, type DType, type Shape, show, type Tensor, type Type } from "./tensor.ts";

export interface Source {
  /** The input's name, or the parameter's path: the key in a checkpoint. */
  readonly name: string;
  readonly type: Type;
  /** A sentence for generated wrappers. */
  readonly doc?: string;
}

export const inputOp: SourceOp<Source> = {
  name: "input",
  kind: "input",
  type: (_inputs, attrs) => [attrs.type],
  note: (attrs) => attrs.name,
};

export const parameterOp: SourceOp<Source> = {
  name: "parameter",
  kind: "parameter",
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

function resolve(shape: Shape, of: string): number[] {
  return shape.map((d: Dim) => {
    const size = typeof d === "number" ? d : currentDims[d];
    if (size === undefined)
      throw diagnose("E102", {
        message: `${of}: the dim "${d}" has no size`,
        at: captureSpan(),
        help: `give one when tracing, for example { dims: { ${d}: 1 } } or --dim ${d}=1`,
      });
    if (!Number.isInteger(size) || size < 1)
      throw diagnose("E102", {
        message: `${of}: the dim ${typeof d === "string" ? `"${d}" ` : ""}is ${size}`,
        at: captureSpan(),
        help: "sizes are whole numbers from 1 up",
      });
    return size;
  });
}

/** An input of the program: a tensor given at each run. */
export function input<const D extends DType, const S extends Shape>(
  name: string,
  dtype: D,
  shape: S,
  options: { readonly doc?: string } = {},
): Tensor<D, S> {
  const type = { dtype, shape: resolve(shape, `input ${name}`) };
  return apply(inputOp, [], { name, type, ...options })[0] as unknown as Tensor<D, S>;
}

/**
 * The parameters of a model, by path. `p.at("attn").f32("weight", [8, 4])` is the parameter
 * `attn.weight`; asked for twice, it is one parameter.
 */
export class Parameters {
  readonly path: string;
  readonly #known: Map<string, Tensor>;

  constructor(path = "", known = new Map<string, Tensor>()) {
    this.path = path;
    this.#known = known;
  }

  /** The parameters below a path: `p.at("blocks", 3, "attn")`. */
  at(...path: readonly (string | number)[]): Parameters {
    return new Parameters([this.path, ...path].filter((s) => s !== "").join("."), this.#known);
  }

  /** A float32 parameter. Its key in a checkpoint is the path with the name. */
  f32<const S extends Shape>(name: string, shape: S): Tensor<"f32", S> {
    const path = this.path === "" ? name : `${this.path}.${name}`;
    const type: Type = { dtype: "f32", shape: resolve(shape, `parameter ${path}`) };
    const known = this.#known.get(path);
    if (known && show(known.type) !== show(type))
      throw diagnose("E104", {
        message: `parameter ${path} is used as ${show(type)} and as ${show(known.type)}`,
        at: captureSpan(),
        labels: [[known.node.span, show(known.type)]],
        help: "one path is one parameter: give the two uses one shape, or two names",
      });
    if (known) return known as unknown as Tensor<"f32", S>;
    const made = apply(parameterOp, [], { name: path, type })[0]!;
    this.#known.set(path, made);
    return made as unknown as Tensor<"f32", S>;
  }
}
