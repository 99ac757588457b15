/**
 * What happens once gradients exist, as one graph: unscaling, the veto, the norm and its clipping,
 * the optimiser, the loss scale. The host learns of none of it in time, so all decisions are tensors.
 *
 * A step with a gradient or a loss that is not finite changes nothing but its own counters:
 * parameters, moments and step counts are selected, never multiplied, and stay bit for bit. A
 * tensor that has not had a gradient yet is left alone, its decay included; from its first gradient
 * on it is stepped each time, with zeros where it has none: what PyTorch does.
 */

import type { Source } from "../compiler/index.ts";
import { type Graph, graphOf, input, state, type Tensor } from "../compiler/index.ts";
import { bug } from "../diagnostics/index.ts";
import {
  abs,
  add,
  and,
  cast,
  computeTogether,
  concat,
  eq,
  finite,
  full,
  gather,
  gt,
  maximum,
  minimum,
  mul,
  reshape,
  selectPositive,
  slice,
  sum,
  where,
} from "../ops/index.ts";
import {
  type LossScaling,
  largestScale,
  notFinite,
  stepVerdict,
} from "../ops/training/step-verdict.ts";
import { beforeStep } from "../runtime/training/plan.ts";
import type { Optimiser } from "./optimisers/index.ts";
import { check, count, fraction, positive } from "./settings.ts";

type Floats = Tensor<"f32">;

/** Elements of a chunk. Every trainable tensor begins at one, and its last is filled with zeros. */
export const chunkSize = 64;

export type { LossScaling };

/** What mixed precision begins with unless told. */
export const usualScaling: LossScaling = {
  initial: 2 ** 15,
  growth: 2,
  backoff: 0.5,
  interval: 2000,
};

export interface UpdateSpec {
  /** Chunks of each part: trained tensors are in as many as the size of a binding demands. */
  readonly parts: readonly number[];
  /** The number of tensors. */
  readonly tensors: number;
  readonly optimiser: Optimiser;
  /** The most that the norm of all gradients together may be. */
  readonly clip?: number;
  /** Steps whose gradients are averaged for one update. */
  readonly accumulate: number;
  /** None: gradients are not scaled. */
  readonly scaling?: LossScaling;
  /** States of the model that its passes move. */
  readonly states?: readonly Source[];
}

/** The name of a part of a state that is as large as all trained tensors. */
export const partName = (state: string, part: number, parts: number): string =>
  parts === 1 ? state : `${state}.${part}`;

/** Where tensors come from: states and inputs, or inputs alone where a test wants to see. */
export interface Sources {
  readonly state: typeof state;
  readonly input: typeof input;
}

const usual: Sources = { state, input };

/**
 * The update. It reads the states parameters, gradients f32 [chunks, 64], present f32 [tensors]
 * (1 where this step made a gradient) and loss f32 [1], with accumulation in their place
 * accumulated, accumulated.present and accumulated.loss; moment.NAME f32 [chunks, 64], steps f32
 * [tensors] (updates of each tensor; 0: none yet) and scale f32 [4]: loss scale (0: as at first),
 * good steps since it changed, vetoed steps, updates done. Where there are several parts, states of
 * chunks are so many: parameters.0, parameters.1, ...
 *
 * States of the model have moved already: a step that counts keeps them, another one puts back what
 * was before it, which lies in before.NAME.
 *
 * Its inputs are chunk_tensor i32 [chunks], rates and decays f32 [tensors]. It writes parameters,
 * moments, steps and scale, and zeroes what accumulated. It returns norm f32 [1], of the unscaled
 * gradients that are finite, before clipping, and broken i32 [1]: the first tensor with a gradient
 * that is not finite, `tensors` if it is the loss alone, -1 if none.
 *
 * It is four kernels: squares of each chunk, the verdict on all of them, a row of factors for each
 * chunk, and the update of all tensors. One more zeroes what accumulated.
 * @throws E720 for settings out of range.
 */
