/**
 * The frame of kernels that work on lines: reductions, softmax, normalization, top-k.
 *
 * A line is every element along some axes at one place of the others. A workgroup holds `lanes`
 * lines that are next to each other, and `slices` threads share each line. Where the lines run
 * along the last axis, the slices of one line read neighbouring memory; else the lanes do. Short
 * lines have one thread each. Where workgroups are subgroups, the slices of a line are its lanes
 * and pass values without memory; lines along other axes have one thread each. Where subgroups of
 * any width can reduce, they do so for a line that has a workgroup to itself.
 */
import {
  type Buffer,
  type Builder,
  bounded,
  type Dense,
  elements,
  type Fold,
  flatGroups,
  type In,
  type Kernel,
  literal,
  type Profile,
  unflatten,
  type Value,
  type Variable,
} from "../../compiler/op-kit.ts";

export interface Layout {
  /** How many lines there are, and the elements of one. */
  readonly count: number;
  readonly extent: number;
  /** Lines of a workgroup, and threads that share a line: powers of two. */
  readonly lanes: number;
  readonly slices: number;
  /** Elements of a line that one thread takes: `slices` apart. */
  readonly share: number;
  /** The thread keeps its share in registers, so that every pass but the first is free. */
  readonly held: boolean;
}

const shortLine = 32;
const mostHeld = 16;

export function layoutOf(
  shape: readonly number[],
  axes: readonly number[],
  profile: Profile,
): Layout {
  const extent = elements(axes.map((a) => shape[a]!));
  const count = elements(shape) / extent;
  const alongLast = axes.includes(shape.length - 1);
  const most = Math.min(256, profile.maxThreads);
  const single = [Math.min(64, most), 1] as const;
  const sharing = profile.subgroup
    ? alongLast
      ? ([1, profile.subgroup] as const)
      : single
    : alongLast
      ? ([1, Math.min(extent <= 512 ? 64 : 256, most)] as const)
      : columnSharing(count, extent, most);
  const [lanes, slices] = extent <= shortLine ? single : sharing;
  const share = Math.ceil(extent / slices);
  return { count, extent, lanes, slices, share, held: share <= mostHeld };
}

/**
 * Lines that are columns: sixteen lanes read neighbouring memory. Where there are few long columns,
 * eight do (one sector of a cache line), and twice as many workgroups are at work.
 */
function columnSharing(count: number, extent: number, most: number): readonly [number, number] {
  const lanes = extent >= 512 && count <= 2048 ? 8 : 16;
  return [lanes, most / lanes];
}

/** How often a kernel reads each element that goes over its lines `passes` times. */
export const readsOf = (layout: Layout, passes: number): number => (layout.held ? 1 : passes);

/** The lines of a workgroup, seen from one thread. */
export interface Line {
  readonly layout: Layout;
  /** Place among the axes that the line does not run along, one coordinate per such axis. */
  readonly at: readonly Value[];
  /**
   * Calls `use` with each element of the thread's share; `i` counts along the line. `others` are the
   * elements at the same place of the further inputs.
   */
  each(use: (value: Value, i: Value, others: readonly Value[]) => void): void;
  /** Coordinates in the input of element `i`. */
  coords(i: Value): Value[];
  /** Combines what the threads of the line have, in all of them. */
  all(own: readonly Value[], combine: Combine): readonly Value[];
  /** As `all`, for one thread of the line, which alone runs `then`. */
  once(own: readonly Value[], combine: Combine, then: (total: readonly Value[]) => void): void;
  /** Runs `body` in one thread of each line. */
  onFirst(body: () => void): void;
  /** Whether a loop around `all` must end with a barrier, for what it shares is written again. */
  readonly needsBarrier: boolean;
  finish(name: string): Kernel;
}

/**
 * An associative and commutative way to make one tuple out of two: a fold for each of its values,
 * which subgroups know, or any other.
 */
export type Combine = readonly Fold[] | Both;

type Both = (a: readonly Value[], b: readonly Value[]) => readonly Value[];

