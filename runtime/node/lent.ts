/**
 * Memory that weights are read into again and again. With fresh memory for every piece a load of ViT-B takes
 * half as much processor time again, since the system makes each page anew. A hash is computed where the bytes
 * lie, by vector instructions of WebAssembly, in a sixth of the time that JavaScript takes.
 */
import { section, unsigned } from "../devices/web-assembly.ts";
import { type Mix, mixWords, steps } from "../weights/hash.ts";

const { lanes, prime, shift } = steps;

/** Bytes of one piece: a processor's cache holds it until it is hashed and written to the device. */
const pieceBytes = 2 ** 21;
/** The lanes lie in front of the piece. */
const pieceStart = 4 * lanes;
const pageBytes = 2 ** 16;

export interface Lent {
  /** `pieceBytes` of it, at a multiple of 16 bytes. */
  readonly piece: Uint8Array<ArrayBuffer>;
  readonly mix: Mix;
}

/** What was given back, for the next. Several streams at once have one each. */
const free: Lent[] = [];

export const borrow = (): Lent => free.pop() ?? make();
export const giveBack = (lent: Lent): void => void free.push(lent);

function make(): Lent {
  const run = compiled();
  if (!run) return { piece: new Uint8Array(pieceBytes), mix: mixWords };
  const { buffer } = run.memory;
  const own = new Int32Array(buffer, 0, lanes);
  return {
    piece: new Uint8Array(buffer, pieceStart, pieceBytes),
    mix(state, words) {
      if (words.buffer !== buffer) return mixWords(state, words);
      own.set(state);
      run.mix(words.byteOffset, words.byteOffset + words.byteLength);
      state.set(own);
    },
  };
}

interface Module {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Takes the bytes from `start` to `end`, a whole number of blocks and at least one, into the lanes. */
  readonly mix: (start: number, end: number) => void;
}

/** What is used of WebAssembly: its types are a page's. */
interface Engine {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

let module: object | undefined;

/** `undefined` where a process may not compile. */
function compiled(): Module | undefined {
  const { WebAssembly: engine } = globalThis as unknown as { readonly WebAssembly?: Engine };
  if (!engine) return undefined;
  try {
    module ??= new engine.Module(moduleBytes());
    return new engine.Instance(module).exports as Module;
  } catch {
    return undefined;
  }
}

/**
 * `mixWords` as a module. The lanes are vectors of four, in its locals from the third on; the last local is the
 * prime four times.
 */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const vectors = Array.from({ length: lanes / 4 }, (_, i) => i);
  const primes = 2 + vectors.length;
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const constant = (value: number) => [0x41, ...signed(value)];
  const vector = (code: number) => [0xfd, ...unsigned(code)];
  const [splat, xor, multiply, shiftRight] = [vector(17), vector(81), vector(181), vector(173)];
  const load = (offset: number) => [...vector(0), 4, offset];
  const [add, isBelow] = [0x6a, 0x49];
  const body = [
    ...[...constant(prime | 0), ...splat, ...set(primes)],
    ...vectors.flatMap((i) => [...constant(0), ...load(16 * i), ...set(2 + i)]),
    ...[0x03, 0x40], // loop
    ...vectors.flatMap((i) => [
      ...[...get(2 + i), ...get(0), ...load(16 * i), ...xor, ...get(primes), ...multiply],
      ...[...set(2 + i), ...get(2 + i), ...get(2 + i)],
      ...[...constant(shift), ...shiftRight, ...xor, ...set(2 + i)],
    ]),
    ...[...get(0), ...constant(4 * lanes), add, ...set(0)],
    ...[...get(0), ...get(1), isBelow, 0x0d, 0, 0x0b], // branch to the loop's beginning; end
    ...vectors.flatMap((i) => [...constant(0), ...get(2 + i), ...vector(11), 4, 16 * i]), // store
    0x0b,
  ];
  const locals = [1, 1 + vectors.length, 0x7b];
  const pages = Math.ceil((pieceStart + pieceBytes) / pageBytes);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, 0x7f, 0x7f, 0]), // a type: two whole numbers, no result
    ...section(3, [1, 0]), // a function of it
    ...section(5, [1, 0, ...unsigned(pages)]), // memory
    ...section(7, [2, ...text("memory"), 2, 0, ...text("mix"), 0, 0]), // exports
    ...section(10, [1, ...unsigned(locals.length + body.length), ...locals, ...body]),
  ]);
}

const text = (word: string) => [word.length, ...new TextEncoder().encode(word)];

/** LEB128 of a number that may be below 0. */
function signed(value: number): number[] {
  const low = value & 127;
  const rest = value >> 7;
  const isLast = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
  return isLast ? [low] : [low | 128, ...signed(rest)];
}
