/** When each scratch tensor lives, and where: the arenas over the steps of a plan. */
import type { Compilation } from "../compiler/compile.ts";
import { show, type Tensor } from "../compiler/graph/tensor.ts";
import type { NameOf } from "../compiler/inspect/names.ts";
import { align } from "../compiler/memory/memory.ts";

export interface ArenaFacts {
  readonly arenas: readonly { readonly buffer: number; readonly bytes: number }[];
  readonly tensors: readonly ArenaTensor[];
  /** Bytes that live at each step, each tensor rounded up to the alignment of bindings. */
  readonly live: readonly number[];
  /** The bytes of all arenas together. */
  readonly bytes: number;
  /** The most bytes that live at one step: no arena is smaller. */
  readonly lowerBound: number;
}

export interface ArenaTensor {
  readonly name: string;
  readonly type: string;
  /** The plan's buffer that it lies in. */
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
  /** The step that makes it, and the last that reads it. */
  readonly first: number;
  readonly last: number;
}

export function arenaFacts(
  { plan, kernels }: Pick<Compilation, "plan" | "kernels">,
  alignment: number,
  nameOf: NameOf,
): ArenaFacts {
  const lives = new Map<Tensor, ArenaTensor>();
  plan.steps.forEach((step, i) => {
    kernels[i]!.bindings.forEach((tensor, binding) => {
      const { buffer, offset, bytes } = step.bindings[binding]!;
      if (plan.buffers[buffer]!.role !== "arena") return;
      const known = lives.get(tensor);
      const type = show(tensor.type);
      const place = { name: nameOf(tensor), type, buffer, offset, bytes, first: i, last: i };
      lives.set(tensor, known ? { ...known, last: i } : place);
    });
  });
  const tensors = [...lives.values()].map((tensor) => ({
    ...tensor,
    last: isCommitted(plan, tensor, lives) ? plan.steps.length : tensor.last,
  }));
  const live = plan.steps.map((_, i) =>
    tensors
      .filter(({ first, last }) => first <= i && i <= last)
      .reduce((sum, { bytes }) => sum + align(bytes, alignment), 0),
  );
  const arenas = plan.buffers.flatMap(({ role, bytes }, buffer) =>
    role === "arena" ? [{ buffer, bytes }] : [],
  );
  return {
    arenas,
    tensors,
    live,
    bytes: arenas.reduce((sum, arena) => sum + arena.bytes, 0),
    lowerBound: plan.arenaLowerBound,
  };
}

/** Whether a tensor waits in the arena until it is copied into a state. */
function isCommitted(
  { commits }: Compilation["plan"],
  tensor: ArenaTensor,
  lives: ReadonlyMap<Tensor, ArenaTensor>,
): boolean {
  const isHere = (t: ArenaTensor, at: { readonly buffer: number; readonly offset: number }) =>
    t.buffer === at.buffer && t.offset === at.offset;
  return commits.some(
    ({ from }) =>
      isHere(tensor, from) &&
      // The last that was made in this place is what is copied.
      [...lives.values()].every((other) => !isHere(other, from) || other.first <= tensor.first),
  );
}
