/**
 * topK(x, k): the k largest elements along an axis, largest first, and where they stand. Of equal
 * elements the one with the lowest index comes first. NaN counts as larger than every number.
 *
 * The kernel looks for the largest element after the last one found, k times: no sorting, no
 * memory beyond one number per thread, and k is small wherever routing and scoring use it.
 */
import {
  apply,
  type Builder,
  checkNumber,
  type DType,
  elements,
  index,
  isNaNOf,
  type KernelOp,
  literal,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { eq } from "../elementwise/eq.ts";
import { iota } from "../elementwise/iota.ts";
import { where } from "../elementwise/where.ts";
import { extentOf, lineOf, mostTerms, smallForm } from "../small.ts";
import { axisOf } from "../views/axes.ts";
import { sumTo } from "../views/broadcast.ts";
import { reshape } from "../views/reshape.ts";
import { lineForms } from "./line-forms.ts";
import { plainLines } from "./line-kernel.ts";
import type { Combine } from "./line-sharing.ts";

interface Attrs {
  readonly axis: number;
  readonly count: number;
}

export const op: KernelOp<Attrs> = {
  name: "topK",
  kind: "kernel",
  type: ([x], { axis, count }, fail) => {
    const size = x!.shape[axis]!;
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    if (!Number.isInteger(count) || count < 1 || count > size)
      fail(`the ${count} largest of ${size}`, `ask for 1 to ${size} of them`);
    const shape = x!.shape.map((n, i) => (i === axis ? count : n));
    return [
      { dtype: "f32", shape },
      { dtype: "i32", shape },
    ];
  },
  forms: lineForms({
    axes: (_inputs, { axis }) => [axis],
    passes: ({ count }) => count,
    kernel({ k, outputs: [values, indices], attrs: { count } }, line) {
      const none = line.layout.extent;
      const better = (a: Value, i: Value, b: Value, j: Value) =>
        j.eq(none).or(
          isAbove(a, b)
            .or(isLevel(a, b).and(i.lt(j)))
            .and(i.lt(none)),
        );
      const combine: Combine = ([a, i], [b, j]) =>
        pick(k, better(a!, i!, b!, j!), [a!, i!], [b!, j!]);
      const lastValue = k.var("lastValue", literal(0, "f32"));
      const lastIndex = k.var("lastIndex", index(0));
      k.for("rank", count, (rank) => {
        const best = k.var("best", literal(0, "f32"));
        const at = k.var("at", index(none));
        line.each((value, i) => {
          const v = k.let("value", value);
          const last = lastValue.get;
          const after = isAbove(last, v).or(isLevel(v, last).and(lastIndex.get.lt(i)));
          const wins = rank
            .eq(0)
            .or(after)
            .and(better(v, i, best.get, at.get));
          k.if(wins, () => {
            best.set(v);
            at.set(i);
          });
        });
        const [value, place] = line.all([best.get, at.get], combine);
        lastValue.set(value!);
        lastIndex.set(place!);
        line.onFirst(() => {
          const to = line.coords(rank);
          values!.put(value!, ...to);
          indices!.put(place!.cast("i32"), ...to);
        });
        // What all threads read of this rank is overwritten by the next.
        if (count > 1 && line.needsBarrier) k.barrier();
      });
      return line.finish("topK");
    },
  }),
  oracle: ([x], { axis, count }) => {
    const ranked = (of: (v: number, i: number) => number) =>
      plainLines(x!, axis, (line) =>
        line
          .map((v, i) => [v, i] as const)
          .sort(([a, i], [b, j]) => Number(above(b, a)) - Number(above(a, b)) || i - j)
          .slice(0, count)
          .map(([v, i]) => of(v, i)),
      );
    return [ranked((v) => v), ranked((_v, i) => i)];
  },
  work: ([x], { count }) => count * elements(x!.shape),
  small: ([x], { axis, count }, result) => {
    const extent = extentOf(x!, [axis]);
    if (extent > mostTerms || count > 1) return undefined;
    return smallForm(op, result, {
      cost: 2 * extent,
      reads: extent,
      element: ({ k, inputs: [from], at }) => {
        let [best, place] = [k.let("best", lineOf(from!, [axis], at)[0]!), literal(0, "i32")];
        for (const [i, v] of lineOf(from!, [axis], at).entries()) {
          if (i === 0) continue;
          const value = k.let("value", v);
          const wins = k.let("wins", isAbove(value, best));
          [best, place] = [wins.select(value, best), wins.select(literal(i, "i32"), place)];
        }
        return result === 0 ? best : place;
      },
    });
  },
  vjp: ([g], { inputs: [x], results, attrs }) => {
    if (!g) return [undefined];
    const places = results[1] ?? (apply(op, [x!], attrs)[1] as Tensor);
    return [scatter(g, places, x!.shape, attrs)];
  },
  note: (a) => `${a.count} along axis ${a.axis}`,
  tests: {
    samples: [
      {
        claim: "of equal elements the first wins",
        inputs: [
          [
            [3, 7, 7, 1],
            [2, 2, 2, 2],
          ],
        ],
        call: (x) => {
          const { values, indices } = topK(x!, 3);
          return [values, indices];
        },
        outputs: [
          [
            [7, 7, 3],
            [2, 2, 2],
          ],
          {
            dtype: "i32",
            data: [
              [1, 2, 0],
              [0, 1, 2],
            ],
          },
        ],
      },
      {
        claim: "the index of the largest",
        inputs: [
          [
            [-3, -1, -2],
            [5, 4, 5],
          ],
        ],
        call: (x) => [argmax(x!), argmax(x!, 0)],
        outputs: [
          { dtype: "i32", data: [1, 0] },
          { dtype: "i32", data: [1, 1, 1] },
        ],
      },
    ],
    cases: (
      [
        ["one of a short row", [70, 5], 1, -1],
        ["several of a short row", [9, 7], 7, -1],
        ["several of a row shared by threads", [3, 77], 3, -1],
        ["a long row, read again for each rank", [2, 4500], 2, -1],
        ["along the first axis", [67, 5], 2, 0],
      ] as const
    ).map(([claim, shape, count, axis]) => ({
      claim,
      // Far apart, so that a small step changes no rank.
      inputs: [{ shape, range: [-99, 99] as const }],
      call: (x?: Tensor) => topK(x!, count, axis).values,
      smooth: true,
    })),
  },
};

export interface Ranked {
  /** float32, with `count` elements along the axis. */
  readonly values: Tensor<"f32">;
  /** i32, of the same shape. */
  readonly indices: Tensor<"i32">;
}

/** The `count` largest elements along `axis` (the last one unless given). Throws E101. */
export function topK(x: Tensor, count: number, axis = -1): Ranked {
  const along = axisOf("topK", x, axis);
  checkNumber("topK", [x], "the count", count, { whole: true });
  const [values, indices] = apply(op, [x], { axis: along, count });
  return { values: values as Tensor<"f32">, indices: indices as Tensor<"i32"> };
}

/** The index of the largest element along `axis` (the last one unless given), which goes away. */
export function argmax<D extends DType>(x: Tensor<D>, axis = -1): Tensor<"i32"> {
  const along = axisOf("argmax", x, axis);
  const { indices } = topK(x, 1, along);
  const shape = x.shape.filter((_, i) => i !== along);
  return reshape(indices, shape) as unknown as Tensor<"i32">;
}

/** The values of `g` at their places along the axis, zero elsewhere. */
function scatter(
  g: Tensor,
  places: Tensor,
  shape: readonly number[],
  { axis, count }: Attrs,
): Tensor {
  // [..., rank, place, ...]: compared with every place, then summed over ranks.
  const apart = (n: number, m: number) => [
    ...shape.slice(0, axis),
    ...[n, m],
    ...shape.slice(axis + 1),
  ];
  const all: Tensor = iota(apart(1, shape[axis]!), axis + 1);
  const here: Tensor = eq(reshape(places, apart(count, 1)) as Tensor, all);
  const spread: Tensor = where(here, reshape(g, apart(count, 1)) as Tensor, 0);
  return reshape(sumTo(spread, apart(1, shape[axis]!)), shape);
}

/** Whether `a` comes before `b` of any index: a NaN before all numbers, as in PyTorch. */
const isAbove = (a: Value, b: Value): Value => a.gt(b).or(isNaNOf(a).and(isNaNOf(b).not()));

const isLevel = (a: Value, b: Value): Value => a.eq(b).or(isNaNOf(a).and(isNaNOf(b)));

const above = (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b));

const pick = (
  k: Builder,
  condition: Value,
  yes: readonly Value[],
  no: readonly Value[],
): Value[] => {
  const first = k.let("better", condition);
  return yes.map((v, i) => first.select(v, no[i]!));
};
