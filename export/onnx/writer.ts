/**
 * Builds the nodes of an ONNX graph. A spelling writes what it needs without care: reshapes of
 * reshapes collapse, equal constants are one, and what no output needs is left out at the end.
 */

import { problemOfNumber } from "../../compiler/graph/shapes.ts";
import { type DType, elements, type Type } from "../../compiler/op-kit.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import type { OnnxAttribute, OnnxNode, OnnxTensor } from "./schema.ts";

/** ONNX counts and indexes with 64-bit integers, which no tensor of a program has. */
export type OnnxType = DType | "i64";

/** Something that nodes read: a result of a node, an input, a parameter or a constant. */
export interface Value {
  /** Unique in the graph. Inputs and parameters keep their own names in the file. */
  readonly id: string;
  readonly dtype: OnnxType;
  readonly shape: readonly number[];
  /** What it is a view of, so that views of views become one. */
  readonly view?: View;
}

type View =
  | { readonly kind: "reshape"; readonly of: Value }
  | { readonly kind: "transpose"; readonly of: Value; readonly axes: readonly number[] };

/** Of ONNX's kinds of attributes those that are needed. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

interface Written {
  readonly opType: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** What an output is called in the file, and the value that it is. */
export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

export class OnnxWriter {
  readonly #nodes: Written[] = [];
  readonly #constants = new Map<string, { readonly value: Value; readonly tensor: OnnxTensor }>();
  #made = 0;

  /** A value from outside: an input or a parameter, under its own name. */
  source(name: string, { dtype, shape }: Type): Value {
    return { id: `=${name}`, dtype, shape };
  }