export function updateGraph(spec: UpdateSpec, sources: Sources = usual): Graph {
  checkSpec(spec);
  const { tensors, clip, scaling } = spec;
  const from = spec.accumulate > 1 ? accumulated : fresh;
  const chunked = (name: string) => chunkedState(spec, sources, name);
  const perTensor = (name: string) => sources.state(name, "f32", [tensors]) as Floats;
  const gradients = chunked(from.gradients);
  const present = perTensor(from.present);
  const { owner, owners } = ownersOf(spec, sources);

  const squares = gradients.map((g, part) => squaresOf(g, present, owners[part]!));
  const isLossFinite = cast(finite(sources.state(from.loss, "f32", [1])), "f32");
  const scale = sources.state("scale", "f32", [4]);
  const attrs = { tensors, clip, scaling };
  const judged = stepVerdict(endToEnd(squares), owner, isLossFinite, scale, attrs);

  const { rows, steps } = factorsOf(spec, sources, {
    owners,
    present,
    steps: perTensor("steps"),
    outcome: judged.outcome,
  });
  return named({
    ...updated(spec, chunked, gradients, rows),
    steps,
    scale: judged.next,
    ...(spec.accumulate > 1 ? zeroed(spec) : {}),
    ...settled(spec, sources, judged.outcome),
    norm: judged.norm,
    broken: judged.broken,
  });
}

/**
 * One more step's gradients: it adds gradients / accumulate to the state accumulated, where
 * present says that there are any, and likewise loss; accumulated.present becomes the larger. What
 * is not finite stays so until the update. Run it after each backward pass, then the update.
 */
export function accumulateGraph(
  spec: Pick<UpdateSpec, "parts" | "tensors" | "accumulate">,
  sources: Sources = usual,
): Graph {
  const { parts, tensors, accumulate } = spec;
  check("training", { accumulate: [accumulate, count] });
  const both = (name: "present" | "loss", shape: readonly number[]) =>
    [
      sources.state(accumulated[name], "f32", shape) as Floats,
      sources.state(fresh[name], "f32", shape) as Floats,
    ] as const;
  const { owners } = ownersOf(spec, sources);
  const [sofar, present] = both("present", [tensors]);
  const [losses, loss] = both("loss", [1]);
  const plus = (a: Floats, b: Floats) => {
    const ok = and(finite(a), finite(b));
    return where(ok, add(a, mul(b, 1 / accumulate)), where(finite(a), b, a)) as Floats;
  };
  const gradients = chunkedState(spec, sources, fresh.gradients);
  const totals = chunkedState(spec, sources, accumulated.gradients).map((total, part) => {
    const has = gt(reshape(gather(present, owners[part]!), [parts[part]!, 1]), 0);
    return where(has, plus(total, gradients[part]!), total) as Floats;
  });
  const few = computeTogether([maximum(sofar, present), plus(losses, loss)]);
  return named({
    ...partsNamed(accumulated.gradients, totals),
    [accumulated.present]: few[0]!,
    [accumulated.loss]: few[1]!,
  });
}

/** The factor of the loss in this step, f32 [1], from the state scale f32 [4]. */
export function lossScale(scale: Tensor, scaling: LossScaling | undefined): Floats {
  if (!scaling) return full(1, [1]);
  const kept = slice(scale, [[0, 1]]) as Floats;
  return where(eq(kept, 0), scaling.initial, kept);
}

const fresh = { gradients: "gradients", present: "present", loss: "loss" } as const;
const accumulated = {
  gradients: "accumulated",
  present: "accumulated.present",
  loss: "accumulated.loss",
} as const;