/** Begins a kernel over the lines of `x` along `axes`, and of further inputs of the same shape. */
export function overLines(
  k: Builder,
  x: In,
  axes: readonly number[],
  profile: Profile,
  others: readonly In[] = [],
): Line {
  const layout = layoutOf(x.shape, axes, profile);
  const { count, extent, lanes, slices, share } = layout;
  const threads = lanes * slices;
  const { flat, groups } = flatGroups(k, Math.ceil(count / lanes), profile);
  const bySubgroup = profile.subgroup > 0 && slices > 1;
  const id = bySubgroup ? k.lane(slices) : k.thread(0, threads);
  const lane = k.let("lane", id.mod(lanes));
  const slice = k.let("slice", id.div(lanes));
  const line = k.let("line", flat.mul(lanes).add(lane));
  // Threads without a line of their own go along with the last one: barriers must be uniform.
  const exists = line.lt(count);
  const { at, coords } = placesIn(k, x.shape, axes, k.let("line", line.min(count - 1)));

  const place = (step: Value) => k.let("i", step.mul(slices).add(slice));
  const guarded = (i: Value, body: () => void) => k.if(exists.and(i.lt(extent)), body);
  const ports = [x, ...others];
  const held = layout.held ? holdShare(k, ports, share, place, guarded, coords) : undefined;
  const onFirst = (body: () => void) => k.if(exists.and(slice.eq(0)), body);
  const tree = (own: readonly Value[], combine: Combine) =>
    combineTree(k, layout, { id, slice }, own, bothOf(combine));
  const canReduce = profile.reduces && !bySubgroup && lanes === 1;
  const reduces = (combine: Combine): combine is readonly Fold[] =>
    canReduce && typeof combine !== "function";
  const all = (own: readonly Value[], combine: Combine): readonly Value[] => {
    if (slices === 1) return own;
    if (bySubgroup) return combineLanes(k, slices, own, bothOf(combine));
    if (reduces(combine)) return reduceAll(k, slices, own, combine);
    return shareTree(k, { lane, slice }, tree(own, combine));
  };

  return {
    layout,
    at,
    coords,
    each(use) {
      const visit = (i: Value, values: () => readonly Value[]) =>
        guarded(i, () => {
          const [value, ...rest] = values();
          use(value!, bounded(i, extent - 1), rest);
        });
      for (const { i, values } of held ?? []) visit(i, () => values.map((v) => v.get));
      if (!held)
        k.for("step", share, (step) => {
          const i = place(step);
          visit(i, () => ports.map((port) => port.at(...coords(i))));
        });
    },
    all,
    once(own, combine, then) {
      const inTree = slices > 1 && !bySubgroup && !reduces(combine);
      const total = inTree ? tree(own, combine).first.map((v) => v.get) : all(own, combine);
      onFirst(() => then(total));
    },
    onFirst,
    needsBarrier: slices > 1 && !bySubgroup,
    finish: (name) => k.finish(name, [threads, 1, 1], groups),
  };
}

/** Coordinates of a line among the other axes, and in the whole shape of its element `i`. */
function placesIn(k: Builder, shape: readonly number[], axes: readonly number[], line: Value) {
  const others = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const sizes = (of: readonly number[]) => of.map((axis) => shape[axis]!);
  const at = unflatten(sizes(others), line).map((c) => k.let("at", c));
  const coords = (i: Value) => {
    const along = unflatten(sizes(axes), bounded(i, elements(sizes(axes)) - 1));
    return shape.map((_, axis) =>
      axes.includes(axis) ? along[axes.indexOf(axis)]! : at[others.indexOf(axis)]!,
    );
  };
  return { at, coords };
}

/** Reads the thread's share of every input once, into variables. */
function holdShare(
  k: Builder,
  ports: readonly In[],
  share: number,
  place: (step: Value) => Value,
  guarded: (i: Value, body: () => void) => void,
  coords: (i: Value) => Value[],
) {
  return Array.from({ length: share }, (_, step) => {
    const i = place(literal(step, "u32"));
    const values = ports.map((port) => k.var("held", literal(0, port.dtype)));
    guarded(i, () => {
      for (const [n, port] of ports.entries()) values[n]!.set(port.at(...coords(i)));
    });
    return { i, values };
  });
}

interface Place {
  readonly id: Value;
  readonly lane: Value;
  readonly slice: Value;
}

interface Tree {
  readonly buffers: readonly Buffer[];
  /** What slice 0 has in the end. */
  readonly first: readonly Variable[];
}

/** Combines the slices of each lane pairwise in workgroup memory: log2(slices) steps. */
function combineTree(
  k: Builder,
  { lanes, slices }: Layout,
  { id, slice }: Omit<Place, "lane">,
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
function shareTree(k: Builder, place: Omit<Place, "id">, { buffers, first }: Tree): Value[] {
  k.if(place.slice.eq(0), () => {
    for (const [i, buffer] of buffers.entries()) k.store(buffer, place.lane, first[i]!.get);
  });
  k.barrier();
  return buffers.map((b) => k.let("total", k.load(b, place.lane)));
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

/**
 * Oracles: every line along one axis, in double precision, turned into another of any length. Lines
 * of `others`, of the same shape, come along.
 */
export function plainLines(
  { shape, data }: Dense,
  axis: number,
  turn: (line: number[], ...others: number[][]) => readonly number[],
  others: readonly Dense[] = [],
): Float64Array {
  const extent = shape[axis]!;
  const inner = elements(shape.slice(axis + 1));
  const outer = elements(shape.slice(0, axis));
  let result: Float64Array | undefined;
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const place = (n: number, size: number) => (o * size + n) * inner + i;
      const lineOf = (from: Float64Array) =>
        Array.from({ length: extent }, (_, n) => from[place(n, extent)]!);
      const line = turn(lineOf(data), ...others.map((x) => lineOf(x.data)));
      result ??= new Float64Array(outer * line.length * inner);
      for (const [n, v] of line.entries()) result[place(n, line.length)] = v;
    }
  return result ?? new Float64Array();
}
