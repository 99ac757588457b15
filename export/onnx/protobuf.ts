/**
 * Protobuf's wire format, as much of it as ONNX needs. A message is its fields one after another, each
 * a key (the field's number and the kind of its value) and the value; integers are varints.
 */
import { bug } from "../../diagnostics/index.ts";

/** Of a field: its number, its type, and whether it repeats. */
export type Field = readonly [id: number, type: string, rule?: "repeated"];

/** The fields of each message, in the order of their numbers. */
export type Schema = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** A message as bytes. Fields without a value, or with the one that readers assume, are left out. */
export function encode(schema: Schema, name: string, message: object): Uint8Array<ArrayBuffer> {
  const pieces = encodeMessage(schema, name, message);
  const bytes = new Uint8Array(lengthOf(pieces));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** Large values are among the pieces as they are: they are copied once, at the end. */
type Pieces = readonly Uint8Array[];

const lengthOf = (pieces: Pieces) => pieces.reduce((sum, { length }) => sum + length, 0);

function encodeMessage(schema: Schema, name: string, message: object): Pieces {
  const values = message as Readonly<Record<string, unknown>>;
  return Object.entries(schema[name]!).flatMap(([key, [id, type, rule]]) => {
    const value = values[key];
    if (value === undefined) return [];
    if (rule !== "repeated") return isDefault(value) ? [] : encodeField(schema, id, type, value);
    const list = value as readonly unknown[];
    if (!integers.test(type)) return list.flatMap((one) => encodeField(schema, id, type, one));
    // Repeated integers share one key.
    return list.length > 0 ? encodeBytes(id, [varints(...(list as readonly number[]))]) : [];
  });
}

/** What a reader takes where a field is absent. */
const isDefault = (value: unknown): boolean =>
  value === 0 || value === "" || (value instanceof Uint8Array && value.length === 0);

const integers = /^int(?:32|64)$/;
const utf8 = new TextEncoder();

function encodeField(schema: Schema, id: number, type: string, value: unknown): Pieces {
  if (integers.test(type)) return [varints(id * 8, value as number)];
  switch (type) {
    case "float":
      return [varints(id * 8 + 5), new Uint8Array(Float32Array.of(value as number).buffer)];
    case "string":
      return encodeBytes(id, [utf8.encode(value as string)]);
    case "bytes":
      return encodeBytes(id, [value as Uint8Array]);
    default:
      if (!(type in schema)) bug(`protobuf has no type ${type}`);
      return encodeBytes(id, encodeMessage(schema, type, value as object));
  }
}

const encodeBytes = (id: number, content: Pieces): Pieces => [
  varints(id * 8 + 2, lengthOf(content)),
  ...content,
];

/** Seven bits in a byte, the lowest first; negative numbers fill 64 bits. */
function varints(...values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const value of values) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
  }
  return Uint8Array.from(bytes);
}
