/**
 * V8's revectoriser: it makes one instruction of 256 bits of two vectors of WebAssembly that follow each other. It is an
 * experiment of V8 (Node 24 and newer, x64), off unless asked for, and is tried before it is used.
 */
import { setFlagsFromString } from "node:v8";
import { section, unsigned } from "../devices/web-assembly.ts";

const name = "experimental-wasm-revectorize";

interface Tried {
  readonly f: (left: number, right: number, to: number, deep: number) => void;
  readonly m: { readonly buffer: ArrayBuffer };
}

/** Whether the process was started with it. */
export const startedWithPairs = (): boolean => process.execArgv.includes(`--${name}`);

/** Turns it on for what is compiled from now on; false where there is none, or it computes something else. */
export function turnOnPairs(): boolean {
  const isThere = process.arch === "x64" && Number.parseInt(process.versions.v8, 10) >= 13;
  if (!isThere) return false;
  setFlagsFromString(`--${name}`);
  if (multiplies(productModule())) return true;
  setFlagsFromString(`--no-${name}`);
  return false;
}

const [rows, vectors, depth] = [2, 4, 5];

/** Whether products of whole numbers, which are exact, come out of what V8 makes of a module when it optimises. */
export function multiplies(bytes: readonly number[]): boolean {
  // V8's first compiler does not optimise: its code would not show what the revectoriser does.
  setFlagsFromString("--no-liftoff");
  try {
    const { WebAssembly } = globalThis as unknown as {
      readonly WebAssembly: {
        readonly Module: new (bytes: Uint8Array) => object;
        readonly Instance: new (module: object) => { readonly exports: unknown };
      };
    };
    const module = new WebAssembly.Module(Uint8Array.from(bytes));
    const { f, m } = new WebAssembly.Instance(module).exports as Tried;
    const all = new Float32Array(m.buffer);
    const [right, to] = [64, 256];
    const left = (d: number, i: number) => ((d * rows + i) % 7) - 3;
    const across = (d: number, c: number) => ((d * 4 * vectors + c) % 11) - 5;
    for (let d = 0; d < depth; d++) {
      for (let i = 0; i < rows; i++) all[d * rows + i] = left(d, i);
      for (let c = 0; c < 4 * vectors; c++) all[right + d * 4 * vectors + c] = across(d, c);
    }
    f(0, 4 * right, 4 * to, depth);
    for (let i = 0; i < rows; i++)
      for (let c = 0; c < 4 * vectors; c++) {
        let sum = 0;
        for (let d = 0; d < depth; d++) sum += left(d, i) * across(d, c);
        const last = across(depth - 1, c);
        if (all[to + i * 4 * vectors + c] !== (sum + last) * Math.max(sum, last)) return false;
      }
    return true;
  } catch {
    return false;
  } finally {
    setFlagsFromString("--liftoff");
  }
}

/** A block of sums as kernels have it: for each sum s and the last vector r of its column it stores (s + r) max(s, r). */
export function productModule(): number[] {
  const [get, set, i32] = [0x20, 0x21, 0x7f];
  const [add, sub] = [0x6a, 0x6b];
  const simd = (code: number) => [0xfd, ...unsigned(code)];
  const at = (code: number, shift: number, offset: number) => [
    ...simd(code),
    shift,
    ...unsigned(offset),
  ];
  const [load, splat, store] = [0x00, 0x09, 0x0b];
  const [fma, sumOf, product, larger] = [0x105, 0xe4, 0xe6, 0xe9];
  const first = 4;
  const each = <T>(count: number, make: (i: number) => T[]): T[] =>
    Array.from({ length: count }, (_, i) => make(i)).flat();
  const sum = (i: number, j: number) => first + i * vectors + j;
  const right = (j: number) => first + rows * vectors + j;
  const left = right(vectors);
  const raise = (local: number, by: number, op = add) => [
    get,
    local,
    0x41,
    ...signed(by),
    op,
    set,
    local,
  ];
  const round = [
    ...each(vectors, (j) => [get, 1, ...at(load, 2, 16 * j), set, right(j)]),
    ...each(rows, (i) => [
      ...[get, 0, ...at(splat, 2, 4 * i), set, left],
      ...each(vectors, (j) => [
        get,
        left,
        get,
        right(j),
        get,
        sum(i, j),
        ...simd(fma),
        set,
        sum(i, j),
      ]),
    ]),
    ...raise(0, 4 * rows),
    ...raise(1, 16 * vectors),
    ...raise(3, 1, sub),
  ];
  const body = [
    ...[1, left - first + 1, 0x7b],
    ...[0x03, 0x40, ...round, get, 3, 0x0d, 0x00, 0x0b],
    ...each(rows, (i) =>
      each(vectors, (j) => [
        ...[get, 2, get, sum(i, j), get, right(j), ...simd(sumOf)],
        ...[get, sum(i, j), get, right(j), ...simd(larger), ...simd(product)],
        ...at(store, 2, 16 * (i * vectors + j)),
      ]),
    ),
    0x0b,
  ];
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 4, i32, i32, i32, i32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, 1, 0x66, 0, 0, 1, 0x6d, 2, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ];
}

/** A whole number from 0 to 8191 in the signed LEB128 of WebAssembly. */
const signed = (value: number): number[] =>
  value < 64 ? [value] : [(value & 127) | 128, value >> 7];
