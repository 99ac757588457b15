/**
 * What a number format is: how numbers lie in memory, on the host and on a device. All that depends on
 * a format is asked of it: no other folder compares the name of one or knows how wide its numbers are.
 */

/** A format of files: little-endian numbers one after another. */
export interface FileFormat {
  readonly name: string;
  /** Bytes of one number. */
  readonly width: number;
  readonly isFloat: boolean;
  /**
   * As 32-bit floats, rounded to nearest where a number has more digits. The bytes begin at a multiple
   * of `width` in their buffer, which the result may share. Typed arrays follow the host's byte order:
   * every host that runs WebGPU or CUDA is little-endian, as the files are.
   */
  decode(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
}

/** One that floats are written in. */
export interface FloatFormat extends FileFormat {
  readonly isFloat: true;
  /** The largest finite number. */
  readonly largest: number;
  /** Rounds to nearest, ties to even. What is too large becomes infinite; NaN stays NaN. */
  encode(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
}

/** What a format may ask of a device. */
export type Capability = "half" | "bfloat";
export interface Capable {
  /** Whether kernels can load and store halves. */
  readonly half: boolean;
  /** Whether kernels can load and store bfloat16; undefined: they cannot. */
  readonly bfloat?: boolean;
}

/** A format of tensors on a device: whole words of 32 bits. */
export interface Format {
  readonly name: string;
  /** What a kernel computes with: what a load gives, and what a store takes. */
  readonly scalar: "f32" | "i32" | "u32";
  /** How many numbers lie together, and how many words they take. */
  readonly block: { readonly elements: number; readonly words: number };
  /** Undefined: every device has the format. */
  readonly needs?: Capability;
  /**
   * How a kernel gets a number out of words. Undefined: a target has a type of this name, and widens
   * and rounds by itself. What is read from words is not written: two threads that store parts of one
   * word would race.
   */
  readonly widen?: Widen;
  /** Whole numbers up to this one are numbers of the format. */
  readonly integers: number;
  /** The largest finite number. */
  readonly largest: number;
  /** Of formats with one number in a word: what a host has for many of them. */
  readonly array?: Float32ArrayConstructor | Int32ArrayConstructor | Uint32ArrayConstructor;
  /** Numbers as bytes, rounded; whole blocks of them, but for the end of a tensor. */
  encode(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** Of other formats that kernels store, and of those that cannot hold every finite single. */
  decode?(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
}

/** The number at `place` (0 and up) of a block, whose words `word` gives. */
export type Widen = <V>(word: (i: V | number) => V, place: V, on: Patterns<V>) => V;

/** What kernels compute with patterns of 32 bits, and with what they make of them. */
export interface Patterns<V> {
  /** Of whole numbers, or of `f32`: both operands are one or the other. */
  plus(a: V, b: V | number): V;
  times(a: V, b: V | number): V;
  /** By 0 to 31 places. What leaves the pattern is lost, and zeros come in. */
  shiftLeft(a: V, by: V | number): V;
  shiftRight(a: V, by: V | number): V;
  /** The `f32` that has this pattern. */
  float(a: V): V;
  /** The half that has the lower 16 bits as its pattern, as an `f32`. */
  half(a: V): V;
  /** The whole number that a pattern is, as an `f32`. */
  number(a: V): V;
}
