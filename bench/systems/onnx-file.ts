/**
 * Small ONNX files by hand, for products and attention in the operators that a user of ONNX Runtime
 * would choose; whole models come from our own export. Field numbers are those of `onnx.proto`.
 */

export interface FileNode {
  readonly op: string;
  /** Empty where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** Of an operator that ONNX does not have itself. */
  readonly domain?: "com.microsoft";
}

export interface FileTensor {
  readonly data: Float32Array | BigInt64Array;
  readonly shape: readonly number[];
}

export interface OnnxFile {
  readonly nodes: readonly FileNode[];
  /** Constants by name. */
  readonly constants: Readonly<Record<string, FileTensor>>;
  /** Shapes by name, all f32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

/** A constant that lists whole numbers: a shape. */
export const list = (...values: readonly number[]): FileTensor => ({
  data: BigInt64Array.from(values, BigInt),
  shape: [values.length],
});

const [float, int64] = [1, 7];

export function encodeFile({ nodes, constants, inputs, outputs }: OnnxFile): Uint8Array {
  const graph = Buffer.concat([
    ...nodes.map((node) => bytes(1, encodeNode(node))),
    bytes(2, "bench"),
    ...Object.entries(constants).map(([name, tensor]) => bytes(5, encodeTensor(name, tensor))),
    ...Object.entries(inputs).map(([name, shape]) => bytes(11, encodeValue(name, shape))),
    ...Object.entries(outputs).map(([name, shape]) => bytes(12, encodeValue(name, shape))),
  ]);
  const operators = (domain: string, version: number) =>
    bytes(8, Buffer.concat([bytes(1, domain), int(2, version)]));
  return Buffer.concat([
    int(1, 9),
    bytes(7, graph),
    operators("", 20),
    operators("com.microsoft", 1),
  ]);
}

function encodeNode({ op, inputs, outputs, attributes = {}, domain }: FileNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(3, outputs[0]!),
    bytes(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, encodeAttribute(name, value))),
    ...(domain ? [bytes(7, domain)] : []),
  ]);
}

function encodeAttribute(name: string, value: number | readonly number[]): Buffer {
  const [one, many] = [2, 7];
  return typeof value === "number"
    ? Buffer.concat([bytes(1, name), int(3, value), int(20, one)])
    : Buffer.concat([bytes(1, name), ...value.map((v) => int(8, v)), int(20, many)]);
}

function encodeTensor(name: string, { data, shape }: FileTensor): Buffer {
  return Buffer.concat([
    ...shape.map((size) => int(1, size)),
    int(2, data instanceof Float32Array ? float : int64),
    bytes(8, name),
    bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

function encodeValue(name: string, shape: readonly number[]): Buffer {
  const dims = Buffer.concat(shape.map((size) => bytes(1, int(1, size))));
  const tensor = Buffer.concat([int(1, float), bytes(2, dims)]);
  return Buffer.concat([bytes(1, name), bytes(2, bytes(1, tensor))]);
}

/** A field of protobuf: its number and its kind, then what it holds. */
function int(field: number, value: number): Buffer {
  const out: number[] = [];
  // Negative numbers, which only an axis is, fill 64 bits.
  for (const part of [BigInt(field * 8), BigInt.asUintN(64, BigInt(value))]) pushVarint(out, part);
  return Buffer.from(out);
}

function bytes(field: number, content: string | Buffer): Buffer {
  const body = typeof content === "string" ? Buffer.from(content) : content;
  const head: number[] = [];
  pushVarint(head, BigInt(field * 8 + 2));
  pushVarint(head, BigInt(body.length));
  return Buffer.concat([Buffer.from(head), body]);
}

function pushVarint(out: number[], value: bigint): void {
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 127n);
    if (rest < 128n) {
      out.push(low);
      return;
    }
    out.push(low | 128);
  }
}
