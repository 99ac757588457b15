/**
 * A loop whose operands come from memory while those of earlier steps are multiplied: workgroup memory has several
 * steps of each operand. What lies in memory as fragments take it is copied while the threads go on, sixteen bytes
 * at a time, by rows or by columns; of anything else the elements are computed and stored.
 */
import { elementsIn } from "../../formats/index.ts";
import type { Builder } from "../kernel/builder.ts";
import { copied } from "../kernel/ir.ts";
import { bounded, index, type Value } from "../kernel/value.ts";
import type { MatrixProduct } from "../plan.ts";
import type { Memory, Staged } from "./barriers.ts";
import { placeIn, range } from "./places.ts";
import type { At, Span } from "./program.ts";
import type { Staging } from "./staging.ts";

/** From row to row of an operand: 16 bytes more than it has, so that rows lie in other banks. */
export const strideOf = (columns: number, { operand }: MatrixProduct): number =>
  columns + elementsIn(operand, 16);

/** An operand of which one step lies at `slot`, in elements from its first; by columns where it is turned. */
export interface InStages extends Staged {
  readonly slot?: Value;
  readonly turned?: boolean;
}

export function elementOf({ region, stride, slot, turned }: InStages, r: Value, c: Value): Value {
  const [line, place] = turned ? [c, r] : [r, c];
  return line
    .mul(stride)
    .add(place)
    .add(slot ?? index(0))
    .add(region.from);
}

/** Where all steps of an operand lie, and how they get there. */
interface Ring {
  readonly staged: Staged;
  readonly size: number;
  readonly by: "rows" | "columns" | "elements";
}

type Take = (size: number, stride: number) => Staged;

export class Pipeline {
  readonly #k: Builder;
  readonly #memory: Memory;
  readonly #staging: Staging;
  readonly #stages: number;
  readonly #threads: number;
  readonly #rings: Ring[] = [];
  /** The operand that comes next, and where the step has its parts. */
  #next = 0;
  #slot: Value = index(0);
  isFilling = false;

  constructor(k: Builder, memory: Memory, staging: Staging, stages: number, threads: number) {
    this.#k = k;
    this.#memory = memory;
    this.#staging = staging;
    this.#stages = stages;
    this.#threads = threads;
  }

  /**
   * `body` is called for each step twice: while it is filled, and when all that it needs is there. A step is filled
   * in the place of the one that was multiplied before this one, which all threads have left at the barrier.
   */
  run(count: number, body: (step: Value) => void): void {
    const [k, memory, ahead] = [this.#k, this.#memory, this.#stages - 1];
    const phase = (isFilling: boolean, step: Value) => {
      this.isFilling = isFilling;
      this.#next = 0;
      this.#slot = k.let("slot", step.mod(this.#stages));
      memory.loop(1, () => body(step));
    };
    for (const step of range(ahead, index)) {
      if (step.bound < count) phase(true, step);
      k.copyGroup();
    }
    k.for("step", count, (step) => {
      k.copyWait(ahead - 1);
      memory.barrier();
      if (count > ahead)
        k.if(step.lt(count - ahead), () =>
          phase(true, bounded(step, count - 1 - ahead).add(ahead)),
        );
      k.copyGroup();
      phase(false, step);
    });
    const all = this.#rings.map(({ staged }) => staged);
    memory.read(...all);
    memory.release(...all);
  }

  stage(
    ...[rows, columns, at, outside, take, product]: readonly [
      ...[rows: Span, columns: Span, at: At, outside: number],
      ...[take: Take, product: MatrixProduct],
    ]
  ): InStages {
    const number = this.#next++;
    const known = this.#rings[number];
    const ring = known ?? this.#ring(rows, columns, at, outside, take, product);
    this.#rings[number] = ring;
    const { staged, size, by } = ring;
    const slot = this.#k.let("slot", this.#slot.mul(size));
    const placed: InStages = { ...staged, slot, turned: by === "columns" };
    if (!this.isFilling) return placed;
    if (by === "rows") this.#copy(rows, columns, at, placed);
    else if (by === "columns") this.#copy(columns, rows, (c, r) => at(r, c), placed);
    else
      this.#staging.copy(rows, columns, at, outside, (row, four, values) => {
        const place = elementOf(placed, row, four.mul(4));
        this.#k.store4(staged.region.buffer, place.div(4), values);
      });
    return placed;
  }

  #ring(
    ...[rows, columns, at, outside, take, product]: readonly [
      ...[rows: Span, columns: Span, at: At, outside: number],
      ...[take: Take, product: MatrixProduct],
    ]
  ): Ring {
    const isCopied = (lines: Span, along: Span, read: At) =>
      outside === 0 && this.#isCopied(lines, along, read, product);
    const by = isCopied(rows, columns, at)
      ? "rows"
      : isCopied(columns, rows, (c, r) => at(r, c))
        ? "columns"
        : "elements";
    const [lines, along] = by === "columns" ? [columns, rows] : [rows, columns];
    const stride = strideOf(along.size, product);
    const size = lines.size * stride;
    return { staged: take(this.#stages * size, stride), size, by };
  }

  #isCopied(lines: Span, along: Span, read: At, { operand }: MatrixProduct): boolean {
    if (along.size % copied !== 0 || along.extent % copied !== 0) return false;
    const [, , found] = this.#chunk(lines, along, read, this.#k.thread(0, this.#threads));
    return found?.from.scalar === operand;
  }

  /** Eight neighbours of a line: whether they exist, and where they lie. */
  #chunk(lines: Span, along: Span, read: At, e: Value) {
    const k = this.#k;
    const across = along.size / copied;
    const inside = bounded(e, lines.size * across - 1);
    const [line, eight] = [k.let("line", inside.div(across)), k.let("eight", inside.mod(across))];
    const [y, isLine] = placeIn(k, lines, line);
    const whole = { block: along.block, size: across, extent: along.extent / copied };
    const [x, isInside] = placeIn(k, whole, eight);
    const found = k.neighbours(copied, () => range(copied, (i) => read(y, x.mul(copied).add(i))));
    return [{ line, eight }, isLine.and(isInside), found] as const;
  }

  /** The threads share the chunks. */
  #copy(lines: Span, along: Span, read: At, { region, stride, slot }: InStages): void {
    const k = this.#k;
    const count = (lines.size * along.size) / copied;
    for (const part of range(Math.ceil(count / this.#threads), (n) => n)) {
      const e = k.let("e", k.thread(0, this.#threads).add(part * this.#threads));
      k.if(e.lt(count), () => {
        const [{ line, eight }, exists, found] = this.#chunk(lines, along, read, e);
        const place = line.mul(stride).add(eight.mul(copied)).add(slot!).add(region.from);
        k.copy(region.buffer, place, found!.from, found!.first, exists);
      });
    }
  }
}
