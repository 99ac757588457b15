/**
 * stepVerdict(...): the verdict on a step of training, by one workgroup that looks at one number for
 * each chunk of gradients: whether the step counts, which tensor broke it, the norm of all gradients,
 * what they are multiplied with, and the next loss scale. All that the rest of an update must know
 * before it begins.
 */
import {
  apply,
  type Dense,
  index,
  type KernelOp,
  literal,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { lineForms } from "../lines/line-forms.ts";

/** How the loss scale follows what gradients in half precision can hold. */
export interface LossScaling {
  readonly initial: number;
  /** Times this after `interval` steps without a veto. */
  readonly growth: number;
  /** Times this after a veto. */
  readonly backoff: number;
  readonly interval: number;
}

/** Beyond these a scale would push gradients of float32 themselves out of range. */
export const [smallestScale, largestScale] = [2 ** -24, 2 ** 64];

/** What the squares of a chunk's gradients are instead, or more, if one of them is not finite. */
export const notFinite = 2 ** 120;

export interface VerdictAttrs {
  readonly tensors: number;
  /** The most that the norm may be. */
  readonly clip: number | undefined;
  readonly scaling: LossScaling | undefined;
}

const scaling: LossScaling = { initial: 4, growth: 2, backoff: 0.5, interval: 5 };

const called =
  (attrs: VerdictAttrs) =>
  (...[squares, owner, loss, scale]: Tensor[]) => {
    const { norm, broken, next, outcome } = stepVerdict(squares!, owner!, loss!, scale!, attrs);
    return [norm, broken, next, outcome];
  };

export const op: KernelOp<VerdictAttrs> = {
  name: "stepVerdict",
  kind: "kernel",
  type: () => [
    { dtype: "f32", shape: [1] },
    { dtype: "i32", shape: [1] },
    { dtype: "f32", shape: [4] },
    { dtype: "f32", shape: [2] },
  ],
  forms: lineForms({
    axes: () => [0],
    along: 2,
    passes: () => 1,
    kernel({ k, inputs: [, , loss, scale], outputs, attrs }, line) {
      const sum = k.var("sum", literal(0, "f32"));
      const first = k.var("first", literal(attrs.tensors, "i32"));
      line.each((square, _i, [tensor]) => {
        const counts = k.let("counts", square.lt(notFinite));
        sum.set(sum.get.add(counts.select(square, 0)));
        first.set(counts.select(first.get, first.get.min(tensor!)));
      });
      line.once([sum.get, first.get], ["add", "min"], ([total, tensor]) => {
        const old = [0, 1, 2, 3].map((i) => k.let("old", scale!.at(index(i))));
        const isLossFinite = k.let("isLossFinite", loss!.at(index(0)).gt(0));
        const judged = judge(attrs, { total: total!, tensor: tensor!, isLossFinite, old });
        for (const [i, values] of judged.entries())
          for (const [j, value] of values.entries()) outputs[i]!.put(value, index(j));
      });
      return line.finish("stepVerdict");
    },
  }),
  oracle: ([squares, owner, loss, scale], attrs) => plainly(attrs, squares!, owner!, loss!, scale!),
  work: ([squares]) => squares!.shape[0]!,
  // No loss depends on how the last step went.
  vjp: (_cotangents, { inputs }) => inputs.map(() => undefined),
  tests: {
    samples: [
      {
        claim: "a step that counts: the norm is clipped, and the loss scale is due to grow",
        inputs: [[9, 16, 0], { dtype: "i32", data: [0, 1, 1] }, [1], [8, 4, 2, 30]],
        call: called({ tensors: 2, clip: 0.5, scaling }),
        outputs: [[0.625], { dtype: "i32", data: [-1] }, [16, 0, 2, 31], [1, 0.09999984]],
      },
      {
        claim: "a chunk that is not finite counts for nothing but its tensor",
        inputs: [[9, 2e36, 16, 3e36], { dtype: "i32", data: [0, 2, 2, 1] }, [1], [0, 4, 2, 30]],
        call: called({ tensors: 3, clip: undefined, scaling }),
        outputs: [[1.25], { dtype: "i32", data: [1] }, [2, 0, 3, 30], [0, 0.25]],
      },
      {
        claim: "a loss that is not finite, without clipping and scaling",
        inputs: [[25], { dtype: "i32", data: [0] }, [0], [0, 4, 2, 30]],
        call: called({ tensors: 1, clip: undefined, scaling: undefined }),
        outputs: [[5], { dtype: "i32", data: [1] }, [1, 0, 3, 30], [0, 1]],
      },
    ],
    cases: [
      {
        claim: "more chunks than threads",
        inputs: [
          { shape: [5000], range: [0, 1] },
          { shape: [5000], dtype: "i32", range: [0, 8] },
          { shape: [1], range: [1, 2] },
          { shape: [4], range: [1, 2] },
        ],
        call: called({ tensors: 9, clip: 1, scaling }),
        smooth: false,
      },
    ],
  },
};

/**
 * From the squares of each chunk f32 [chunks], `notFinite` or more where one is not, its tensor i32
 * [chunks], whether the loss is finite f32 [1] (1 or 0) and the state scale f32 [4]:
 * - the norm of the unscaled gradients that are finite, before clipping, f32 [1]
 * - the first tensor that is not finite, `tensors` if it is the loss alone, -1 if none, i32 [1]
 * - the state scale as it will be, f32 [4]
 * - whether the step counts (1 or 0), and what gradients are to be multiplied with, f32 [2]
 */
export function stepVerdict(
  squares: Tensor,
  owner: Tensor,
  loss: Tensor,
  scale: Tensor,
  attrs: VerdictAttrs,
) {
  const [norm, broken, next, outcome] = apply(op, [squares, owner, loss, scale], attrs);
  return {
    norm: norm as Tensor<"f32">,
    broken: broken as Tensor<"i32">,
    next: next as Tensor<"f32">,
    outcome: outcome as Tensor<"f32">,
  };
}

interface Found {
  readonly total: Value;
  readonly tensor: Value;
  readonly isLossFinite: Value;
  /** Loss scale (0: as at first), good steps since it changed, vetoed steps, updates done. */
  readonly old: readonly Value[];
}

function judge({ tensors, clip, scaling }: VerdictAttrs, found: Found): Value[][] {
  const { total, tensor, isLossFinite, old } = found;
  const one = literal(1, "f32");
  const [kept, good, vetoed, done] = old as [Value, Value, Value, Value];
  const scale = scaling ? kept.eq(0).select(scaling.initial, kept) : one;
  const inverse = one.div(scale);
  const norm = total.sqrt().mul(inverse);
  const areFinite = tensor.ge(tensors);
  const fine = areFinite.and(isLossFinite);
  const [none, all] = [literal(-1, "i32"), literal(tensors, "i32")];
  const broken = areFinite.select(isLossFinite.select(none, all), tensor);
  // torch.nn.utils.clip_grad_norm_: at most 1, and the norm is never divided by when it is 0.
  const clipping = clip === undefined ? one : literal(clip, "f32").div(norm.add(1e-6)).min(1);
  const more = good.add(1);
  const isDue = scaling ? more.ge(scaling.interval) : undefined;
  const grown = isDue?.select(scale.mul(scaling!.growth).min(largestScale), scale) ?? scale;
  const lowered = scaling ? scale.mul(scaling.backoff).max(smallestScale) : scale;
  const since = isDue?.select(0, more) ?? more;
  return [
    [norm],
    [broken],
    [
      fine.select(grown, lowered),
      fine.select(since, 0),
      fine.select(vetoed, vetoed.add(1)),
      fine.select(done.add(1), done),
    ],
    [fine.select(one, 0), clipping.mul(inverse)],
  ];
}

function plainly(
  { tensors, clip, scaling }: VerdictAttrs,
  squares: Dense,
  owner: Dense,
  loss: Dense,
  { data: [kept, good, vetoed, done] }: Dense,
): Float64Array[] {
  const scale = scaling ? kept || scaling.initial : 1;
  const chunks = [...squares.data.keys()];
  const finite = chunks.filter((i) => squares.data[i]! < notFinite);
  const norm = Math.sqrt(finite.reduce((sum, i) => sum + squares.data[i]!, 0)) / scale;
  const first = chunks
    .filter((i) => squares.data[i]! >= notFinite)
    .reduce((least, i) => Math.min(least, owner.data[i]!), tensors);
  const isLossFinite = loss.data[0]! > 0;
  const fine = first === tensors && isLossFinite;
  const isDue = scaling !== undefined && good! + 1 >= scaling.interval;
  const next = fine
    ? [isDue ? Math.min(scale * scaling.growth, largestScale) : scale, isDue ? 0 : good! + 1]
    : [scaling ? Math.max(scale * scaling.backoff, smallestScale) : scale, 0];
  return [
    [norm],
    [first < tensors ? first : isLossFinite ? -1 : tensors],
    [...next, fine ? vetoed! : vetoed! + 1, fine ? done! + 1 : done!],
    [Number(fine), (clip === undefined ? 1 : Math.min(clip / (norm + 1e-6), 1)) / scale],
  ].map((values) => Float64Array.from(values));
}
