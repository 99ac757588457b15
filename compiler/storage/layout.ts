/** Where tensors live that outlive a run: several plans share that memory, by the names of states. */

import type { FormatName } from "../../formats/index.ts";

/** A place in a state, in bytes. */
export interface Residence {
  readonly state: string;
  readonly offset: number;
  /** The format of a frozen parameter, where it is not that of its dtype. */
  readonly stored?: FormatName;
}

export interface Layout {
  readonly states: readonly { readonly name: string; readonly bytes: number }[];
  /** Parameters that lie in states instead of buffers of the plan's own, by path. */
  readonly parameters: ReadonlyMap<string, Residence>;
  /** Outputs that are written into states, by name. */
  readonly outputs: ReadonlyMap<string, Residence>;
}

export const noLayout: Layout = { states: [], parameters: new Map(), outputs: new Map() };
