/**
 * Sums over the whole batch of a step that is computed in parts. A step takes the mean over its parts of their losses:
 * where these divide by what counts in all pictures of the step, it is the loss of all at once.
 */
import { declaring, input, type Source, state } from "../compiler/graph/sources.ts";
import { graphOf, type Output, type Tensor } from "../compiler/index.ts";
import { diagnose } from "../diagnostics/index.ts";
import { add, gt, mul, reshape, stopGradient, sub, where } from "../ops/index.ts";
import { isWholeSum, sumsBefore, wholeSum } from "../runtime/training/plan.ts";

interface Gathering {
  readonly parts: number;
  readonly gather: (sum: Tensor) => Tensor;
}

let gathering: Gathering | undefined;

/** Into how many parts the step is divided that is traced: micro-steps times ranks. */
export const partsOfStep = (): number => gathering?.parts ?? 1;

/**
 * Of a sum over the pictures of a part, f32 of any shape, the mean over all parts of the step: what the loss of a part
 * divides by. In a step of one part, and outside of training, it is the sum itself. A sum that depends on parameters
 * has its gradient, and costs another forward pass of each part, before the first backward pass.
 * @throws E619 for a sum that depends on another one.
 */
export const wholeBatch = (sum: Tensor): Tensor<"f32"> =>
  (gathering?.gather(sum) ?? sum) as Tensor<"f32">;

/** The sum over all parts. */
export const wholeTotal = (sum: Tensor): Tensor<"f32"> =>
  gathering ? (mul(wholeBatch(sum), gathering.parts) as Tensor<"f32">) : (sum as Tensor<"f32">);

/** Runs `body`, whose sums are those of parts, and collects what each part adds to the state of a sum. */
export function inParts<T>(parts: number, body: () => T): { made: T; sums: readonly Output[] } {
  if (parts === 1) return { made: body(), sums: [] };
  const outer = gathering;
  const sums: Output[] = [];
  const known = new Map<Tensor, Tensor>();
  let before: Tensor | undefined;
  const gather = (sum: Tensor): Tensor => {
    const found = known.get(sum);
    if (found) return found;
    const { nodes } = graphOf([{ name: "sum", tensor: sum }]);
    if (nodes.some((n) => n.op.kind === "state" && isWholeSum((n.attrs as Source).name)))
      throw diagnose("E619", {
        message: "a sum over the whole batch depends on another sum over the whole batch",
        at: sum.node.span,
        help: "divide what wholeBatch() gave; give it sums of the pictures of a part alone",
      });
    const name = wholeSum(sums.length);
    before ??= input(sumsBefore, "f32", [1], { doc: "Whether there are sums of parts before." });
    // States of the training, and none of the model's.
    const { made: whole } = declaring("", () => state(name, "f32", sum.shape) as Tensor);
    const flag = reshape(before, [...sum.shape.map(() => 1)]) as Tensor;
    const sofar = where(gt(flag, 0) as Tensor<"bool">, whole, 0) as Tensor;
    sums.push({ name, tensor: add(sofar, mul(sum, 1 / parts)) as Tensor });
    const moves = nodes.some(({ op }) => op.kind === "parameter");
    const value = moves ? (add(sum, stopGradient(sub(whole, sum) as Tensor)) as Tensor) : whole;
    known.set(sum, value);
    return value;
  };
  gathering = { parts, gather };
  try {
    return { made: body(), sums };
  } finally {
    gathering = outer;
  }
}
