/**
 * How the threads of a workgroup copy an operand from its ports: in blocks of four by four elements, so that
 * four neighbours are read together whichever way the memory lies. Where texts are kept short a block is one row,
 * since slow compilers take longest for loads and stores; then neighbouring threads have two blocks of a row and
 * eight rows, so that together they read neighbours whichever way the memory lies.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Builder } from "../kernel/builder.ts";
import { bounded, literal, type Value } from "../kernel/value.ts";
import { foursIn, placeIn } from "./places.ts";
import type { At, Span } from "./program.ts";

/** Takes four neighbours of a row: the row of the tile, and their number among its fours. */
type Put = (row: Value, four: Value, values: readonly Value[]) => void;

export class Staging {
  readonly #k: Builder;
  readonly #threads: number;
  /** Rows of a block. */
  readonly #deep: 1 | 4;
  /** As many threads, the first ones, copied a block more than the others. */
  #ahead = 0;

  constructor(k: Builder, threads: number, rolled: boolean) {
    this.#k = k;
    this.#threads = threads;
    this.#deep = rolled ? 1 : 4;
  }

  /** Shares the blocks among all threads. Operands that follow each other are shared evenly together. */
  copy(rows: Span, columns: Span, at: At, outside: number, put: Put): void {
    const [k, threads, deep] = [this.#k, this.#threads, this.#deep];
    if (rows.size % 4 || columns.size % 4) bug(`an operand of ${rows.size} x ${columns.size}`);
    const across = columns.size / 4;
    const count = (rows.size / deep) * across;
    const turned = k.thread(0, threads).add(threads - this.#ahead);
    const first = k.let("e", turned.mod(threads));
    k.for("part", Math.ceil(count / threads), (part) => {
      const e = k.let("e", part.mul(threads).add(first));
      k.if(e.lt(count), () => {
        const inside = bounded(e, count - 1);
        const [r, c] = this.#blockAt(inside, rows.size, across);
        const places = foursIn(k, columns, c);
        // All are loaded before any is written: loads do not wait for each other.
        const lines = deep === 1 ? [placeIn(k, rows, r)] : foursIn(k, rows, r);
        const block = lines.map(([y, inRow]) =>
          places.map(([x, inColumn]) =>
            inRow.and(inColumn).select(at(y, x), literal(outside, "f32")),
          ),
        );
        for (const [i, values] of block.entries()) put(r.mul(deep).add(i), c, values);
      });
    });
    this.#ahead = (this.#ahead + count) % threads;
  }

  /** Row and column of block number `e`, of `across` in a row. */
  #blockAt(e: Value, rows: number, across: number): readonly [Value, Value] {
    const k = this.#k;
    if (this.#deep === 4) return [k.let("r", e.div(across)), k.let("c", e.mod(across))];
    const [down, beside] = [rows % 8 === 0 ? 8 : 4, across % 2 === 0 ? 2 : 1];
    const row = e
      .div(down * across)
      .mul(down)
      .add(e.div(beside).mod(down));
    const column = e
      .div(down * beside)
      .mod(across / beside)
      .mul(beside)
      .add(e.mod(beside));
    return [k.let("r", row), k.let("c", column)];
  }
}
