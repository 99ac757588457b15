/**
 * How the threads that share a line combine what they have: through a tree in workgroup memory, lane by
 * lane in a subgroup of known width, or by the reductions of subgroups of any width.
 */
import {
  type Buffer,
  type Builder,
  bounded,
  type Fold,
  literal,
  type Value,
  type Variable,
} from "../../compiler/op-kit.ts";

/**
 * An associative and commutative way to make one tuple out of two: a fold for each of its values,
 * which subgroups know, or any other.
 */
export type Combine = readonly Fold[] | Both;

type Both = (a: readonly Value[], b: readonly Value[]) => readonly Value[];

/** Where a thread stands in its workgroup of `lanes` lines, each shared by `slices` threads. */
export interface Seat {
  readonly lanes: number;
  readonly slices: number;
  readonly id: Value;
  readonly lane: Value;
  readonly slice: Value;
}

/** Totals of what the threads of a line have. */
export interface Sharing {
  /** The thread's number in its workgroup. */
  id(k: Builder, threads: number): Value;
  /** The total, in every thread of the line. */
  all(k: Builder, seat: Seat, own: readonly Value[], combine: Combine): readonly Value[];
  /** The total, in slice 0. */
  first(k: Builder, seat: Seat, own: readonly Value[], combine: Combine): readonly Value[];
  /** Whether there are barriers, so that a loop around must end with one. */
  readonly hasBarriers: boolean;
}

/** One thread has the line to itself. */
export const alone: Sharing = {
  id: (k, threads) => k.thread(0, threads),
  all: (_k, _seat, own) => own,
  first: (_k, _seat, own) => own,
  hasBarriers: false,
};

/** Pairwise in workgroup memory. */
export const byTree: Sharing = {
  id: alone.id,
  all: (k, seat, own, combine) => shareTree(k, seat, combineTree(k, seat, own, bothOf(combine))),
  first: (k, seat, own, combine) =>
    combineTree(k, seat, own, bothOf(combine)).first.map((v) => v.get),
  hasBarriers: true,
};

/** Lane by lane, where the line has a subgroup of known width to itself. */
export const byLanes: Sharing = {
  id: (k, threads) => k.lane(threads),
  all: (k, { slices }, own, combine) => combineLanes(k, slices, own, bothOf(combine)),
  first: (k, { slices }, own, combine) => combineLanes(k, slices, own, bothOf(combine)),
  hasBarriers: false,
};

/** By reductions, where the line has a workgroup to itself; what is no fold takes the tree. */
export const byReductions: Sharing = {
  id: alone.id,
  all: (k, seat, own, combine) =>
    typeof combine === "function"
      ? byTree.all(k, seat, own, combine)
      : reduceAll(k, seat.slices, own, combine),
  first: (k, seat, own, combine) =>
    typeof combine === "function"
      ? byTree.first(k, seat, own, combine)
      : reduceAll(k, seat.slices, own, combine),
  hasBarriers: true,
};

interface Tree {
  readonly buffers: readonly Buffer[];
  /** What slice 0 has in the end. */
  readonly first: readonly Variable[];
}

/** Combines the slices of each lane pairwise in workgroup memory: log2(slices) steps. */
function combineTree(
  k: Builder,
  { lanes, slices, id, slice }: Seat,
  own: readonly Value[],
  combine: Both,
): Tree {
  const first = own.map((v) => k.var("total", v));
  const buffers = own.map((v) => k.shared("tree", lanes * slices, v.type));
  const save = () => {
    for (const [i, buffer] of buffers.entries()) k.store(buffer, id, first[i]!.get);
  };
  save();
  for (let half = slices / 2; half >= 1; half /= 2) {
    k.barrier();
    k.if(slice.lt(half), () => {
      const other = buffers.map((b) => k.let("other", k.load(b, id.add(half * lanes))));
      const mine = first.map((v) => v.get);
      const both = combine(mine, other).map((v) => k.let("both", v));
      for (const [i, v] of first.entries()) v.set(both[i]!);
      if (half > 1) save();
    });
  }
  return { buffers, first };
}

/** What slice 0 has, in all slices. */
function shareTree(k: Builder, seat: Seat, { buffers, first }: Tree): Value[] {
  k.if(seat.slice.eq(0), () => {
    for (const [i, buffer] of buffers.entries()) k.store(buffer, seat.lane, first[i]!.get);
  });
  k.barrier();
  return buffers.map((b) => k.let("total", k.load(b, seat.lane)));
}

/** Combines the lanes of a subgroup, in every lane. */
function combineLanes(
  k: Builder,
  width: number,
  own: readonly Value[],
  combine: Both,
): readonly Value[] {
  const mine = own.map((v) => k.let("mine", v));
  const of = (lane: number) => mine.map((v) => k.let("other", k.broadcast(v, lane)));
  let total: readonly Value[] = of(0);
  for (let lane = 1; lane < width; lane++)
    total = combine(total, of(lane)).map((v) => k.let("total", v));
  return total;
}

const bothOf = (combine: Combine): Both =>
  typeof combine === "function" ? combine : (a, b) => combine.map((fold, i) => a[i]![fold](b[i]!));

/**
 * Reduces each subgroup, then in every subgroup what all of them came to: one barrier. There is a
 * place for each thread, because nobody promises that subgroups are full.
 */
function reduceAll(
  k: Builder,
  threads: number,
  own: readonly Value[],
  folds: readonly Fold[],
): readonly Value[] {
  const totals = own.map((v, i) => k.let("part", k.reduce(folds[i]!, v)));
  const parts = own.map((v) => k.shared("parts", threads, v.type));
  k.if(k.member().eq(0), () => {
    for (const [i, buffer] of parts.entries())
      k.store(buffer, bounded(k.subgroup(), threads - 1), totals[i]!);
  });
  k.barrier();
  // Some part is combined with itself where that changes nothing.
  const rest = parts.map((buffer, i) =>
    k.var("rest", folds[i] === "add" ? literal(0, own[i]!.type) : k.load(buffer, 0)),
  );
  const take = (part: Value) =>
    k.if(part.lt(k.subgroups()), () => {
      for (const [i, buffer] of parts.entries()) {
        const next = k.load(buffer, bounded(part, threads - 1));
        rest[i]!.set(rest[i]!.get[folds[i]!](next));
      }
    });
  take(k.member());
  takeFurther(k, threads, take);
  return rest.map((v, i) => k.let("total", k.reduce(folds[i]!, v.get)));
}

/**
 * The parts that are left where there are more of them than members: of 256 threads, those of
 * subgroups with 8 or fewer. In fours, so that few parts do not cost what many do.
 */
function takeFurther(k: Builder, threads: number, take: (part: Value) => void): void {
  const [members, subgroups] = [k.members(), k.subgroups()];
  k.if(members.lt(subgroups), () =>
    k.for("four", Math.ceil((threads - 1) / 4), (four) => {
      const next = four.mul(4).add(1);
      k.if(members.mul(next).lt(subgroups), () =>
        k.for("step", 4, (step) => take(k.member().add(members.mul(next.add(step))))),
      );
    }),
  );
}
