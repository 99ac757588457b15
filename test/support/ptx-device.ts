/**
 * A device that runs printed PTX, as `ptx-kernel.ts` understands it, and is strict: accesses outside of what a plan
 * has, or where nothing may be accessed at once, are refused, and so are threads of a block that access one word of
 * shared memory without a barrier between, barriers that not all reach, and exchanges without a thread of the warp.
 * Threads, warps and blocks run forwards or backwards.
 */
import { capabilities } from "../../compiler/targets/cuda/capabilities.ts";
import { bfloatToFloat, formatOf, halfToFloat, wholeWords } from "../../formats/index.ts";
import { givenBytes } from "../../runtime/devices/cuda.ts";
import {
  checkHeld,
  type Device,
  type DeviceBuffer,
  kernelText,
} from "../../runtime/devices/device.ts";
import { checkFits } from "../../runtime/devices/fits.ts";
import { type Memory, type PtxKernel, ptxKernel, type Thread, type Triple } from "./ptx-kernel.ts";
import { loadMatrices, multiplyMatrices } from "./ptx-matrices.ts";

interface PtxBuffer extends DeviceBuffer {
  readonly address: number;
  isFreed: boolean;
}

export type Order = "forwards" | "backwards";

export function ptxDevice(order: Order = "forwards"): Device {
  const heap = new Heap();
  const ofBuffer = (buffer: DeviceBuffer, offset: number, bytes: number) => {
    checkHeld(buffer);
    return heap.bytes.subarray((buffer as PtxBuffer).address + offset).subarray(0, bytes);
  };
  return {
    target: "ptx",
    name: `PTX, ${order}`,
    capabilities,
    lost: new Promise(() => {}),
    checkAlive() {},
    async allocate(buffers) {
      return buffers.map(({ bytes, role }): DeviceBuffer => {
        const address = heap.take(bytes, role === "state" ? 0 : 0xff);
        const buffer: PtxBuffer = {
          ...{ address, bytes, isFreed: false },
          destroy() {
            if (!buffer.isFreed) heap.give(address, bytes);
            buffer.isFreed = true;
          },
        };
        return buffer;
      });
    },
    write(to, offset, data) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      ofBuffer(to, offset, bytes.length).set(bytes);
    },
    copy(pairs) {
      for (const [from, to] of pairs)
        ofBuffer(to, 0, from.bytes).set(ofBuffer(from, 0, from.bytes));
    },
    async read(from, offset, count, scalar) {
      const { array, block } = formatOf(scalar);
      const bytes = (count * block.words * 4) / block.elements;
      return new array!(Uint8Array.from(ofBuffer(from, offset, bytes)).buffer);
    },
    async load(plan, buffers) {
      checkFits(plan, capabilities);
      const kernels = plan.kernels.map((kernel) => compiled(kernelText(kernel)));
      for (const [i, kernel] of kernels.entries())
        if (kernel.given !== givenBytes(plan.kernels[i]!)) throw new Error("other shared memory");
      const run = () => {
        for (const { kernel, groups, bindings } of plan.steps) {
          const given = bindings.map(
            ({ buffer, offset }) => (buffers[buffer] as PtxBuffer).address + offset,
          );
          launch(kernels[kernel]!, groups, given, heap, order);
        }
      };
      return {
        async run() {
          run();
          for (const { from, to } of plan.commits)
            ofBuffer(buffers[to.buffer]!, to.offset, from.bytes).set(
              ofBuffer(buffers[from.buffer]!, from.offset, from.bytes),
            );
          return { accepted: Promise.resolve() };
        },
        async profile() {
          run();
          return [];
        },
      };
    },
    destroy() {},
  };
}

const known = new Map<string, PtxKernel>();

function compiled(text: string): PtxKernel {
  const kernel = known.get(text) ?? ptxKernel(text);
  known.set(text, kernel);
  return kernel;
}