  /** The values of a node of several results. */
  emitAll(
    opType: string,
    inputs: readonly (Value | undefined)[],
    types: readonly { readonly dtype: OnnxType; readonly shape: readonly number[] }[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly Value[] {
    const outputs = types.map(({ dtype, shape }) => ({ id: `#${this.#made++}`, dtype, shape }));
    this.#nodes.push({ opType, inputs, outputs, attributes });
    return outputs;
  }

  /** The value of a node of one result. */
  emit(
    opType: string,
    inputs: readonly (Value | undefined)[],
    dtype: OnnxType,
    shape: readonly number[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.emitAll(opType, inputs, [{ dtype, shape }], attributes)[0]!;
  }

  /** A constant, row-major. */
  constant(dtype: OnnxType, shape: readonly number[], values: readonly number[]): Value {
    if (values.length !== elements(shape)) bug(`${values.length} values for [${shape.join()}]`);
    const key = `${dtype}[${shape.join()}]${values.join()}`;
    const before = this.#constants.get(key);
    if (before) return before.value;
    const value = { id: `constant:${this.#constants.size}`, dtype, shape };
    const tensor = tensorOf(value.id, dtype, shape, bytesOf(dtype, values));
    this.#constants.set(key, { value, tensor });
    return value;
  }

  number(value: number, dtype: OnnxType = "f32"): Value {
    return this.constant(dtype, [], [value]);
  }

  /** A list of whole numbers as ONNX wants shapes, axes and the like. */
  list(values: readonly number[]): Value {
    return this.constant("i64", [values.length], values);
  }

  /** The same elements in the same order in another shape. */
  reshape(x: Value, shape: readonly number[]): Value {
    const of = x.view?.kind === "reshape" ? x.view.of : x;
    if (of.shape.join() === shape.join()) return of;
    const y = this.emit("Reshape", [of, this.list(shape)], x.dtype, shape);
    return { ...y, view: { kind: "reshape", of } };
  }

  /** Axis i of the result is axis `axes[i]` of `x`. */
  transpose(x: Value, axes: readonly number[]): Value {
    const { view } = x;
    const of = view?.kind === "transpose" ? view.of : x;
    const all = view?.kind === "transpose" ? axes.map((a) => view.axes[a]!) : axes;
    if (all.every((a, i) => a === i)) return of;
    const shape = all.map((a) => of.shape[a]!);
    const y = this.emit("Transpose", [of], x.dtype, shape, { perm: { ints: all } });
    return { ...y, view: { kind: "transpose", of, axes: all } };
  }

  /** `x` repeated until it has `shape`. */
  expand(x: Value, shape: readonly number[]): Value {
    if (x.shape.join() === shape.join()) return x;
    return this.emit("Expand", [x, this.list(shape)], x.dtype, shape);
  }

  cast(x: Value, dtype: OnnxType): Value {
    if (x.dtype === dtype) return x;
    return this.emit("Cast", [x], dtype, x.shape, { to: { int: elementType[dtype] } });
  }

  /** An operator that works element by element, on operands that broadcast. */
  map(opType: string, operands: readonly Value[], dtype: OnnxType = operands[0]!.dtype): Value {
    return this.emit(opType, operands, dtype, operands.map((x) => x.shape).reduce(broadcast));
  }

  /** The product of the last two axes; the axes before them broadcast. */
  product(a: Value, b: Value): Value {
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.emit("MatMul", [a, b], "f32", [...batch, a.shape.at(-2)!, b.shape.at(-1)!]);
  }

  /** The nodes that the outputs need, and the constants that those read, in the file's words. */
  finish(outputs: readonly NamedValue[]): { nodes: OnnxNode[]; constants: OnnxTensor[] } {
    const names = this.#nameOutputs(outputs);
    const wanted = new Set(names.keys());
    const kept: Written[] = [];
    for (const node of [...this.#nodes].reverse()) {
      if (!node.outputs.some(({ id }) => wanted.has(id))) continue;
      kept.push(node);
      for (const x of node.inputs) if (x) wanted.add(x.id);
    }
    const nodes = kept.reverse().map((node, i) => fileNode(node, i, names));
    const constants = [...this.#constants.values()].flatMap(({ value, tensor }) =>
      wanted.has(value.id) ? [tensor] : [],
    );
    return { nodes, constants };
  }

  /** Names by value, of the outputs. What is no result of a node of its own is copied. */
  #nameOutputs(outputs: readonly NamedValue[]): Map<string, string> {
    const results = new Set(this.#nodes.flatMap((node) => node.outputs.map(({ id }) => id)));
    const names = new Map<string, string>();
    for (const { name, value } of outputs) {
      const own = results.has(value.id) && !names.has(value.id);
      const { id } = own ? value : this.emit("Identity", [value], value.dtype, value.shape);
      names.set(id, name);
    }
    return names;
  }
}

/** The shape that two shapes broadcast to. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) =>
    Math.max(a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1),
  );
}

/** ONNX's numbers for the types of elements. */
export const elementType: Readonly<Record<OnnxType, number>> = {
  f32: 1,
  i32: 6,
  i64: 7,
  bool: 9,
  u32: 12,
};

export const tensorOf = (
  name: string,
  dtype: OnnxType,
  dims: readonly number[],
  rawData: Uint8Array,
): OnnxTensor => ({ name, dims, dataType: elementType[dtype], rawData });

/** @throws E101 for a number that the type does not hold: arrays would wrap it. */
function bytesOf(dtype: OnnxType, values: readonly number[]): Uint8Array {
  for (const value of values) {
    const problem =
      dtype === "i64"
        ? Number.isSafeInteger(value)
          ? undefined
          : `i64 cannot hold ${value} exactly`
        : problemOfNumber(value, dtype);
    if (problem !== undefined)
      throw diagnose("E101", {
        message: `a constant of the ONNX model: ${problem}`,
        help: "give the op a number that its dtype holds",
      });
  }
  switch (dtype) {
    case "f32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "i32":
      return new Uint8Array(Int32Array.from(values).buffer);
    case "u32":
      return new Uint8Array(Uint32Array.from(values).buffer);
    case "i64":
      return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    case "bool":
      return Uint8Array.from(values);
  }
}

/** A node is called after its operator, below the parameters that it reads. */
function fileNode(node: Written, index: number, names: Map<string, string>): OnnxNode {
  const parameter = node.inputs.find((x) => x?.id.startsWith("=") && x.id.includes("."));
  const scope = parameter ? `${parameter.id.slice(1).split(".").slice(0, -1).join(".")}/` : "";
  const name = `${scope}${node.opType}_${index}`;
  const output = node.outputs.map(({ id }, i) => {
    if (!names.has(id)) names.set(id, i === 0 ? `${name}:0` : `${name}:${i}`);
    return names.get(id)!;
  });
  return {
    name,
    opType: node.opType,
    input: node.inputs.map((x) => (x ? nameOf(x.id, names) : "")),
    output,
    attribute: Object.entries(node.attributes).map(([key, value]) => fileAttribute(key, value)),
  };
}

const nameOf = (id: string, names: Map<string, string>): string =>
  id.startsWith("=") ? id.slice(1) : (names.get(id) ?? id);

function fileAttribute(name: string, value: Attribute): OnnxAttribute {
  if ("float" in value) return { name, type: 1, f: value.float };
  if ("int" in value) return { name, type: 2, i: value.int };
  if ("text" in value) return { name, type: 3, s: new TextEncoder().encode(value.text) };
  return { name, type: 7, ints: value.ints };
}
