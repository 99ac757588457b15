/** Where tensors live that outlive a run: several plans share that memory, by the names of states. */

/** A place in a state, in bytes. */
export interface Residence {
  readonly state: string;
  readonly offset: number;
  /** As halves: a frozen parameter in mixed precision. */
  readonly stored?: "f16";
}

export interface Layout {
  readonly states: readonly { readonly name: string; readonly bytes: number }[];
  /** Parameters that lie in states instead of buffers of the plan's own, by path. */
  readonly parameters: ReadonlyMap<string, Residence>;
  /** Outputs that are written into states, by name. */
  readonly outputs: ReadonlyMap<string, Residence>;
}

export const noLayout: Layout = { states: [], parameters: new Map(), outputs: new Map() };