function checkSpec({ parts, tensors, clip, accumulate, scaling }: UpdateSpec): void {
  check("training", {
    ...Object.fromEntries(parts.map((chunks, i) => [`parts[${i}]`, [chunks, count] as const])),
    tensors: [tensors, count],
    accumulate: [accumulate, count],
    ...(clip === undefined ? {} : { clip: [clip, positive] }),
  });
  if (!scaling) return;
  check("the loss scaling", {
    initial: [scaling.initial, { words: `from 1 to ${largestScale}`, holds: isScale }],
    growth: [scaling.growth, { words: "1 or more", holds: (v) => v >= 1 }],
    backoff: [scaling.backoff, fraction],
    interval: [scaling.interval, count],
  });
}

const isScale = (v: number) => v >= 1 && v <= largestScale;

/** A state that is as large as all trained tensors: f32 [chunks, 64] of each part. */
const chunkedState = ({ parts }: Pick<UpdateSpec, "parts">, sources: Sources, name: string) =>
  parts.map(
    (chunks, part) =>
      sources.state(partName(name, part, parts.length), "f32", [chunks, chunkSize]) as Floats,
  );

/** The tensor of each chunk: of all chunks i32 [chunks], and of those of each part. */
function ownersOf({ parts }: Pick<UpdateSpec, "parts">, sources: Sources) {
  const chunks = parts.reduce((a, b) => a + b, 0);
  const owner = sources.input("chunk_tensor", "i32", [chunks]) as Tensor<"i32">;
  let start = 0;
  const owners = parts.map((size) => {
    start += size;
    return slice(owner, [[start - size, start]]) as Tensor<"i32">;
  });
  return { owner, owners };
}

/** Numbers are cut off where 64 of their squares together stay below what is not finite. */
const largest = 2 ** 56;

/**
 * One pass over the gradients tells both: the sum of squares of each chunk, and whether all are
 * finite. A number that is not counts as `notFinite`. So nothing is ever computed from a NaN, whose
 * place in arithmetic shaders may ignore.
 */
function squaresOf(gradients: Floats, present: Floats, owner: Tensor<"i32">): Floats {
  const size = minimum(abs(gradients), largest);
  const square = where(finite(gradients), mul(size, size), notFinite) as Floats;
  return where(gt(gather(present, owner), 0), sum(square, 1), 0) as Floats;
}

/**
 * A row of factors for each chunk of each part: whether it is updated, the factor of its gradient,
 * the optimiser's own. Also each tensor's count of updates, by the same kernel.
 */
function factorsOf(
  { tensors, optimiser }: UpdateSpec,
  sources: Sources,
  site: {
    readonly owners: readonly Tensor<"i32">[];
    readonly present: Floats;
    readonly steps: Floats;
    readonly outcome: Floats;
  },
): { rows: Floats[]; steps: Floats } {
  const { owners, outcome } = site;
  const [rates, decays] = ["rates", "decays"].map((name) => sources.input(name, "f32", [tensors]));
  const [fine, factor] = [0, 1].map((i) => slice(outcome, [[i, i + 1]])) as [Floats, Floats];
  const goes = (steps: Floats, present: Floats) => and(gt(maximum(steps, present), 0), gt(fine, 0));
  const row = (owner: Tensor<"i32">) => {
    const column = (x: Tensor) => reshape(gather(x, owner), [owner.shape[0]!, 1]) as Floats;
    const [present, steps] = [column(site.present), column(site.steps)];
    const own = { rate: column(rates!), decay: column(decays!), steps: add(steps, 1) as Floats };
    const first = [cast(goes(steps, present), "f32"), where(gt(present, 0), factor, 0)];
    return concat([...first, ...optimiser.factors(own)] as Floats[], 1) as Floats;
  };
  const counted = where(goes(site.steps, site.present), add(site.steps, 1), site.steps);
  const [some, steps] = computeTogether([row(owners[0]!), counted]) as [Floats, Floats];
  const rest = owners.slice(1).map((owner) => computeTogether([row(owner)])[0] as Floats);
  return { rows: [some, ...rest], steps };
}

