/** The code of a function while it is written: instructions, and locals that are used again. */
import { bug } from "../../../diagnostics/index.ts";
import { blockTypes, instruction, type ValueType } from "./instructions.ts";

export type Local = number;

/** `bytes` of a `v128` whose four lanes are one pattern of 32 bits. */
const four = (pattern: Uint8Array): number[] => [...pattern, ...pattern, ...pattern, ...pattern];

export class Code {
  bytes: number[] = [];
  readonly locals: ValueType[] = [];
  readonly #params: number;
  readonly #free: Record<ValueType, Local[]> = { i32: [], f32: [], v128: [] };
  /** Locals by the pattern that they hold from the beginning. */
  readonly #constants = new Map<number, Local>();

  /** Whether `fma` is one instruction. */
  readonly fma: boolean;

  constructor(params: number, fma = false) {
    this.#params = params;
    this.fma = fma;
  }

  op(name: string, ...given: readonly number[]): void {
    if (!instruction(this.bytes, name, given)) bug(`no instruction ${name} of WebAssembly`);
  }

  get(local: Local): void {
    this.op("local.get", local);
  }

  set(local: Local): void {
    this.op("local.set", local);
  }

  tee(local: Local): void {
    this.op("local.tee", local);
  }

  i32(value: number): void {
    this.op("i32.const", value);
  }

  /** Four times one `f32`. */
  floats(value: number): void {
    this.patterns(new Uint32Array(Float32Array.of(value).buffer)[0]!);
  }

  /**
   * Four times one pattern of 32 bits. All but zeros are in locals: engines make a constant anew at each use, in
   * several instructions. GELU takes 0.95 of the time so, attention 0.93 (Node 24, AVX2).
   */
  patterns(value: number): void {
    const pattern = value >>> 0;
    if (pattern === 0) this.#constant(0);
    else {
      const local = this.#constants.get(pattern) ?? this.fresh("v128");
      this.#constants.set(pattern, local);
      this.get(local);
    }
  }

  #constant(pattern: number): void {
    this.op("v128.const", ...four(new Uint8Array(Uint32Array.of(pattern).buffer)));
  }

  /** The function's instructions: constants first, then what was written. */
  whole(): readonly number[] {
    const first = this.aside(() => {
      for (const [pattern, local] of this.#constants) {
        this.#constant(pattern);
        this.set(local);
      }
    });
    return [...first, ...this.bytes];
  }

  /** 0, 1, 2, 3 times a number. */
  steps(by: number): void {
    const steps = Uint32Array.of(0, by, 2 * by, 3 * by);
    this.op("v128.const", ...new Uint8Array(steps.buffer));
  }

  /** Lanes of two vectors, numbered 0 to 7. */
  shuffle(...from: readonly number[]): void {
    this.op(
      "i8x16.shuffle",
      ...from.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
    );
  }

  /** A local that nobody else uses until it is released. */
  local(type: ValueType): Local {
    const known = this.#free[type].pop();
    return known ?? this.fresh(type);
  }

  release(type: ValueType, local: Local): void {
    this.#free[type].push(local);
  }

  /** A local that nobody used before. */
  fresh(type: ValueType): Local {
    this.locals.push(type);
    return this.#params + this.locals.length - 1;
  }

  /** What `write` writes, for `put` to write later. */
  aside(write: () => void): readonly number[] {
    const before = this.bytes;
    this.bytes = [];
    write();
    const written = this.bytes;
    this.bytes = before;
    return written;
  }

  put(written: readonly number[]): void {
    for (const byte of written) this.bytes.push(byte);
  }

  /** A local with what is on the stack, while `use` writes code. */
  held(type: ValueType, use: (local: Local) => void): void {
    const local = this.local(type);
    this.set(local);
    use(local);
    this.release(type, local);
  }

  /** Takes a condition from the stack. */
  when(leaves: keyof typeof blockTypes, yes: () => void, no?: () => void): void {
    this.op("if", blockTypes[leaves]);
    yes();
    if (no) {
      this.op("else");
      no();
    }
    this.op("end");
  }

  /** Counts a local from 0 in steps, once at least. */
  loop(counter: Local, limit: number, step: number, body: () => void): void {
    this.i32(0);
    this.set(counter);
    this.op("loop", blockTypes.nothing);
    body();
    this.get(counter);
    this.i32(step);
    this.op("i32.add");
    this.tee(counter);
    this.i32(limit);
    this.op("i32.lt_u");
    this.op("br_if", 0);
    this.op("end");
  }
}
