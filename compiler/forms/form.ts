/**
 * How ops write their forms. A form's functions agree on the type of its tiles, which nobody else
 * needs to know: `form` hides it in the variants that it makes.
 */
import type { Kernel } from "../kernel/ir.ts";
import type { Form, KernelSite, Problem, Tile, Variant } from "../op.ts";
import type { Profile } from "../profile.ts";

/** A form whose tiles have the type `T`. */
export interface Tiled<A, T extends Tile> {
  readonly name: string;
  /** Whether a device has what the kernels ask for. */
  fits(profile: Profile): boolean;
  readonly label?: Form["label"];
  readonly contested?: boolean;
  /** All tiles that are legal for the problem, by a model of their time: the best first. */
  tiles(problem: Problem<A>): readonly T[];
  /** How often the kernel with this tile reads each element of an input. */
  reads(tile: T, input: number, problem: Problem<A>): number;
  /** Writes the kernel. It touches global memory through its ports only. */
  kernel(site: KernelSite<A>, tile: T): Kernel;
}

export const form = <A, T extends Tile>(of: Tiled<A, T>): Form<A> => ({
  name: of.name,
  fits: (profile) => of.fits(profile),
  label: of.label,
  contested: of.contested,
  variants: (problem) =>
    of.tiles(problem).map(
      (tile): Variant => ({
        form: of.name,
        tile,
        reads: (input) => of.reads(tile, input, problem),
        kernel: (ports) => of.kernel({ ...problem, ...ports }, tile),
      }),
    ),
});

/** A kernel that every device runs, and that has no tiles. */
export interface Portable<A> {
  /** How often the kernel reads each element of an input. */
  reads(input: number, problem: Problem<A>): number;
  /** Writes the kernel. It touches global memory through its ports only. */
  kernel(site: KernelSite<A>): Kernel;
}

const noTile: Tile = {};

/** The form of an op that has one. */
export const portable = <A>(of: Portable<A>): Form<A> =>
  form({
    name: "portable",
    fits: () => true,
    tiles: () => [noTile],
    reads: (_tile, input, problem) => of.reads(input, problem),
    kernel: (site) => of.kernel(site),
  });
