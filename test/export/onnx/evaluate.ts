/**
 * Runs an ONNX model in double precision, from its bytes, by what ONNX's specification says of each
 * operator. Strict where runtimes are lenient: names, types, shapes and attributes must all fit.
 */
import type { OnnxAttribute, OnnxTensor } from "../../../export/onnx/schema.ts";
import { decodeModel } from "../../support/onnx-file.ts";
import { type Given, type Operator, operators } from "./operators.ts";

/** A tensor of a run. Whole numbers and conditions are numbers too. */
export interface OnnxArray {
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The outputs by name. `inputs` are those of the model, row-major. */
export function evaluateOnnx(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, number[]> {
  const { graph } = decodeModel(bytes);
  const known = new Map<string, OnnxArray>();
  const define = (name: string, array: OnnxArray) => {
    if (name === "" || known.has(name)) throw new TypeError(`two values are called "${name}"`);
    if (array.data.length !== count(array.shape)) throw new TypeError(`${name} is not full`);
    known.set(name, array);
  };
  const find = (name: string) => {
    const array = known.get(name);
    if (!array) throw new TypeError(`"${name}" is read before it is made`);
    return array;
  };
  for (const tensor of graph.initializer) define(tensor.name, stored(tensor));
  for (const { name, type } of graph.input) {
    const { elemType, shape } = type.tensorType;
    const data = Float64Array.from(inputs[name] ?? []);
    define(name, { type: elemType, shape: shape.dim.map((d) => d.dimValue), data });
  }
  for (const node of graph.node) {
    const operator = operators[node.opType];
    if (!operator) throw new TypeError(`${node.name}: no operator ${node.opType}`);
    const x = node.input.map((name) => (name === "" ? undefined : find(name)));
    const results = run(operator, x, node.attribute, node.name);
    if (results.length !== node.output.length) throw new TypeError(`${node.name}: results`);
    results.forEach((result, i) => {
      define(node.output[i]!, result);
    });
  }
  return Object.fromEntries(
    graph.output.map(({ name, type }) => {
      const found = find(name);
      const { elemType, shape } = type.tensorType;
      const wanted = `${elemType}[${shape.dim.map((d) => d.dimValue)}]`;
      if (`${found.type}[${found.shape}]` !== wanted)
        throw new TypeError(`${name} is ${found.type}[${found.shape}], declared as ${wanted}`);
      return [name, [...found.data]];
    }),
  );
}

function run(
  operator: Operator,
  x: readonly (OnnxArray | undefined)[],
  attributes: readonly OnnxAttribute[],
  name: string,
): readonly OnnxArray[] {
  const unread = new Map(attributes.map((one) => [one.name, one]));
  const take = (key: string) => {
    const found = unread.get(key);
    unread.delete(key);
    return found;
  };
  const given: Given = {
    int: (key, usual) => take(key)?.i ?? usual,
    float: (key, usual) => take(key)?.f ?? usual,
    ints: (key, usual) => take(key)?.ints ?? usual,
    text: (key, usual) => {
      const bytes = take(key)?.s;
      return bytes ? new TextDecoder().decode(bytes) : usual;
    },
  };
  const results = operator(x, given);
  if (unread.size > 0) throw new TypeError(`${name}: unknown ${[...unread.keys()]}`);
  return results;
}

function stored({ dims, dataType, rawData, name }: OnnxTensor): OnnxArray {
  const bytes = Uint8Array.from(rawData!).buffer;
  const data = readers[dataType]?.(bytes);
  if (!data) throw new TypeError(`${name} has the type ${dataType}`);
  return { type: dataType, shape: dims, data };
}

const readers: Readonly<Record<number, (bytes: ArrayBuffer) => Float64Array>> = {
  1: (bytes) => Float64Array.from(new Float32Array(bytes)),
  6: (bytes) => Float64Array.from(new Int32Array(bytes)),
  7: (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
  9: (bytes) => Float64Array.from(new Uint8Array(bytes)),
  12: (bytes) => Float64Array.from(new Uint32Array(bytes)),
};

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
