/**
 * The first run of a tile program: numbers its tiles in the order of their making, and notes how each is
 * used. A lowering learns from it what to keep where; `show --stage tiles` prints it.
 */
import { bug } from "../../diagnostics/index.ts";
import { index, type Value } from "../kernel/value.ts";
import {
  type Span,
  sizesOf,
  type Tile,
  type TileFold,
  type TileProgram,
  type Tiles,
} from "./program.ts";

export interface Use {
  /** It is an operand of `dot`, on that side. */
  isLeft: boolean;
  isRight: boolean;
  /** It is used element by element: mapped, folded, carried, stored, or summed onto. */
  isOwn: boolean;
  /**
   * Its elements are asked for. Of other tiles parts are enough that add up to it: of sums that more is
   * added to, and of what is stored.
   */
  isWhole: boolean;
  /** A loop carries it on in the place of another, not with sums added to it: its own place cannot be kept. */
  isMoved: boolean;
  /** How often it is used, in the text of the program. */
  count: number;
  /** How many loops it was made in. */
  readonly depth: number;
  /** Of an operand of `dot`: with how many columns, or rows, of the other side each element is multiplied. */
  multiplied: number;
  /** A loop that it was not made in comes back to it. */
  isAgain: boolean;
}

/** `root`: the tile that it was before sums were added to it. */
type Noted = Tile & { readonly id: number; readonly root: number };

/** What the first run found: the uses in the order of the tiles' making, and the program as text. */
export interface Uses {
  readonly uses: readonly Use[];
  /** Along what tiles are folded. */
  readonly folds: ReadonlySet<"columns" | "rows">;
  readonly text: string;
}

/** Runs a program for its uses. `whole` is the lowering's. */
export function usesOf(program: TileProgram, whole: Tiles["whole"]): Uses {
  const noting = new Noting(whole);
  program.body<Noted>(noting);
  return { uses: noting.uses, folds: noting.folds, text: `${noting.lines.join("\n")}\n` };
}

class Noting implements Tiles<Noted> {
  readonly uses: Use[] = [];
  readonly folds = new Set<"columns" | "rows">();
  readonly lines: string[] = [];
  readonly whole: Tiles["whole"];
  #depth = 0;
  constructor(whole: Tiles["whole"]) {
    this.whole = whole;
  }

  fill(rows: number, columns: number, value: number): Noted {
    return this.#made({ rows, columns }, `fill ${value}`);
  }
  load(rows: Span, columns: Span, _at: unknown, outside = 0): Noted {
    const of = `load of ${rows.extent} x ${columns.extent}`;
    return this.#made(
      { rows: rows.size, columns: columns.size },
      outside === 0 ? of : `${of}, ${outside} outside`,
    );
  }
  dot(sum: Noted, left: Noted, right: Noted): Noted {
    const fits =
      left.columns === right.rows && sum.rows === left.rows && sum.columns === right.columns;
    if (!fits)
      bug(`a tile program multiplies ${shown(left)} with ${shown(right)} onto ${shown(sum)}`);
    if (this.uses[sum.id]!.count > 0) bug("a tile program uses a sum twice");
    for (const x of [left, right]) this.uses[x.id]!.isWhole = true;
    this.#multiplied(left, sum.columns);
    this.#multiplied(right, sum.rows);
    const of = `${this.#used(sum, "isOwn")} + ${this.#used(left, "isLeft")} * ${this.#used(right, "isRight")}`;
    return this.#made(sum, of, sum.root);
  }
  map(args: readonly Noted[]): Noted {
    const sizes = sizesOf(args);
    const fits = args.every(
      (a) =>
        (a.rows === 1 || a.rows === sizes.rows) && (a.columns === 1 || a.columns === sizes.columns),
    );
    if (!fits) bug(`a tile program maps ${args.map(shown).join(" and ")}`);
    return this.#made(sizes, `map ${args.map((a) => this.#read(a)).join(", ")}`);
  }
  fold(how: TileFold, x: Noted, along: "columns" | "rows"): Noted {
    this.folds.add(along);
    const of = `${how} of ${this.#read(x)} along ${along}`;
    const sizes =
      along === "columns" ? { rows: x.rows, columns: 1 } : { rows: 1, columns: x.columns };
    return this.#made(sizes, of);
  }
  loop<C extends readonly Noted[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
  ): C {
    const first = carried.map((c) => this.#used(c, "isOwn"));
    this.#line(`loop ${count}`);
    this.#depth++;
    const held = carried.map((c, i) => this.#made(c, `carried, ${first[i]} at first`));
    const next = body(index(0), held as readonly Noted[] as C);
    next.forEach((n, i) => {
      if (shown(n) !== shown(held[i]!))
        bug(`a tile program carries ${shown(held[i]!)} on as ${shown(n)}`);
    });
    this.#line(`next ${next.map((n) => this.#used(n, "isOwn")).join(", ")}`);
    this.#depth--;
    // Carried tiles may change places, so that one may ask for another's elements.
    for (const _ of held)
      for (const [i, { id }] of held.entries())
        for (const x of [carried[i]!, next[i]!])
          this.uses[x.id]!.isWhole ||= this.uses[id]!.isWhole;
    return held.map((c, i) => {
      const isKept = next[i]!.root === c.id;
      for (const x of isKept ? [] : [carried[i]!, c, next[i]!]) this.uses[x.id]!.isMoved = true;
      return this.#made(c, `t${c.id} at the end`, isKept ? carried[i]!.root : undefined);
    }) as readonly Noted[] as C;
  }
  store(x: Noted, rows: Span, columns: Span): void {
    this.#line(`store ${this.#used(x, "isOwn")} to ${rows.extent} x ${columns.extent}`);
  }

  #made({ rows, columns }: Tile, of: string, root = this.uses.length): Noted {
    const id = this.uses.length;
    const unused = { isLeft: false, isRight: false, isOwn: false, isWhole: false };
    const read = { multiplied: 0, isAgain: false, count: 0 };
    this.uses.push({ ...unused, ...read, isMoved: false, depth: this.#depth });
    this.#line(`t${id} [${rows}, ${columns}] = ${of}`);
    return { id, rows, columns, root };
  }
  #multiplied(x: Noted, times: number): void {
    const use = this.uses[x.id]!;
    use.multiplied = Math.max(use.multiplied, times);
    use.isAgain ||= use.depth < this.#depth;
  }
  #used(x: Noted, how: "isLeft" | "isRight" | "isOwn"): string {
    const use = this.uses[x.id]!;
    use[how] = true;
    use.count++;
    return `t${x.id}`;
  }
  #read(x: Noted): string {
    this.uses[x.id]!.isWhole = true;
    return this.#used(x, "isOwn");
  }
  #line = (text: string) => void this.lines.push(`${"  ".repeat(this.#depth)}${text}`);
}

const shown = ({ rows, columns }: Tile): string => `[${rows}, ${columns}]`;

/** The uses of a program's tiles, handed out in the order of their making. */
export class UsesInOrder {
  readonly #uses: readonly Use[];
  #next = 0;
  constructor(uses: readonly Use[]) {
    this.#uses = uses;
  }
  /** Where it is in the order: a loop may be written in parts, each with the uses of its tiles. */
  get place(): number {
    return this.#next;
  }
  set place(at: number) {
    this.#next = at;
  }
  next(): Use {
    return this.#uses[this.#next++] ?? bug("a tile program differs from run to run");
  }
}
