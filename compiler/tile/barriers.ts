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
    if (this.#clashes(access)) this.barrier();
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
        if (this.#clashes(access)) return this.barrier();
      }
    };
  }

  #clashes = ({ does, region }: Access): boolean =>
    this.#since.some((a) => (a.does === "write" || does === "write") && overlap(a.region, region));

  /** All threads get here before any goes on. */
  barrier(): void {
    // One thread waits for nobody.
    if (this.#threads > 1) this.#k.barrier();
    this.#since = [];
    this.#all.push("barrier");
  }
}

/** A tile in workgroup memory, row-major. */
export interface Staged {
  readonly region: Region;
  /** From row to row. */
  readonly stride: number;
  /** How many loops it was made in, and how many more times it is read. */
  readonly depth: number;
  left: number;
}

/** What lies in one buffer: operands, as they need it; parts of sums; what threads fold, in fours. */
type Kind = "operands" | "parts" | "folds";

/** Tiles in workgroup memory. */
export class Memory {
  readonly #barriers: Barriers;
  readonly #arenas: Readonly<Record<Kind, Arena>>;
  #depth = 0;
  /** Read for the last time in a loop further in than where they were made: the loop comes back to them. */
  #late: Staged[] = [];

  constructor(k: Builder, threads: number, operands: (size: number) => Buffer) {
    this.#barriers = new Barriers(k, threads);
    this.#arenas = {
      operands: new Arena(operands),
      parts: new Arena((size) => k.shared("parts", size)),
      folds: new Arena((size) => k.sharedFours("folds", size)),
    };
  }

  /** Memory for a tile that all are about to write. It is read `left` times. */
  take(of: Kind, size: number, stride: number, left: number): Staged {
    const region = this.#arenas[of].take(size);
    this.#barriers.touch("write", region);
    return { region, stride, depth: this.#depth, left };
  }
  /** All are about to read a tile, together. */
  read(...tiles: readonly Staged[]): void {
    for (const { region } of tiles) this.#barriers.touch("read", region);
  }
  /** A tile was read once more. After the last time its memory is free, outside of loops that come back. */
  release(...tiles: readonly Staged[]): void {
    for (const tile of tiles) {
      tile.left--;
      if (tile.left > 0) continue;
      if (tile.depth < this.#depth) this.#late.push(tile);
      else this.#free(tile);
    }
  }
  /** The accesses of `body` come again in each of `count` rounds. */
  loop(count: number, body: () => void): void {
    this.#depth++;
    const end = this.#barriers.loop();
    body();
    if (count > 1) end();
    this.#depth--;
    const isOver = (tile: Staged) => tile.depth === this.#depth;
    for (const tile of this.#late.filter(isOver)) this.#free(tile);
    this.#late = this.#late.filter((tile) => !isOver(tile));
  }
  /** All threads get here before any goes on. */
  barrier(): void {
    this.#barriers.barrier();
  }
  /** How many loops deep. */
  get depth(): number {
    return this.#depth;
  }

  #free({ region }: Staged): void {
    for (const arena of Object.values(this.#arenas)) arena.free(region);
  }
}
