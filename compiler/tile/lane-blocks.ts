/**
 * Products in lanes whose operands lie in memory as blocks of sums read them: left ones in rows, right ones in panels.
 * Nothing is copied, and a workgroup's columns are those of one panel.
 */
import { plain } from "../../formats/index.ts";
import type { Builder } from "../kernel/builder.ts";
import type { Expr, Kernel } from "../kernel/ir.ts";
import { index, type Value } from "../kernel/value.ts";
import type { BlockSize } from "./blocks.ts";
import { lowerLanes } from "./lanes.ts";
import type { Product, Sizes } from "./lowering.ts";
import { placeIn } from "./places.ts";
import type { At, Span, Tile, TileProgram, Tiles } from "./program.ts";

/** Numbers of a left operand that stay near while all panels go by: a quarter of a megabyte. */
const near = 2 ** 16;
/** Numbers of a part of a panel, which stays nearer while rows go by. */
const nearest = 9 * 2 ** 10;
/** Rows of a right operand that are read where they lie, in no panels: few lines of a cache. */
const mostRows = 32;

/** How a product is computed in place. */
export interface InPlace {
  /** Columns of the panels in which right operands lie. */
  readonly panel: number;
  readonly sizes: Sizes;
  readonly block: BlockSize;
}

/** The best block of WebAssembly (`blocks.ts`), and the best one where two vectors are one. */
const single: BlockSize = { rows: 3, vectors: 3 };
const paired: BlockSize = { rows: 4, vectors: 4 };
/** Columns of a workgroup that are no whole number of blocks: of the last one vectors are left over. */
const mostColumns = 256;
/** Workgroups for threads to share, and the rows that one has at least. */
const enough = 16;
const fewest = 12;

/**
 * Undefined where columns do not fall into vectors. Rows are equal strips where there are such, and the depth goes by in
 * equal parts. Where columns do not fall into blocks, panels are single vectors.
 */
export function inPlaceOf(work: Product, width: number, pairs = false): InPlace | undefined {
  const { rows, columns, depths, images } = work;
  const block = pairs && columns % (paired.vectors * width) === 0 ? paired : single;
  const wide = block.vectors * width;
  if (columns % width !== 0 || columns < wide) return undefined;
  const panel = columns % wide === 0 ? wide : width;
  const depth = Math.max(...depths);
  const vectors = columns / width;
  const across =
    panel === wide
      ? vectors / block.vectors
      : (equalParts(vectors, Math.ceil(columns / mostColumns)) ?? 1);
  const needed = Math.max((rows * depth) / near, enough / across / images);
  const strips = Math.max(1, Math.min(Math.ceil(needed), Math.floor(rows / fewest)));
  const equal = equalParts(rows, strips);
  return {
    block,
    panel,
    sizes: {
      rows: equal ? rows / equal : Math.ceil(rows / strips / block.rows) * block.rows,
      columns: columns / across,
      depth: depth / (equalParts(depth, Math.ceil((depth * wide) / nearest)) ?? 1),
    },
  };
}

/** The least number from `least` on, but not twice as many, that divides another. */
function equalParts(of: number, least: number): number | undefined {
  for (let parts = least; parts < 2 * least; parts++) if (of % parts === 0) return parts;
  return undefined;
}

/** Undefined where an operand does not lie so. `program` is of the sizes for it. */
export function lowerInPlace(
  k: Builder,
  program: TileProgram,
  { panel, block }: InPlace,
  width: number,
): Kernel | undefined {
  const looking = new Looking(k, panel);
  program.body(looking);
  return looking.isInPlace ? lowerLanes(k, program, { width, inPlace: block }) : undefined;
}

interface Loaded extends Tile {
  readonly isLeft?: boolean;
  readonly isRight?: boolean;
}

/** Looks where a program's operands lie. What it has the builder write is dropped. */
class Looking implements Tiles<Loaded> {
  isInPlace = true;
  readonly #k: Builder;
  readonly #panel: number;

  constructor(k: Builder, panel: number) {
    this.#k = k;
    this.#panel = panel;
  }

  whole = (least: number): number => least;
  fill = (rows: number, columns: number): Loaded => ({ rows, columns });

  load(rows: Span, columns: Span, at: At, _outside?: number, panel?: number): Loaded {
    const k = this.#k;
    const size = { rows: rows.size, columns: columns.size };
    const [first, second] = [placeIn(k, rows, index(0))[0], placeIn(k, columns, index(0))[0]];
    const isRow = followEachOther(k, columns.size, (i) => at(first, second.add(i)));
    const isFew = rows.size <= mostRows;
    return {
      ...size,
      isLeft: isRow && columns.extent % columns.size === 0,
      isRight: panel === undefined ? isFew && isRow : panel === this.#panel,
    };
  }

  dot(sum: Loaded, left: Loaded, right: Loaded): Loaded {
    this.isInPlace &&= left.isLeft === true && right.isRight === true;
    return sum;
  }

  map(): Loaded {
    return this.#elsewhere();
  }

  fold(): Loaded {
    return this.#elsewhere();
  }

  loop<C extends readonly Loaded[]>(
    _count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
  ): C {
    return body(index(0), carried as readonly Loaded[] as C);
  }

  store(): void {}

  #elsewhere(): Loaded {
    this.isInPlace = false;
    return { rows: 0, columns: 0 };
  }
}

/** Whether numbers that follow each other in a row do so in memory, and loading them is all that is to be done. */
function followEachOther(k: Builder, count: number, at: (i: Value) => Value): boolean {
  if (count < 2) return false;
  const { name, body } = k.within("i", count, at);
  const [only, ...others] = body;
  const isLoad = only?.kind === "let" && only.value.kind === "load" && others.length === 0;
  return isLoad && only.value.from.scalar === plain("f32") && isNext(only.value.index, name);
}

/** Whether a place is a name, or that and what does not change with it. */
function isNext(place: Expr, name: string): boolean {
  const isName = (e: Expr | undefined) => e?.kind === "ref" && e.name === name;
  if (place.kind !== "call" || place.fn !== "add") return isName(place);
  return (
    place.args.some(isName) &&
    place.args.some((e) => e.kind === "lit" || (e.kind === "ref" && !isName(e)))
  );
}
