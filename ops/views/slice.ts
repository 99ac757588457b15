/**
 * slice(x, ranges) takes out a part, pad(x, widths) puts a part among a constant. Each is the
 * derivative of the other, so they share a file. Both are views.
 */
import {
  always,
  apply,
  bounded,
  checkHolds,
  checkList,
  checkTensors,
  type DType,
  type ElementOp,
  literal,
  refuse,
  shown,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";

interface SliceAttrs {
  /** Per axis. */
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly size: readonly number[];
}

interface PadAttrs {
  /** Per axis: the size of the result, where the first element goes, and how far apart they are. */
  readonly size: readonly number[];
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly value: number;
}

export const op: ElementOp<SliceAttrs> = {
  name: "slice",
  kind: "element",
  cost: 0,
  type: ([x], { size }) => [{ dtype: x!.dtype, shape: size }],
  element: ({ inputs, at, attrs: { start, step } }) =>
    inputs[0]!.at(...at.map((c, i) => c.mul(step[i]!).add(start[i]!))),
  push: ({ at, attrs }) => {
    const places = at.map((c, i) => placeAmong(c, attrs.start[i]!, attrs.step[i]!, attrs.size[i]!));
    return {
      at: places.map((p) => p.at),
      where: places.reduce((all, p) => all.and(p.where), always),
    };
  },
  vjp: ([g], { inputs: [x], attrs: { start, step } }) => [
    apply(adjoint, [g!], { size: x!.shape, start, step, value: 0 })[0]!,
  ],
  note: ({ start, step, size }) => start.map((s, i) => `${s}+${size[i]}*${step[i]}`).join(", "),
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        call: (x) => [slice(x!, [[1], [0, 2]]), slice(x!, [[], [0, 3, 2]]), slice(x!, [[], [-1]])],
        outputs: [
          [[4, 5]],
          [
            [1, 3],
            [4, 6],
          ],
          [[3], [6]],
        ],
      },
    ],
    cases: [
      {
        claim: "the middle of odd sizes, in steps",
        inputs: [{ shape: [7, 19, 11] }],
        call: (x) => slice(x!, [[1, -1], [2, 18, 3], [4]]),
        smooth: true,
      },
    ],
  },
};

export const adjoint: ElementOp<PadAttrs> = {
  name: "pad",
  kind: "element",
  cost: 0,
  type: ([x], { size }) => [{ dtype: x!.dtype, shape: size }],
  element: ({ k, inputs, at, attrs: { start, step, value } }) => {
    const x = inputs[0]!;
    const places = at.map((c, i) => placeAmong(c, start[i]!, step[i]!, x.shape[i]!));
    const inside = places.reduce((all, p) => all.and(p.where), always);
    // Both sides of a select are evaluated, so the read is clamped to stay inside.
    return inside.select(x.at(...places.map((p) => k.let("c", p.at))), literal(value, x.dtype));
  },
  vjp: ([g], { inputs: [x], attrs: { start, step } }) => [
    apply(op, [g!], { start, step, size: x!.shape })[0]!,
  ],
  note: ({ start, size, value }) => `${value} from ${start.join(", ")} to [${size.join(", ")}]`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        call: (x) => [
          pad(x!, [
            [1, 0],
            [0, 1],
          ]),
          pad(x!, [[], [1, 1]], -1),
        ],
        outputs: [
          [
            [0, 0, 0],
            [1, 2, 0],
            [3, 4, 0],
          ],
          [
            [-1, 1, 2, -1],
            [-1, 3, 4, -1],
          ],
        ],
      },
      {
        claim: "conditions are padded with what does not hold",
        inputs: [{ dtype: "bool", data: [1, 1] }],
        call: (x) => pad(x!, [[1, 1]]),
        outputs: [{ dtype: "bool", data: [0, 1, 1, 0] }],
      },
    ],
    cases: [
      {
        claim: "odd sizes, padded around",
        inputs: [{ shape: [3, 5, 9] }],
        call: (x) => pad(x!, [[1, 2], [], [0, 4]], 0.5),
        smooth: true,
      },
    ],
  },
};

