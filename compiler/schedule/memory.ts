/**
 * Packs tensors that live for a while into arenas: greedy by size, each at the lowest offset where
 * nothing that lives at the same time is in the way.
 */

export interface Item {
  readonly bytes: number;
  /** The first and the last step that need it, inclusive. */
  readonly first: number;
  readonly last: number;
}

export interface Packing {
  /** Arena and offset of each item, in the order given. */
  readonly places: readonly { readonly arena: number; readonly offset: number }[];
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  /** The most bytes that live at one step: no packing is smaller. */
  readonly lowerBound: number;
}

export function pack(items: readonly Item[], maxArena: number, alignment: number): Packing {
  const candidates = [bySize, byArea, byStart].map((order) => place(items, order, maxArena));
  const total = (p: Placed) => p.arenas.reduce((a, b) => a + b, 0);
  const best = candidates.reduce((a, b) => (total(b) < total(a) ? b : a));
  return { ...best, lowerBound: lowerBound(items, alignment) };

  function place(all: readonly Item[], order: Order, limit: number): Placed {
    const sorted = all.map((item, i) => ({ item, i })).sort((a, b) => order(a.item, b.item));
    const places: { arena: number; offset: number }[] = new Array(all.length);
    const arenas: number[] = [];
    const taken: Taken[] = [];
    for (const { item, i } of sorted) {
      const bytes = align(item.bytes, alignment);
      for (let arena = 0; ; arena++) {
        taken[arena] ??= nothingTaken(all.length);
        const offset = lowestGap(taken[arena]!, item, bytes);
        if (offset + bytes > limit && taken[arena]!.count > 0) continue;
        places[i] = { arena, offset };
        take(taken[arena]!, item, offset, offset + bytes);
        arenas[arena] = Math.max(arenas[arena] ?? 0, offset + bytes);
        break;
      }
    }
    return { places, arenas };
  }
}

type Placed = Pick<Packing, "places" | "arenas">;
type Order = (a: Item, b: Item) => number;
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

const bySize: Order = (a, b) => b.bytes - a.bytes || a.first - b.first;
const byArea: Order = (a, b) =>
  b.bytes * (b.last - b.first + 1) - a.bytes * (a.last - a.first + 1) || a.first - b.first;
const byStart: Order = (a, b) => a.first - b.first || b.bytes - a.bytes;

export const align = (bytes: number, alignment: number): number =>
  Math.ceil(bytes / alignment) * alignment;

function lowestGap({ count, first, last, offset, end }: Taken, item: Item, bytes: number): number {
  let gap = 0;
  for (let i = 0; i < count; i++) {
    if (first[i]! > item.last || item.first > last[i]!) continue;
    if (offset[i]! - gap >= bytes) return gap;
    if (end[i]! > gap) gap = end[i]!;
  }
  return gap;
}

function take(taken: Taken, item: Item, offset: number, end: number): void {
  let at = taken.count++;
  for (; at > 0 && taken.offset[at - 1]! > offset; at--) {
    taken.first[at] = taken.first[at - 1]!;
    taken.last[at] = taken.last[at - 1]!;
    taken.offset[at] = taken.offset[at - 1]!;
    taken.end[at] = taken.end[at - 1]!;
  }
  taken.first[at] = item.first;
  taken.last[at] = item.last;
  taken.offset[at] = offset;
  taken.end[at] = end;
}

function lowerBound(items: readonly Item[], alignment: number): number {
  const change = new Map<number, number>();
  const add = (at: number, by: number) => change.set(at, (change.get(at) ?? 0) + by);
  for (const item of items) {
    add(item.first, align(item.bytes, alignment));
    add(item.last + 1, -align(item.bytes, alignment));
  }
  let live = 0;
  let most = 0;
  for (const at of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(at)!;
    most = Math.max(most, live);
  }
  return most;
}
