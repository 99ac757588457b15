/**
 * Small forms of kernel ops: one element by itself, its sum written out, so that it can be computed
 * wherever it is read (compiler/rewrite/small.ts).
 */
import {
  type ElementOp,
  type ElementSite,
  type In,
  index,
  type KernelOp,
  type Type,
  type Value,
} from "../compiler/op-kit.ts";

/** The longest line that is written out. */
export const mostTerms = 32;

export interface SmallForm<A> {
  readonly element: (site: ElementSite<A>) => Value;
  /** Of one element, apart from its inputs' elements, in multiplications. */
  readonly cost: number;
  /** Elements of each input that one element reads. */
  readonly reads: number;
}

/** Result `result` of a kernel op as an element op. */
export function smallForm<A>(op: KernelOp<A>, result: number, form: SmallForm<A>): ElementOp<A> {
  return {
    name: op.name,
    kind: "element",
    type: (inputs, attrs, fail) => [op.type(inputs, attrs, fail)[result]!],
    element: form.element,
    cost: form.cost,
    reads: () => form.reads,
    tests: op.tests,
    ...(op.note ? { note: op.note } : {}),
  };
}

/** The elements of a line along some axes, at a place of the others. */
export function lineOf(x: In, axes: readonly number[], at: readonly Value[]): Value[] {
  let places: Value[][] = [[...at]];
  for (const axis of axes)
    places = places.flatMap((place) =>
      Array.from({ length: x.shape[axis]! }, (_, i) =>
        place.map((c, j) => (j === axis ? index(i) : c)),
      ),
    );
  return places.map((place) => x.at(...place));
}

/** How many elements a line has. */
export const extentOf = ({ shape }: Type, axes: readonly number[]): number =>
  axes.reduce((n, axis) => n * shape[axis]!, 1);
