/**
 * Workgroup memory of a tile program: which tile has which part of it when, and barriers where accesses
 * demand them and nowhere else.
 */
import type { Builder } from "../kernel/builder.ts";
import type { Buffer } from "../kernel/ir.ts";

/** Elements `from` to `from + size - 1` of a buffer. */
export interface Region {
  readonly buffer: Buffer;
  readonly from: number;
  readonly size: number;
}

const overlap = (a: Region, b: Region): boolean =>
  a.buffer === b.buffer && a.from < b.from + b.size && b.from < a.from + a.size;

/** A buffer whose parts serve several tiles, one after the other. It is as large as it has to be. */
export class Arena {
  #buffer: Buffer | undefined;
  readonly #taken = new Set<Region>();
  readonly #make: (size: number) => Buffer;

  constructor(make: (size: number) => Buffer) {
    this.#make = make;
  }

  /** The first part of that size that is free. */
  take(size: number): Region {
    let from = 0;
    for (const r of [...this.#taken].sort((a, b) => a.from - b.from))
      if (r.from < from + size && from < r.from + r.size) from = r.from + r.size;
    this.#buffer ??= this.#make(from + size);
    // The buffer belongs to the arena alone until the kernel is finished.
    (this.#buffer as { size: number }).size = Math.max(this.#buffer.size, from + size);
    const region = { buffer: this.#buffer, from, size };
    this.#taken.add(region);
    return region;
  }

  free(region: Region): void {
    this.#taken.delete(region);
  }
}

interface Access {
  readonly does: "read" | "write";
  readonly region: Region;
}

/** All accesses since the last barrier; all since the kernel began, for loops to come back to. */
export class Barriers {
  readonly #k: Builder;
  #since: Access[] = [];
  readonly #all: (Access | "barrier")[] = [];
  readonly #threads: number;
  constructor(k: Builder, threads: number) {
    this.#k = k;
    this.#threads = threads;
  }

  /**
   * All threads are about to read what others wrote, or to write: called once for all accesses of a
   * phase. A barrier goes in front where one since the last barrier clashes.
   */
  touch(does: "read" | "write", region: Region): void {
    const access = { does, region };
    if (this.#clashes(access)) this.#barrier();
    this.#since.push(access);
    this.#all.push(access);
  }

  /**
   * Called where a loop's body begins; what it returns, where it ends. The next round meets what this one
   * leaves behind, up to its own first barrier.
   */
  loop(): () => void {
    const from = this.#all.length;
    return () => {
      for (const access of this.#all.slice(from)) {
        if (access === "barrier") return;
        if (this.#clashes(access)) return this.#barrier();
      }
    };
  }

  #clashes = ({ does, region }: Access): boolean =>
    this.#since.some((a) => (a.does === "write" || does === "write") && overlap(a.region, region));

  #barrier(): void {
    // One thread waits for nobody.
    if (this.#threads > 1) this.#k.barrier();
    this.#since = [];
    this.#all.push("barrier");
  }
}