/** Parameters and moments as they will be, by one kernel for each part. */
function updated(
  { optimiser }: UpdateSpec,
  chunked: (name: string) => Floats[],
  gradients: readonly Floats[],
  rows: readonly Floats[],
): Record<string, Tensor> {
  const names = ["parameters", ...optimiser.moments.map((name) => `moment.${name}`)];
  const now = names.map(chunked);
  const next = rows.map((row, part) =>
    updatedPart(
      optimiser,
      now.map((parts) => parts[part]!),
      gradients[part]!,
      row,
    ),
  );
  const ofState = names.map((name, i) =>
    partsNamed(
      name,
      next.map((tensors) => tensors[i]!),
    ),
  );
  return Object.assign({}, ...ofState);
}

/** From parameters and moments f32 [chunks, 64] and the factors of each chunk to the next ones. */
function updatedPart(
  optimiser: Optimiser,
  now: readonly Floats[],
  gradients: Floats,
  rows: Floats,
): readonly Tensor[] {
  const [parameters, ...moments] = now as [Floats, ...Floats[]];
  if (rows.shape[0] !== parameters.shape[0]) bug(`${rows.shape[0]} rows of factors`);
  const columns = Array.from({ length: rows.shape[1]! }, (_, i) => slice(rows, [[], [i, i + 1]]));
  const [goes, factor, ...factors] = columns as [Floats, Floats, ...Floats[]];
  const next = optimiser.update({
    parameters,
    gradients: selectPositive(factor, mul(gradients, factor), 0),
    moments,
    factors,
  });
  return computeTogether(
    [next.parameters, ...next.moments].map((tensor, i) => selectPositive(goes, tensor, now[i]!)),
  );
}

/** States of the model as they are after the step: moved if it counts, else as before. */
function settled({ states = [] }: UpdateSpec, sources: Sources, outcome: Floats) {
  const counts = gt(slice(outcome, [[0, 1]]), 0);
  const next = states.flatMap(({ name, type: { dtype, shape } }) => {
    const [moved, before] = [name, beforeStep(name)].map((s) => sources.state(s, dtype, shape));
    const flag = reshape(counts, [...shape.map(() => 1)]);
    const kept = where(flag, moved!, before!) as Tensor;
    return [[name, kept] as const, [beforeStep(name), kept] as const];
  });
  return Object.fromEntries(next);
}

/** What accumulates begins anew, after a vetoed step too. */
function zeroed({ parts, tensors }: UpdateSpec): Record<string, Tensor> {
  const names = [
    ...parts.map((_, part) => partName(accumulated.gradients, part, parts.length)),
    ...[accumulated.present, accumulated.loss],
  ];
  const shapes = [...parts.map((chunks) => [chunks, chunkSize]), [tensors], [1]];
  const zeros = inGroups(shapes.map((shape) => full(0, shape))).flatMap((some) =>
    computeTogether(some),
  );
  return Object.fromEntries(names.map((name, i) => [name, zeros[i]!]));
}

const partsNamed = (state: string, parts: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(parts.map((t, part) => [partName(state, part, parts.length), t]));

/** A few at a time: a kernel binds only so many buffers. */
function inGroups<T>(all: readonly T[]): T[][] {
  const few = 6;
  return Array.from({ length: Math.ceil(all.length / few) }, (_, i) =>
    all.slice(few * i, few * (i + 1)),
  );
}

/** Tensors one after another along their first axis, in as many steps as that takes. */
export function endToEnd(parts: readonly Floats[]): Floats {
  if (parts.length === 1) return parts[0]!;
  return endToEnd(
    inGroups(parts).map((some) => (some.length === 1 ? some[0]! : (concat(some, 0) as Floats))),
  );
}

const named = (outputs: Record<string, Tensor>): Graph =>
  graphOf(Object.entries(outputs).map(([name, tensor]) => ({ name, tensor })));
