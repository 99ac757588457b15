/**
 * What a lowering is: who computes the tiles of a program, on which devices, and in what sizes. One file holds
 * one lowering; `lowerings.ts` lists them, and the forms of all ops with tile programs come out of that list.
 */
import type { Builder } from "../kernel/builder.ts";
import type { Kernel } from "../kernel/ir.ts";
import type { Form, Tile } from "../op.ts";
import type { Profile } from "../profile.ts";
import type { TileProgram } from "./program.ts";

/** The sizes that a program is written for: those of a workgroup's tiles. */
export interface Sizes {
  /** Rows of every computed tile that has several. */
  readonly rows: number;
  /** Columns of a computed tile; a walk's are the places that go by at a time, and may be rounded up. */
  readonly columns: number;
  /** Places of a depth that go by at a time; a walk has none. */
  readonly depth: number;
}

/** What a program multiplies: by it the sizes are chosen. */
export type Work = Product | Walk;

/** One sum of products, cut into rows and columns; the depth of each segment goes by. */
export interface Product {
  readonly kind: "product";
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
  readonly depths: readonly number[];
}

/** Scores of rows with what goes by, and sums onto which scores are multiplied. */
export interface Walk {
  readonly kind: "walk";
  /** Heads of all images. */
  readonly images: number;
  /** Rows of all workgroups of an image, and rows of the other side that go by. */
  readonly rows: number;
  readonly walked: number;
  /** Depths of the products that make scores: their left operands stay in memory. */
  readonly scores: readonly number[];
  /** Columns of the sums that scores are multiplied onto. */
  readonly sums: readonly number[];
}

/** Sizes, and the kernel that has them. */
export interface Blocking {
  /** What a tuning file says of it. */
  readonly tile: Tile;
  readonly sizes: Sizes;
  /** Columns of the panels in which a right operand is read. */
  readonly panel?: number;
  /** `sized` is the same program of other sizes. */
  lower(k: Builder, program: TileProgram, sized: (sizes: Sizes) => TileProgram): Kernel;
}

/** How it is named, what it asks of a device, and how it is tuned are those of the forms made of it. */
export interface Lowering extends Pick<Form, "name" | "fits" | "label" | "contested"> {
  /** All that the profile allows, the best by a model of their time first. None: it is not for such work. */
  blockings(work: Work, profile: Profile): readonly Blocking[];
}
