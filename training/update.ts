/**
 * What happens once gradients exist, as one graph: unscaling, the veto, the norm and its clipping,
 * the optimiser, the loss scale. The host learns of none of it in time, so all decisions are tensors.
 *
 * A step with a gradient or a loss that is not finite changes nothing but its own counters:
 * parameters, moments and step counts are selected, never multiplied, and stay bit for bit. A
 * tensor that has not had a gradient yet is left alone, its decay included; from its first gradient
 * on it is stepped each time, with zeros where it has none: what PyTorch does.
 */
import { type Graph, graphOf, input, state, type Tensor } from "../compiler/index.ts";
import { bug } from "../diagnostics/index.ts";
import {
  abs,
  add,
  and,
  cast,
  concat,
  div,
  eq,
  finite,
  full,
  gate,
  gather,
  ge,
  gt,
  lt,
  maximum,
  min,
  minimum,
  mul,
  not,
  pad,
  reshape,
  slice,
  sqrt,
  sum,
  together,
  where,
} from "../ops/index.ts";
import type { Optimiser } from "./optimisers/index.ts";
import { check, count, fraction, positive } from "./settings.ts";

type Floats = Tensor<"f32">;

/** Elements of a chunk. Every trainable tensor begins at one, and its last is filled with zeros. */
export const chunkSize = 64;

/** How the loss scale follows what gradients in half precision can hold. */
export interface LossScaling {
  readonly initial: number;
  /** Times this after `interval` steps without a veto. */
  readonly growth: number;
  /** Times this after a veto. */
  readonly backoff: number;
  readonly interval: number;
}

/** What mixed precision begins with unless told. */
export const usualScaling: LossScaling = {
  initial: 2 ** 15,
  growth: 2,
  backoff: 0.5,
  interval: 2000,
};

export interface UpdateSpec {
  /** Chunks of all tensors, the number of tensors, and of groups that share a rate and a decay. */
  readonly chunks: number;
  readonly tensors: number;
  readonly groups: number;
  readonly optimiser: Optimiser;
  /** The most that the norm of all gradients together may be. */
  readonly clip?: number;
  /** Steps whose gradients are averaged for one update. */
  readonly accumulate: number;
  /** None: gradients are not scaled. */
  readonly scaling?: LossScaling;
}

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
 * good steps since it changed, vetoed steps, updates done.
 *
 * Its inputs are chunk_tensor i32 [chunks], tensor_group i32 [tensors], rates and decays f32
 * [groups]. It writes parameters, moments, steps and scale, and zeroes what accumulated. It returns
 * norm f32 [1], of the unscaled gradients that are finite, before clipping, and broken i32 [1]: the
 * first tensor with a gradient that is not finite, `tensors` if it is the loss alone, -1 if none.
 * @throws E720 for settings out of range.
 */
export function updateGraph(spec: UpdateSpec, sources: Sources = usual): Graph {
  checkSpec(spec);
  const { chunks, tensors } = spec;
  const from = spec.accumulate > 1 ? accumulated : fresh;
  const arena = (name: string) => sources.state(name, "f32", [chunks, chunkSize]) as Floats;
  const perTensor = (name: string) => sources.state(name, "f32", [tensors]) as Floats;
  const gradients = arena(from.gradients);
  const present = perTensor(from.present);
  const scale = sources.state("scale", "f32", [4]);
  const owner = sources.input("chunk_tensor", "i32", [chunks]) as Tensor<"i32">;
  const loss = sources.state(from.loss, "f32", [1]);

  const { squares, broken } = survey(spec, { gradients, present, owner, loss });
  const inverse = div(1, lossScale(scale, spec.scaling));
  const norm = mul(reshape(sqrt(sumOfSquares(squares)), [1]) as Floats, inverse);
  const fine = lt(broken, 0);

  const steps = perTensor("steps");
  const goes = and(gt(maximum(steps, present), 0), fine);
  const factor = stored(mul(clipping(norm, spec.clip), inverse));
  const perTensorFactors = stored(factorsOf(spec, sources, { present, steps, goes, factor }));
  const rows = stored(gather(perTensorFactors, owner) as Floats);
  const next = updated(spec, arena, gradients, rows);
  return named({
    ...next,
    steps: where(goes, add(steps, 1), steps),
    scale: nextScale(scale, fine, spec.scaling),
    ...(spec.accumulate > 1 ? zeroed(spec) : {}),
    norm,
    broken,
  });
}

