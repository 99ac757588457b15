/**
 * The forms of ops that work on lines.
 *
 * Where lines run along the last axis, the threads of one line read neighbouring memory; else those of
 * neighbouring lines do. Short lines have one thread each. Where workgroups are subgroups, so have lines
 * along other axes.
 */
import {
  elements,
  type Form,
  form,
  type Kernel,
  type KernelSite,
  type Problem,
  subgroups,
  type Type,
  threadsFor,
  workgroups,
} from "../../compiler/op-kit.ts";
import { type Line, type LineTile, layoutOf, overLines } from "./line-kernel.ts";
import { byLanes, byReductions, byTree, type Sharing } from "./line-sharing.ts";

/** What an op says of its lines. */
export interface LineKernel<A> {
  /** The axes that lines run along. */
  axes(inputs: readonly Type[], attrs: A): readonly number[];
  /** How many inputs, from the first one, are walked together: 1 unless given. All have one shape. */
  readonly along?: number;
  /** How often the kernel goes over a line. */
  passes(attrs: A): number;
  kernel(site: KernelSite<A>, line: Line): Kernel;
}

/**
 * A kernel over lines in three forms, which differ in how the threads of a line combine what they have:
 * in lanes, by reductions of subgroups, and through a tree in workgroup memory.
 */
export const lineForms = <A>(of: LineKernel<A>): readonly Form<A>[] => [
  lineForm(of, { ...subgroups, tiles: (at) => [laneTile(at)], sharing: byLanes }),
  lineForm(of, {
    ...{ name: "reductions", fits: ({ reduces }) => reduces },
    // Of lines that share a workgroup, none has whole subgroups.
    tiles: (at) => [treeTile(at)].filter((tile) => tile.lanes === 1 && tile.slices > 1),
    sharing: byReductions,
  }),
  lineForm(of, { ...workgroups, tiles: (at) => [treeTile(at)], sharing: byTree }),
];

/** Where lines lie, and what the device allows. */
interface LineShape {
  readonly count: number;
  readonly extent: number;
  /** They run along the last axis. */
  readonly alongLast: boolean;
  /** The most threads of a workgroup. */
  readonly most: number;
  /** The width of subgroups. */
  readonly width: number;
  /** Threads of a workgroup where each has a line to itself. */
  readonly threads: number;
}

interface LineWay extends Pick<Form, "name" | "fits" | "label"> {
  tiles(at: LineShape): readonly LineTile[];
  readonly sharing: Sharing;
}

function lineForm<A>(of: LineKernel<A>, way: LineWay): Form<A> {
  const axesOf = ({ inputs, attrs }: Problem<A>) => of.axes(inputs, attrs);
  return form<A, LineTile>({
    ...{ name: way.name, fits: way.fits, label: way.label },
    tiles: (problem) => way.tiles(shapeOf(problem, axesOf(problem))),
    reads: (tile, _input, problem) =>
      layoutOf(problem.inputs[0]!.shape, axesOf(problem), tile).held ? 1 : of.passes(problem.attrs),
    kernel(site, tile) {
      const ports = site.inputs.slice(0, of.along ?? 1);
      const lines = { ports, axes: axesOf(site), tile, sharing: way.sharing };
      return of.kernel(site, overLines(site.k, lines));
    },
  });
}

function shapeOf<A>({ inputs, profile }: Problem<A>, axes: readonly number[]): LineShape {
  const { shape } = inputs[0]!;
  const extent = elements(axes.map((a) => shape[a]!));
  const count = elements(shape) / extent;
  return {
    count,
    extent,
    alongLast: axes.includes(shape.length - 1),
    most: Math.min(256, profile.maxThreads),
    width: profile.subgroup,
    threads: threadsFor(count, profile),
  };
}

const shortLine = 32;

/** One thread for each line. */
const single = ({ threads }: LineShape): LineTile => ({ lanes: threads, slices: 1 });

function laneTile(at: LineShape): LineTile {
  if (at.extent <= shortLine || !at.alongLast) return single(at);
  return { lanes: 1, slices: at.width };
}

/**
 * Of lines that are columns, sixteen read neighbouring memory. Where there are few long columns,
 * eight do (one sector of a cache line), and twice as many workgroups are at work.
 */
function treeTile(at: LineShape): LineTile {
  const { count, extent, alongLast, most } = at;
  if (extent <= shortLine) return single(at);
  if (alongLast) return { lanes: 1, slices: Math.min(extent <= 512 ? 64 : 256, most) };
  const lanes = extent >= 512 && count <= 2048 ? 8 : 16;
  return { lanes, slices: most / lanes };
}