/** From start (0) up to stop (the end), in steps (1). Negative numbers count from the end. */
export type Range = readonly [start?: number, stop?: number, step?: number];

/** A part of `x`; axes without a range are whole: `slice(x, [[], [0, 4]])`. Throws E101. */
export function slice<D extends DType>(x: Tensor<D>, ranges: readonly Range[]): Tensor<D> {
  checkTensors("slice", { x });
  checkList("slice", [x], "what is taken", ranges);
  for (const range of ranges) {
    checkList("slice", [x], "a range", range);
    if (range.length > 3)
      refuse("slice", [x], `a range of ${range.length} numbers`, "it is [start, stop, step]");
  }
  if (ranges.length > x.shape.length)
    refuse("slice", [x], `${ranges.length} ranges for rank ${x.shape.length}`, "give one per axis");
  const parts = x.shape.map((n, axis) => resolve(x, n, axis, ranges[axis] ?? []));
  if (parts.every((p, i) => p.step === 1 && p.size === x.shape[i])) return x;
  const attrs = {
    start: parts.map((p) => p.start),
    step: parts.map((p) => p.step),
    size: parts.map((p) => p.size),
  };
  return apply(op, [x], attrs)[0] as Tensor<D>;
}

/** `x` with `value` before and after it along each axis; axes without widths stay. Throws E101. */
export function pad<D extends DType>(
  x: Tensor<D>,
  widths: readonly (readonly [before?: number, after?: number])[],
  value = 0,
): Tensor<D> {
  checkTensors("pad", { x });
  checkHolds("pad", [x], value, x.dtype);
  checkList("pad", [x], "the widths", widths);
  for (const width of widths) {
    checkList("pad", [x], "a width", width);
    if (width.length > 2)
      refuse("pad", [x], `a width of ${width.length} numbers`, "it is [before, after]");
  }
  if (widths.length > x.shape.length)
    refuse("pad", [x], `${widths.length} widths for rank ${x.shape.length}`, "give one per axis");
  const wrong = widths
    .flatMap((width) => [...width])
    .find((n) => n !== undefined && !(Number.isSafeInteger(n) && n >= 0));
  if (wrong !== undefined)
    refuse(
      "pad",
      [x],
      `a width is ${shown(wrong)}`,
      "they are whole numbers from 0 up; to cut off write slice(x, ...)",
    );
  const start = x.shape.map((_, i) => widths[i]?.[0] ?? 0);
  const size = x.shape.map((n, i) => n + start[i]! + (widths[i]?.[1] ?? 0));
  if (size.every((n, i) => n === x.shape[i])) return x;
  return apply(adjoint, [x], { size, start, step: x.shape.map(() => 1), value })[0] as Tensor<D>;
}

function resolve(x: Tensor, n: number, axis: number, [from = 0, to = n, step = 1]: Range) {
  const fromEnd = (i: number) => (typeof i === "number" && i < 0 ? i + n : i);
  const [start, stop] = [fromEnd(from), fromEnd(to)];
  const whole = [start, stop, step].every(Number.isInteger);
  if (!whole || start < 0 || stop > n || start >= stop || step < 1)
    refuse(
      "slice",
      [x],
      `from ${shown(from)} to ${shown(to)} in steps of ${shown(step)} takes nothing or leaves axis ${axis} of size ${n}`,
      `give 0 <= start < stop <= ${n}; negative numbers count from the end`,
    );
  return { start, step, size: Math.ceil((stop - start) / step) };
}

/**
 * Where coordinate `c` falls among `size` places that begin at `start`, `step` apart, and whether
 * it falls on one. The place is inside even where it does not.
 */
function placeAmong(c: Value, start: number, step: number, size: number) {
  const last = start + (size - 1) * step;
  const between = c.ge(start).and(c.le(last));
  // Compared before subtracting: coordinates are unsigned.
  const on = c
    .add(step - (start % step))
    .mod(step)
    .eq(0);
  const from = c
    .max(start)
    .sub(start)
    .min(last - start);
  const at = bounded(from.div(step), size - 1);
  return { at, where: step === 1 ? between : between.and(on) };
}
