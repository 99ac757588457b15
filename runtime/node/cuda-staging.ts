/** Memory of the host that a GPU copies to and from by itself, in blocks that are used again. */
import { type CudaDriver, failures } from "./cuda-driver.ts";

export interface Block {
  readonly address: bigint;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Recorded behind the last copy. */
  readonly event: bigint;
  isHeld: boolean;
}

/** The largest block: what is longer is copied in parts. */
export const blockBytes = 4 * 2 ** 20;
/** How many bytes there may be before a copy waits for an earlier one. */
const mostBytes = 64 * 2 ** 20;
const smallest = 64 * 1024;
/** Who waits for the event sleeps, and it measures no time. */
const eventFlags = 1 | 2;

export class Staging {
  readonly #driver: CudaDriver;
  readonly #blocks: Block[] = [];

  constructor(driver: CudaDriver) {
    this.#driver = driver;
  }

  /** A block that nothing is copied to or from, at most `blockBytes` long. */
  take(bytes: number): Block {
    const isFit = (block: Block) => !block.isHeld && block.bytes.length >= bytes;
    const fit = this.#blocks.filter(isFit);
    const done = fit.find(({ event }) => this.#driver.try("cuEventQuery", event) === 0);
    if (done) return held(done);
    const total = this.#blocks.reduce((sum, block) => sum + block.bytes.length, 0);
    const [first] = fit;
    if (!first || total < mostBytes) return held(this.#make(bytes));
    this.#driver.call("cuEventSynchronize", first.event);
    // The one that waited longest is asked last.
    this.#blocks.push(...this.#blocks.splice(this.#blocks.indexOf(first), 1));
    return held(first);
  }

  #make(bytes: number): Block {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)));
    const address = this.#driver.made("cuMemHostAlloc", size, 0);
    const event = this.#driver.made("cuEventCreate", eventFlags);
    const block = { address, event, bytes: this.#driver.view(address, size), isHeld: false };
    this.#blocks.push(block);
    return block;
  }

  /** Whether what was copied last is there. @throws CudaFailure */
  isDone({ event }: Block): boolean {
    const code = this.#driver.try("cuEventQuery", event);
    if (code === failures.notReady) return false;
    this.#driver.check("cuEventQuery", code);
    return true;
  }

  free(): void {
    for (const { address, event } of this.#blocks.splice(0)) {
      this.#driver.try("cuEventDestroy_v2", event);
      this.#driver.try("cuMemFreeHost", address);
    }
  }
}

function held(block: Block): Block {
  block.isHeld = true;
  return block;
}
