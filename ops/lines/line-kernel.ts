/**
 * The frame of kernels that work on lines: reductions, softmax, normalization, top-k.
 *
 * A line is every element along some axes at one place of the others. A workgroup holds `lanes`
 * lines that are next to each other, and `slices` threads share each line.
 */
import {
  type Builder,
  bounded,
  type Dense,
  elements,
  type In,
  type Kernel,
  literal,
  unflatten,
  type Value,
} from "../../compiler/op-kit.ts";
import { alone, type Combine, type Seat, type Sharing } from "./line-sharing.ts";

/** Lines of a workgroup, and threads that share a line: powers of two. */
export type LineTile = {
  readonly lanes: number;
  readonly slices: number;
};

export interface Layout extends LineTile {
  /** How many lines there are, and the elements of one. */
  readonly count: number;
  readonly extent: number;
  /** Elements of a line that one thread takes: `slices` apart. */
  readonly share: number;
  /** The thread keeps its share in registers, so that every pass but the first is free. */
  readonly held: boolean;
}

const mostHeld = 16;

export function layoutOf(
  shape: readonly number[],
  axes: readonly number[],
  { lanes, slices }: LineTile,
): Layout {
  const extent = elements(axes.map((a) => shape[a]!));
  const count = elements(shape) / extent;
  const share = Math.ceil(extent / slices);
  return { count, extent, lanes, slices, share, held: share <= mostHeld };
}

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

/** What a kernel goes over. */
export interface Lines {
  /** The inputs whose lines are walked together, all of one shape. */
  readonly ports: readonly In[];
  readonly axes: readonly number[];
  readonly tile: LineTile;
  readonly sharing: Sharing;
}

/** Begins a kernel over lines. */
export function overLines(k: Builder, lines: Lines): Line {
  const { ports, axes, tile } = lines;
  const { shape } = ports[0]!;
  const layout = layoutOf(shape, axes, tile);
  const { count, extent, lanes, slices, share } = layout;
  const sharing = slices === 1 ? alone : lines.sharing;
  const threads = lanes * slices;
  const groups = Math.ceil(count / lanes);
  const id = sharing.id(k, threads);
  const lane = k.let("lane", id.mod(lanes));
  const slice = k.let("slice", id.div(lanes));
  const line = k.let("line", k.group(0, groups).mul(lanes).add(lane));
  // Threads without a line of their own go along with the last one: barriers must be uniform.
  const exists = line.lt(count);
  const { at, coords } = placesIn(k, shape, axes, k.let("line", line.min(count - 1)));

  const place = (step: Value) => k.let("i", step.mul(slices).add(slice));
  const guarded = (i: Value, body: () => void) => k.if(exists.and(i.lt(extent)), body);
  const held = layout.held ? holdShare(k, ports, share, place, guarded, coords) : undefined;
  const onFirst = (body: () => void) => k.if(exists.and(slice.eq(0)), body);
  const seat: Seat = { lanes, slices, id, lane, slice };

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
    all: (own, combine) => sharing.all(k, seat, own, combine),
    once(own, combine, then) {
      const total = sharing.first(k, seat, own, combine);
      onFirst(() => then(total));
    },
    onFirst,
    needsBarrier: sharing.hasBarriers,
    finish: (name) => k.finish(name, [threads, 1, 1], [groups, 1, 1]),
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
