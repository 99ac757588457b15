/**
 * Offsets for tensors that live for a while, found step by step in time: each tensor goes to one of
 * the ends of one of the gaps that are there when it begins to live, and many ways of doing so are
 * followed side by side. What matters of such a way is only where the tensors lie that still live,
 * so few differ where few live at once: a forward pass is solved almost exactly.
 */

import { isDue, type Pausing } from "../turns.ts";

export interface Item {
  readonly bytes: number;
  /** The first and the last step that need it, inclusive. */
  readonly first: number;
  readonly last: number;
}

/** Ways that are followed side by side. */
const width = 64;

interface Living {
  readonly offset: number;
  readonly end: number;
  readonly last: number;
}

interface Way {
  /** What lives, by offset. */
  readonly living: readonly Living[];
  /** The end of whatever has lived so far. */
  readonly top: number;
  /** Where the latest item was placed, and the way before that. */
  readonly offset: number;
  readonly before: Way | undefined;
}

/**
 * The offset of each item, in the order given, so that the largest end is about `height`, which is
 * at least the bytes that live at one step.
 */
export function* placeInTime(items: readonly Item[], height: number): Pausing<number[]> {
  const order = items
    .map((item, i) => ({ item, i }))
    .sort((a, b) => a.item.first - b.item.first || b.item.bytes - a.item.bytes);
  let ways: readonly Way[] = [{ living: [], top: 0, offset: 0, before: undefined }];
  for (const { item } of order) {
    ways = narrowed(onward(ways, item, height), height);
    if (isDue()) yield;
  }
  const offsets: number[] = new Array(items.length);
  let way = ways.reduce((a, b) => (b.top < a.top ? b : a));
  for (const { i } of order.reverse()) {
    offsets[i] = way.offset;
    way = way.before ?? way;
  }
  return offsets;
}

/** Every way with one more item. Of those that leave the same behind, the lowest. */
function onward(ways: readonly Way[], item: Item, height: number): Way[] {
  const found = new Map<string, Way>();
  for (const before of ways) {
    const living = before.living.filter((l) => l.last >= item.first);
    for (const offset of ends(living, item.bytes, Math.max(height, before.top))) {
      const end = offset + item.bytes;
      const next = [...living, { offset, end, last: item.last }];
      next.sort((a, b) => a.offset - b.offset);
      const key = next.map((l) => `${l.offset}-${l.last}`).join();
      const top = Math.max(before.top, end);
      const known = found.get(key);
      if (!known || top < known.top) found.set(key, { living: next, top, offset, before });
    }
  }
  return [...found.values()];
}

/** Both ends of each gap that is wide enough; the last one ends at `height`. */
function ends(living: readonly Living[], bytes: number, height: number): Set<number> {
  const offsets = new Set<number>();
  let gap = 0;
  for (const { offset, end } of living) {
    if (offset - gap >= bytes) offsets.add(gap).add(offset - bytes);
    gap = Math.max(gap, end);
  }
  offsets.add(gap);
  if (height - gap >= bytes) offsets.add(height - bytes);
  return offsets;
}

/** The lowest ways; all that stay below `height` are equally good. */
function narrowed(ways: Way[], height: number): readonly Way[] {
  if (ways.length <= width) return ways;
  const above = (way: Way) => Math.max(way.top, height);
  return ways.sort((a, b) => above(a) - above(b)).slice(0, width);
}
