/**
 * How the threads of a workgroup copy an operand from its ports: in blocks of four by four elements, so that
 * four neighbours are read together whichever way the memory lies.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Builder } from "../kernel/builder.ts";
import { bounded, literal, type Value } from "../kernel/value.ts";
import { foursIn } from "./places.ts";
import type { At, Span } from "./program.ts";

/** Takes four neighbours of a row: the row of the tile, and their number among its fours. */
type Put = (row: Value, four: Value, values: readonly Value[]) => void;

export class Staging {
  readonly #k: Builder;
  readonly #threads: number;
  /** As many threads, the first ones, copied a block more than the others. */
  #ahead = 0;

  constructor(k: Builder, threads: number) {
    this.#k = k;
    this.#threads = threads;
  }

  /** Shares the blocks among all threads. Operands that follow each other are shared evenly together. */
  copy(rows: Span, columns: Span, at: At, outside: number, put: Put): void {
    const [k, threads] = [this.#k, this.#threads];
    if (rows.size % 4 || columns.size % 4) bug(`an operand of ${rows.size} x ${columns.size}`);
    const across = columns.size / 4;
    const count = (rows.size / 4) * across;
    const turned = k.thread(0, threads).add(threads - this.#ahead);
    const first = k.let("e", turned.mod(threads));
    k.for("part", Math.ceil(count / threads), (part) => {
      const e = k.let("e", part.mul(threads).add(first));
      k.if(e.lt(count), () => {
        const inside = bounded(e, count - 1);
        const [r, c] = [k.let("r", inside.div(across)), k.let("c", inside.mod(across))];
        const places = foursIn(k, columns, c);
        // All are loaded before any is written: loads do not wait for each other.
        const block = foursIn(k, rows, r).map(([y, inRow]) =>
          places.map(([x, inColumn]) =>
            inRow.and(inColumn).select(at(y, x), literal(outside, "f32")),
          ),
        );
        for (const [i, values] of block.entries()) put(r.mul(4).add(i), c, values);
      });
    });
    this.#ahead = (this.#ahead + count) % threads;
  }
}