/** Global memory. What is not taken may not be accessed. */
class Heap implements Memory {
  bytes = new Uint8Array(1 << 20);
  floats = new Float32Array(this.bytes.buffer);
  words = new Int32Array(this.bytes.buffer);
  halves = new Uint16Array(this.bytes.buffer);
  /** By word. */
  #taken = new Uint8Array(this.words.length);
  #end = 256;

  take(bytes: number, filling: number): number {
    const address = this.#end;
    this.#end += Math.ceil(bytes / 256 + 1) * 256;
    if (this.#end > this.bytes.length) this.#grow(2 * this.#end);
    this.bytes.fill(filling, address, address + wholeWords(bytes));
    this.#taken.fill(1, address / 4, (address + wholeWords(bytes)) / 4);
    return address;
  }

  give(address: number, bytes: number): void {
    this.#taken.fill(0, address / 4, (address + wholeWords(bytes)) / 4);
  }

  reading(thread: Thread, address: number, bytes: number, width: number): number {
    if (address % (bytes * width) !== 0) refuse(thread, `${address} is no place for ${width}`);
    const last = (address + bytes * width - 1) >>> 2;
    if (this.#taken[address >>> 2] !== 1 || this.#taken[last] !== 1)
      refuse(thread, `${address} of global memory is outside`);
    return address / bytes;
  }

  writing = this.reading;

  #grow(to: number): void {
    const bytes = new Uint8Array(Math.ceil(to / 256) * 256);
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.floats = new Float32Array(bytes.buffer);
    this.words = new Int32Array(bytes.buffer);
    this.halves = new Uint16Array(bytes.buffer);
    const taken = new Uint8Array(this.words.length);
    taken.set(this.#taken);
    this.#taken = taken;
  }
}

/** Threads of one interval between barriers are numbered from its first number. */
const perInterval = 2048;
const several = perInterval - 1;

/** Shared or local memory, which holds NaNs at first. */
class Scratch implements Memory {
  readonly floats: Float32Array;
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  /** By word: who read and who wrote it last, as a number of the interval. */
  readonly #readers: Int32Array;
  readonly #writers: Int32Array;
  #interval = perInterval;

  constructor(bytes: number) {
    const memory = new Uint8Array(bytes).fill(0xff);
    this.floats = new Float32Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.halves = new Uint16Array(memory.buffer);
    this.#readers = new Int32Array(bytes / 4);
    this.#writers = new Int32Array(bytes / 4);
  }

  /** A barrier: whoever accessed it before does not matter. */
  pass(): void {
    this.#interval += perInterval;
  }

  reading(thread: Thread, address: number, bytes: number, width: number): number {
    const me = this.#interval + thread.number;
    for (let i = this.#first(thread, address, bytes, width); 4 * i < address + bytes * width; i++) {
      if (this.#isOther(this.#writers[i]!, me)) refuse(thread, `race: it reads word ${i}`);
      const isShared = this.#isOther(this.#readers[i]!, me);
      this.#readers[i] = isShared ? this.#interval + several : me;
    }
    return address / bytes;
  }

  writing(thread: Thread, address: number, bytes: number, width: number): number {
    const me = this.#interval + thread.number;
    for (let i = this.#first(thread, address, bytes, width); 4 * i < address + bytes * width; i++) {
      if (this.#isOther(this.#writers[i]!, me) || this.#isOther(this.#readers[i]!, me))
        refuse(thread, `race: it writes word ${i}`);
      this.#writers[i] = me;
    }
    return address / bytes;
  }

  #isOther(by: number, me: number): boolean {
    return by >= this.#interval && by !== me;
  }

  #first(thread: Thread, address: number, bytes: number, width: number): number {
    const isInside = address >= 0 && address + bytes * width <= 4 * this.words.length;
    if (!isInside || address % (bytes * width) !== 0)
      refuse(thread, `${address} is no place for ${width} in ${4 * this.words.length} bytes`);
    return address >>> 2;
  }
}

const none = new Scratch(0);

const refuse = ({ tid, ctaid }: Thread, what: string): never => {
  throw new Error(`thread ${tid} of block ${ctaid}: ${what}`);
};

const triples = ([x, y, z]: Triple): Triple[] =>
  Array.from({ length: x * y * z }, (_, i) => [
    i % x,
    Math.floor(i / x) % y,
    Math.floor(i / x / y),
  ]);

const ordered = <T>(all: readonly T[], order: Order): readonly T[] =>
  order === "forwards" ? all : [...all].reverse();

function launch(
  kernel: PtxKernel,
  groups: Triple,
  params: readonly number[],
  global: Memory,
  order: Order,
): void {
  if (params.length !== kernel.params) throw new Error(`${kernel.entry} has ${kernel.params}`);
  const tids = triples(kernel.threads);
  for (const ctaid of ordered(triples(groups), order)) {
    const shared = new Scratch(kernel.sharedBytes);
    const threads = tids.map(
      (tid, number): Thread => ({
        ...{
          number,
          tid,
          ctaid,
          local: kernel.localBytes > 0 ? new Scratch(kernel.localBytes) : none,
        },
        ...{ at: "barrier", how: "idx", by: 0, mask: 0, value: 0 },
        ...{ copies: [[]], row: undefined, words: [], sums: [] },
      }),
    );
    if (kernel.waits) runTogether(kernel, threads, params, global, shared, order);
    else for (const thread of ordered(threads, order)) kernel.run(thread, params, global, shared);
  }
}

interface Running {
  readonly thread: Thread;
  readonly steps: Generator<undefined, void>;
  isDone: boolean;
}

function runTogether(
  kernel: PtxKernel,
  threads: readonly Thread[],
  params: readonly number[],
  global: Memory,
  shared: Scratch,
  order: Order,
): void {
  const all = threads.map((thread): Running => {
    const steps = kernel.run(thread, params, global, shared)!;
    return { thread, steps, isDone: false };
  });
  const warps = Array.from({ length: Math.ceil(all.length / 32) }, (_, i) =>
    all.slice(32 * i, 32 * i + 32),
  );
  for (;;) {
    for (const warp of ordered(warps, order)) toBarrier(warp, order);
    const done = all.filter(({ isDone }) => isDone).length;
    if (done === all.length) return;
    if (done > 0) throw new Error(`${done} of ${all.length} threads do not reach a barrier`);
    shared.pass();
  }
}

/** Runs a warp until all its threads are at a barrier or at their end. */
function toBarrier(warp: readonly Running[], order: Order): void {
  for (;;) {
    let exchanging = 0;
    for (const running of ordered(warp, order)) {
      running.isDone = running.steps.next().done === true;
      if (!running.isDone && running.thread.at === "exchange") exchanging++;
    }
    if (exchanging === 0) return;
    if (exchanging < warp.length) refuse(warp[0]!.thread, "a warp exchanges without a thread");
    exchange(warp.map(({ thread }) => thread));
  }
}

function exchange(warp: readonly Thread[]): void {
  const all = warp.length === 32 ? -1 : 2 ** warp.length - 1;
  const [{ how: first, by: count, mask: turned }] = warp as readonly [Thread];
  if (first === "ldmatrix" || first === "mma") {
    const isSame = (t: Thread) => t.how === first && t.by === count && t.mask === turned;
    if (warp.length < 32 || !warp.every(isSame)) refuse(warp[0]!, `no whole warp is at ${first}`);
    if (first === "mma") multiplyMatrices(warp, count === 1 ? bfloatToFloat : halfToFloat);
    else loadMatrices(warp, count, turned === 1);
    return;
  }
  const given = warp.map(({ value }) => value);
  for (const [lane, thread] of warp.entries()) {
    const { how, by, mask } = thread;
    if (mask !== all || how !== warp[0]!.how) refuse(thread, `exchanges among ${mask}, not ${all}`);
    const from = how === "bfly" ? lane ^ by : how === "idx" ? by : lane + by;
    // Beyond the warp a thread keeps what it has; of a thread that is not there nothing is known.
    thread.value = from > 31 ? given[lane]! : (given[from] ?? -1);
  }
}
