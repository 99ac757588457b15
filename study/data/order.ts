/**
 * Which items a step takes. Positions are counted through the whole training; every run of as many positions as there
 * are items is an epoch, and takes each item once, in an order of its own. So what a step takes is a pure function of
 * the seed, the step and the rank: a resumed training neither repeats nor skips.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { drawsFor } from "./random.ts";

/** The part of a step's positions that one rank, or one micro-step, takes. */
export interface Share {
  /** From 0. */
  readonly step: number;
  /** Items of a rank, in a step. */
  readonly batch: number;
  readonly rank?: number | undefined;
  readonly ranks?: number | undefined;
}

/**
 * The positions of a share: of the step's `ranks * batch` positions, the rank's `batch` in a row. As many ranks of
 * one batch, or micro-steps, take together what one rank of the whole batch takes.
 * @throws E1010 for a share that is none.
 */
export function positionsOf({ step, batch, rank = 0, ranks = 1 }: Share): number[] {
  const isWhole = [step, batch, rank, ranks].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isWhole || batch < 1 || rank >= ranks)
    throw diagnose("E1010", {
      message: `there is no batch of ${batch} items in step ${step} for rank ${rank} of ${ranks}`,
      help: "steps and ranks are counted from 0, a batch has at least 1 item, and a rank is below ranks",
    });
  const first = (step * ranks + rank) * batch;
  return Array.from({ length: batch }, (_, i) => first + i);
}

/** The items of a set in the order in which a training takes them. */
export interface Order {
  /** The item at a position, from 0. */
  itemAt(position: number): number;
}

/**
 * Every epoch in an order of its own, drawn from the seed and the epoch (Fisher and Yates).
 * @throws E1010 for a set of no items.
 */
export function shuffledOrder(items: number, seed: number): Order {
  checkItems(items);
  // A step may take the end of an epoch and the beginning of the next.
  const kept = new Map<number, Uint32Array>();
  const orderOf = (epoch: number) => {
    const known = kept.get(epoch);
    if (known) return known;
    const made = permutation(items, seed, epoch);
    const oldest = kept.keys().next().value;
    if (kept.size > 1 && oldest !== undefined) kept.delete(oldest);
    kept.set(epoch, made);
    return made;
  };
  return {
    itemAt: (position) => orderOf(Math.floor(position / items))[position % items]!,
  };
}

/** The items as they come, again and again: for validation. @throws E1010 for a set of no items. */
export function plainOrder(items: number): Order {
  checkItems(items);
  return { itemAt: (position) => position % items };
}

function permutation(items: number, seed: number, epoch: number): Uint32Array {
  const draws = drawsFor(seed, orderDraws, epoch);
  const order = Uint32Array.from({ length: items }, (_, i) => i);
  for (let i = items - 1; i > 0; i--) {
    const other = draws.below(i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

/** What numbers are drawn for stands in their key, so that no two draw the same. */
const orderDraws = 1;

function checkItems(items: number): void {
  if (Number.isSafeInteger(items) && items >= 1) return;
  throw diagnose("E1010", {
    message: `a set of ${items} items has no order`,
    help: "a set has at least 1 item",
  });
}
