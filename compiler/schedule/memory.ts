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
    const taken: Taken[][] = [];
    for (const { item, i } of sorted) {
      const bytes = align(item.bytes, alignment);
      for (let arena = 0; ; arena++) {
        taken[arena] ??= [];
        const offset = lowestGap(taken[arena]!, item, bytes);
        if (offset + bytes > limit && taken[arena]!.length > 0) continue;
        places[i] = { arena, offset };
        taken[arena]!.push({ ...item, bytes, offset });
        arenas[arena] = Math.max(arenas[arena] ?? 0, offset + bytes);
        break;
      }
    }
    return { places, arenas };
  }
}

type Placed = Pick<Packing, "places" | "arenas">;
type Order = (a: Item, b: Item) => number;
interface Taken extends Item {
  readonly offset: number;
}

const bySize: Order = (a, b) => b.bytes - a.bytes || a.first - b.first;
const byArea: Order = (a, b) =>
  b.bytes * (b.last - b.first + 1) - a.bytes * (a.last - a.first + 1) || a.first - b.first;
const byStart: Order = (a, b) => a.first - b.first || b.bytes - a.bytes;

export const align = (bytes: number, alignment: number): number =>
  Math.ceil(bytes / alignment) * alignment;

function lowestGap(taken: readonly Taken[], item: Item, bytes: number): number {
  const inTheWay = taken
    .filter((t) => t.first <= item.last && item.first <= t.last)
    .sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const t of inTheWay) {
    if (t.offset - offset >= bytes) return offset;
    offset = Math.max(offset, t.offset + t.bytes);
  }
  return offset;
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
