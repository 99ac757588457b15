/**
 * Cases: steps of a plan for CUDA with what lies in memory before them and what must lie there behind
 * them. Cases of one unit are a `.cu` file, whose kernels are compiled once however many cases launch
 * them, and a file of binary words. `host.hpp` runs both, on a GPU or on a processor.
 */
import type { Commit, Place, PlanKernel, PlanStep } from "../../compiler/plan.ts";
import { kernelText } from "../../runtime/devices/device.ts";
import { Words } from "./words.ts";

export interface Case {
  readonly name: string;
  readonly kernels: readonly PlanKernel[];
  readonly steps: readonly PlanStep[];
  readonly commits: readonly Commit[];
  readonly buffers: readonly CaseBuffer[];
  readonly outputs: readonly CaseOutput[];
  /** Where the time of all steps is measured: their work, in 10^9 operations. */
  readonly work?: number;
}

export interface CaseBuffer {
  readonly bytes: number;
  /** What it holds at first; NaNs unless given. */
  readonly holds?: Uint8Array | RandomNumbers;
}

/** Singles from -scale to scale; `randomAt` says which. */
export interface RandomNumbers {
  readonly seed: number;
  readonly scale: number;
}

export interface CaseOutput {
  readonly name: string;
  readonly place: Pick<Place, "buffer" | "offset">;
  readonly wanted: Float32Array | Int32Array | Uint32Array;
  /** How far a float may be off: relative to the largest element. Whole numbers must be equal. */
  readonly tolerance: number;
  /** The numbers of the elements that are known; all unless given. */
  readonly at?: readonly number[];
}

/** What a unit is: text to compile, and words to run it on. */
export interface Unit {
  readonly source: string;
  readonly cases: Uint8Array;
}

export function unitOf(cases: readonly Case[]): Unit {
  const kernels = new UnitKernels();
  const words = new Words();
  words.add(cases.length);
  for (const one of cases) addCase(words, one, kernels);
  return { source: kernels.source(), cases: words.bytes() };
}

/** Element `i` of random numbers, as `mixed` of the host has it. */
export function randomAt({ seed, scale }: RandomNumbers, i: number): number {
  let h = (Math.imul(i, 0x9e3779b1) + seed) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return Math.fround((((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1) * scale);
}

/** Kernels by their texts, names apart. */
class UnitKernels {
  readonly #numbers = new Map<string, number>();
  readonly #entries: {
    readonly name: string;
    readonly waits: boolean;
    readonly shares: boolean;
  }[] = [];
  readonly #texts: string[] = [];

  number(kernel: PlanKernel): number {
    const text = kernelText(kernel);
    const own = ` ${kernel.entry}(`;
    const known = this.#numbers.get(text.replace(own, " ("));
    if (known !== undefined) return known;
    const number = this.#entries.length;
    const name = `k${number}_${kernel.entry}`;
    this.#numbers.set(text.replace(own, " ("), number);
    this.#entries.push({
      name,
      waits: /__syncthreads|__shfl/.test(text),
      shares: kernel.sharedBytes > 0,
    });
    this.#texts.push(
      `#undef SHARED_SECTION\n#define SHARED_SECTION "shared_${number}"\n${text.replace(own, ` ${name}(`)}`,
    );
    return number;
  }

  source(): string {
    const shares = this.#entries.flatMap((e, i) => (e.shares ? [`SHARES(${i})`] : []));
    const entries = this.#entries.map(({ name, waits, shares: has }, i) =>
      has ? `  KERNEL_SHARED(${name}, ${waits}, ${i}),` : `  KERNEL(${name}, ${waits}),`,
    );
    return [
      ...["#ifndef __CUDACC__", '#include "processor.hpp"', "#endif"],
      ...this.#texts,
      ...['#include "host.hpp"', ...shares],
      ...["static const Kernel kernels[] = {", ...entries, "};"],
      "int main(int argc, char** argv) { return run_cases(kernels, argc, argv); }\n",
    ].join("\n");
  }
}

function addCase(words: Words, one: Case, kernels: UnitKernels): void {
  words.text(one.name);
  words.float(one.work ?? 0);
  words.add(one.work === undefined ? 0 : 1);
  words.add(one.buffers.length);
  for (const buffer of one.buffers) addBuffer(words, buffer);
  words.add(one.steps.length);
  for (const { kernel, groups, bindings } of one.steps) {
    const own = one.kernels[kernel]!;
    words.add(kernels.number(own), ...groups, ...own.threads, bindings.length);
    for (const place of bindings) addPlace(words, place);
  }
  words.add(one.commits.length);
  for (const { from, to } of one.commits) {
    addPlace(words, from);
    addPlace(words, to);
    words.long(from.bytes);
  }
  words.add(one.outputs.length);
  for (const output of one.outputs) addOutput(words, output);
}

/** Whole words, of halves too. */
function addBuffer(words: Words, { bytes, holds }: CaseBuffer): void {
  const whole = Math.ceil(bytes / 4) * 4;
  words.long(whole);
  if (holds === undefined) {
    words.add(0);
  } else if ("seed" in holds) {
    words.add(2, holds.seed);
    words.float(holds.scale);
  } else {
    words.add(1);
    words.copy(holds, whole / 4);
  }
}

function addPlace(words: Words, { buffer, offset }: Pick<Place, "buffer" | "offset">): void {
  words.add(buffer);
  words.long(offset);
}

function addOutput(words: Words, { name, place, wanted, tolerance, at }: CaseOutput): void {
  const isFloat = wanted instanceof Float32Array;
  const largest = [...wanted].reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  words.text(name);
  addPlace(words, place);
  words.add(isFloat ? 0 : 1);
  words.float(isFloat ? tolerance * largest : 0);
  words.float(largest);
  words.add(wanted.length, at ? 1 : 0, ...(at ?? []));
  words.copy(new Uint8Array(wanted.buffer, wanted.byteOffset, wanted.byteLength), wanted.length);
}
