/**
 * Packs tensors that live for a while into arenas: one after another in some order, each at the
 * lowest offset where nothing that lives at the same time is in the way.
 *
 * Which order is good depends on the program, so several are tried. Where none comes near the bytes
 * that live at one step, the large ones are placed by a search (`place.ts`), the others around them.
 */
import { isDue, type Pausing } from "../turns.ts";
import { type Item, placeInTime } from "./place.ts";

export type { Item } from "./place.ts";

export interface Packing {
  /** Arena and offset of each item, in the order given. */
  readonly places: readonly { readonly arena: number; readonly offset: number }[];
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** The most bytes that live at one step: no packing is smaller. */
  readonly lowerBound: number;
}

/** Offsets are multiples of `alignment`; an arena is larger than `maxArena` only if an item is. */
export function* pack(all: readonly Item[], maxArena: number, alignment: number): Pausing<Packing> {
  const items = all.map((item) => ({ ...item, bytes: align(item.bytes, alignment) }));
  const bound = lowerBound(items);
  let best: Placed | undefined;
  const attempt = function* (make: () => Pausing<Placed>, enough: number): Pausing<void> {
    if (best && best.total <= enough * bound) return;
    const placed = yield* make();
    if (!best || placed.total < best.total) best = placed;
  };
  for (const order of ordersFor(bound))
    yield* attempt(() => place(items, sorted(items, order), maxArena), tight);
  if (bound <= maxArena)
    for (const { part, most } of searches)
      if (items.length <= most)
        yield* attempt(() => search(items, bound, part * bound, maxArena), worthSearching);
  const { places, arenas } = best!;
  return { places, arenas, lowerBound: bound };
}

/** In parts of the bound: what no other order is tried for, and what no search is made for. */
const tight = 1.001;
const worthSearching = 1.02;

/** From which part of the bound on items are searched places for, and for how many items at most. */
const searches = [
  { part: 1 / 16, most: 4000 },
  { part: 1 / 64, most: 1000 },
];

interface Placed extends Pick<Packing, "places" | "arenas"> {
  readonly total: number;
}

/** Places for items from `least` bytes on side by side in time, then for the others by size. */
function* search(
  items: readonly Item[],
  bound: number,
  least: number,
  limit: number,
): Pausing<Placed> {
  const large = items.flatMap((item, i) => (item.bytes >= least ? [i] : []));
  const offsets = yield* placeInTime(
    large.map((i) => items[i]!),
    bound,
  );
  const fits = (offset: number, i: number) => offset + items[i]!.bytes <= limit;
  const given = new Map(
    large.map((i, n) => [i, offsets[n]!] as const).filter(([i, offset]) => fits(offset, i)),
  );
  const others = sorted(items, bySize).filter((i) => !given.has(i));
  return yield* place(items, [...given.keys(), ...others], limit, given);
}

/** Places items in an order, those with a given offset there. */
function* place(
  items: readonly Item[],
  order: readonly number[],
  limit: number,
  given: ReadonlyMap<number, number> = new Map(),
): Pausing<Placed> {
  const places: { arena: number; offset: number }[] = new Array(items.length);
  const arenas: number[] = [];
  const taken: Taken[] = [];
  for (const i of order) {
    if (isDue()) yield;
    const item = items[i]!;
    for (let arena = 0; ; arena++) {
      taken[arena] ??= nothingTaken(items.length);
      const offset = given.get(i) ?? lowestGap(taken[arena]!, item);
      if (offset + item.bytes > limit && taken[arena]!.count > 0) continue;
      places[i] = { arena, offset };
      take(taken[arena]!, item, offset);
      arenas[arena] = Math.max(arenas[arena] ?? 0, offset + item.bytes);
      break;
    }
  }
  return { places, arenas, total: arenas.reduce((a, b) => a + b, 0) };
}

type Order = (a: Item, b: Item) => number;

const sorted = (items: readonly Item[], order: Order): number[] =>
  items.map((_, i) => i).sort((a, b) => order(items[a]!, items[b]!));

const length = (item: Item) => item.last - item.first + 1;
const bySize: Order = (a, b) => b.bytes - a.bytes || a.first - b.first;
const byArea: Order = (a, b) => b.bytes * length(b) - a.bytes * length(a) || a.first - b.first;
const byStart: Order = (a, b) => a.first - b.first || b.bytes - a.bytes;

/**
 * The last of them: of what is large, what lives longest goes to the bottom, where it is in nobody's
 * way, such as a residual stream between the wide layers of its blocks. What is small fits anywhere.
 */
function ordersFor(bound: number): readonly Order[] {
  const isLarge = (item: Item) => item.bytes >= bound / 16;
  const byLength: Order = (a, b) =>
    Number(isLarge(b)) - Number(isLarge(a)) ||
    (isLarge(a) ? length(b) - length(a) : 0) ||
    bySize(a, b);
  return [bySize, byArea, byStart, byLength];
}

export const align = (bytes: number, alignment: number): number =>
  Math.ceil(bytes / alignment) * alignment;

/**
 * What an arena holds, by offset. In numbers side by side: training graphs have thousands of
 * tensors, and each is compared with each.
 */
interface Taken {
  count: number;
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly offset: Float64Array;
  readonly end: Float64Array;
}

const nothingTaken = (most: number): Taken => ({
  count: 0,
  first: new Int32Array(most),
  last: new Int32Array(most),
  offset: new Float64Array(most),
  end: new Float64Array(most),
});

function lowestGap({ count, first, last, offset, end }: Taken, item: Item): number {
  let gap = 0;
  for (let i = 0; i < count; i++) {
    if (first[i]! > item.last || item.first > last[i]!) continue;
    if (offset[i]! - gap >= item.bytes) return gap;
    if (end[i]! > gap) gap = end[i]!;
  }
  return gap;
}

/** Keeps what is taken in the order of offsets. */
function take(taken: Taken, item: Item, offset: number): void {
  const { first, last, end } = taken;
  let at = taken.count++;
  while (at > 0 && taken.offset[at - 1]! > offset) at--;
  for (const numbers of [first, last, taken.offset, end])
    numbers.copyWithin(at + 1, at, taken.count - 1);
  first[at] = item.first;
  last[at] = item.last;
  taken.offset[at] = offset;
  end[at] = offset + item.bytes;
}

function lowerBound(items: readonly Item[]): number {
  const change = new Map<number, number>();
  const add = (at: number, by: number) => change.set(at, (change.get(at) ?? 0) + by);
  for (const { bytes, first, last } of items) {
    add(first, bytes);
    add(last + 1, -bytes);
  }
  let live = 0;
  let most = 0;
  for (const at of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(at)!;
    most = Math.max(most, live);
  }
  return most;
}
