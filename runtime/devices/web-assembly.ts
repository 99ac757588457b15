/** What devices use of WebAssembly, whether types of a page are there or not. */
import { diagnose } from "../../diagnostics/index.ts";

export interface WasmMemory {
  /** All bytes. It is another one once the memory has grown. */
  readonly buffer: ArrayBufferLike;
  /** By pages of 64 KiB. @throws RangeError where there are no more. */
  grow(pages: number): number;
}

interface WasmEngine {
  readonly Memory: new (pages: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>;
  instantiate(
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<{ readonly exports: Readonly<Record<string, unknown>> }>;
}

/** A module without anything, and one with a function that makes a vector. */
const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const withVectors = [
  ...[...header, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x09, 0x01, 0x07, 0x00, 0x41, 0x00, 0xfd, 0x11, 0x1a, 0x0b],
];

/** One whose function multiplies and adds in one instruction (relaxed SIMD). */
const withFma = [
  ...[...header, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x0a, 0x14],
  ...[0x01, 0x12, 0x00, ...[0, 0, 0].flatMap(() => [0x41, 0x00, 0xfd, 0x11])],
  ...[0xfd, 0x85, 0x02, 0x1a, 0x0b],
];

export const hasFma = (engine: WasmEngine): boolean => engine.validate(Uint8Array.from(withFma));

/** The engine, which has vectors. @throws E480 where nothing may be compiled, E481 where it has none. */
export function wasmEngine(): WasmEngine {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WasmEngine };
  if (!WebAssembly) throw forbidden("the engine has no WebAssembly");
  try {
    new WebAssembly.Module(Uint8Array.from(header));
  } catch (cause) {
    throw forbidden((cause as Error).message, cause);
  }
  if (WebAssembly.validate(Uint8Array.from(withVectors))) return WebAssembly;
  throw diagnose("E481", {
    message: "the WebAssembly of this engine has no vectors (SIMD)",
    help: "use Node 20 or newer, or a browser of 2023 or newer (Chrome 91, Firefox 89, Safari 16.4); else open another device",
  });
}

const forbidden = (why: string, cause?: unknown) =>
  diagnose("E480", {
    message: `nothing may be compiled to WebAssembly here: ${why}`,
    help: "in a page, add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy; else open another device",
    cause,
  });

/** A section of a module. */
export const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

/** LEB128: seven bits a byte, the lowest first. */
export function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