/**
 * One more step's gradients: it adds gradients / accumulate to the state accumulated, where
 * present says that there are any, and likewise loss; accumulated.present becomes the larger. What
 * is not finite stays so until the update. Run it after each backward pass, then the update.
 */
export function accumulateGraph(
  spec: Pick<UpdateSpec, "chunks" | "tensors" | "accumulate">,
  sources: Sources = usual,
): Graph {
  const { chunks, tensors, accumulate } = spec;
  check("training", { accumulate: [accumulate, count] });
  const both = (name: keyof typeof fresh, shape: readonly number[]) =>
    [
      sources.state(accumulated[name], "f32", shape) as Floats,
      sources.state(fresh[name], "f32", shape) as Floats,
    ] as const;
  const owner = sources.input("chunk_tensor", "i32", [chunks]);
  const [total, gradients] = both("gradients", [chunks, chunkSize]);
  const [sofar, present] = both("present", [tensors]);
  const [losses, loss] = both("loss", [1]);
  const has = gt(reshape(gather(present, owner), [chunks, 1]), 0);
  const plus = (a: Floats, b: Floats) => {
    const ok = and(finite(a), finite(b));
    return where(ok, add(a, mul(b, 1 / accumulate)), where(finite(a), b, a)) as Floats;
  };
  return named({
    [accumulated.gradients]: where(has, plus(total, gradients), total),
    [accumulated.present]: maximum(sofar, present),
    [accumulated.loss]: plus(losses, loss),
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

function checkSpec({ chunks, tensors, groups, clip, accumulate, scaling }: UpdateSpec): void {
  check("training", {
    chunks: [chunks, count],
    tensors: [tensors, count],
    groups: [groups, count],
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

/** Beyond these a scale would push gradients of float32 themselves out of range. */
const [smallestScale, largestScale] = [2 ** -24, 2 ** 64];
const isScale = (v: number) => v >= 1 && v <= largestScale;

/**
 * One pass over the gradients tells both: the sum of squares of each chunk, and whether all are
 * finite. A number that is not counts as `notFinite`; all others are cut off where 64 of their
 * squares together stay below it. So nothing is ever computed from a NaN, whose place in arithmetic
 * shaders may ignore.
 */
const largest = 2 ** 56;
const notFinite = 2 ** 120;

function survey(
  { tensors }: UpdateSpec,
  site: { gradients: Floats; present: Floats; owner: Tensor<"i32">; loss: Floats },
): { squares: Floats; broken: Tensor<"i32"> } {
  const size = minimum(abs(site.gradients), largest);
  const square = where(finite(site.gradients), mul(size, size), notFinite) as Floats;
  const has = gt(gather(site.present, site.owner), 0);
  const squares = where(has, sum(square, 1), 0) as Floats;
  const candidates = where(ge(squares, notFinite), site.owner, tensors) as Tensor<"i32">;
  const first = reshape(min(candidates), [1]) as Tensor<"i32">;
  const otherwise = where(finite(site.loss), full(-1, [1], "i32"), tensors);
  const broken = where(lt(first, tensors), first, otherwise as Tensor<"i32">);
  return { squares, broken: broken as Tensor<"i32"> };
}

/** The sum over all chunks whose gradients are finite, a scalar. */
function sumOfSquares(squares: Floats): Floats {
  const counted = where(lt(squares, notFinite), squares, 0) as Floats;
  // Long sums are made in two steps where their length divides.
  const odd = counted.shape[0]! % summands;
  return sum(odd === 0 ? counted : pad(counted, [[0, summands - odd]]));
}

const summands = 256;

/** torch.nn.utils.clip_grad_norm_: at most 1, and the norm is never divided by when it is 0. */
const clipping = (norm: Floats, clip: number | undefined): Floats =>
  clip === undefined ? full(1, [1]) : minimum(div(clip, add(norm, 1e-6)), 1);

/** Per tensor: whether it is updated, the factor of its gradient, the optimiser's own. */
function factorsOf(
  { tensors, groups, optimiser }: UpdateSpec,
  sources: Sources,
  site: { present: Floats; steps: Floats; goes: Tensor; factor: Floats },
): Floats {
  const group = sources.input("tensor_group", "i32", [tensors]);
  const column = (x: Tensor) => reshape(x, [tensors, 1]) as Floats;
  const ofGroup = (name: string) => column(gather(sources.input(name, "f32", [groups]), group));
  return concat(
    [
      column(cast(site.goes, "f32")),
      column(where(gt(site.present, 0), site.factor, 0)),
      ...optimiser.factors({
        rate: ofGroup("rates"),
        decay: ofGroup("decays"),
        steps: column(add(site.steps, 1)),
      }),
    ],
    1,
  );
}

/** Parameters and moments as they will be, from `rows` [chunks, ...]: the factors of each chunk. */
function updated(
  { chunks, optimiser }: UpdateSpec,
  arena: (name: string) => Floats,
  gradients: Floats,
  rows: Floats,
): Record<string, Tensor> {
  const columns = Array.from({ length: rows.shape[1]! }, (_, i) => slice(rows, [[], [i, i + 1]]));
  const [goes, factor, ...factors] = columns as [Floats, Floats, ...Floats[]];
  if (rows.shape[0] !== chunks) bug(`${rows.shape[0]} rows of factors for ${chunks} chunks`);
  const parameters = arena("parameters");
  const moments = optimiser.moments.map((name) => arena(`moment.${name}`));
  const next = optimiser.update({
    parameters,
    gradients: gate(factor, mul(gradients, factor), 0),
    moments,
    factors,
  });
  const [moved, ...rest] = together(
    [parameters, ...moments].map((old, i) =>
      gate(goes, [next.parameters, ...next.moments][i]!, old),
    ),
  );
  return {
    parameters: moved!,
    ...Object.fromEntries(optimiser.moments.map((name, i) => [`moment.${name}`, rest[i]!])),
  };
}

/** Loss scale, good steps since it changed, vetoed steps, updates done: f32 [4]. */
function nextScale(scale: Floats, fine: Tensor, scaling: LossScaling | undefined): Floats {
  const [, good, vetoed, done] = [0, 1, 2, 3].map((i) => slice(scale, [[i, i + 1]])) as Floats[];
  const counts = [where(fine, vetoed!, add(vetoed!, 1)), where(fine, add(done!, 1), done!)];
  const more = add(good!, 1);
  if (!scaling) return concat([full(1, [1]), where(fine, more, 0), ...counts]);
  const now = lossScale(scale, scaling);
  const isDue = ge(more, scaling.interval);
  const grown = where(isDue, minimum(mul(now, scaling.growth), largestScale), now);
  const lowered = maximum(mul(now, scaling.backoff), smallestScale);
  const since = where(and(fine, not(isDue)), more, 0);
  return concat([where(fine, grown, lowered), since, ...counts]);
}

/** What accumulates begins anew, after a vetoed step too. */
const zeroed = ({ chunks, tensors }: UpdateSpec): Record<string, Tensor> => ({
  [accumulated.gradients]: full(0, [chunks, chunkSize]),
  [accumulated.present]: full(0, [tensors]),
  [accumulated.loss]: full(0, [1]),
});

/** Computed once, by a kernel of its own, for users that would each compute it again. */
const stored = (x: Floats): Floats => together([x])[0] as Floats;

const named = (outputs: Record<string, Tensor>): Graph =>
  graphOf(Object.entries(outputs).map(([name, tensor]) => ({ name, tensor })));
