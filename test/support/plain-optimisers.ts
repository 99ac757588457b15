/**
 * Optimisers written plainly, in double precision, tensor by tensor, as PyTorch defines them: what
 * the packed ones are checked against. Nothing here is shared with them.
 */

export type Method =
  | { readonly kind: "adamW" | "adam"; readonly betas: readonly [number, number] }
  | { readonly kind: "sgd"; readonly momentum: number };

export interface PlainTensor {
  readonly values: number[];
  /** Its own group's. */
  readonly rate: number;
  readonly decay: number;
  /** Updates so far. */
  steps: number;
  readonly moments: number[][];
}

const epsilon = 1e-8;

/** A tensor that no gradient has reached. */
export const plainTensor = (
  values: readonly number[],
  rate: number,
  decay: number,
): PlainTensor => ({
  values: [...values],
  rate,
  decay,
  steps: 0,
  moments: [values.map(() => 0), values.map(() => 0)],
});

/** One update of all tensors; `undefined` for a tensor without a gradient. Returns the norm. */
export function plainStep(
  method: Method,
  tensors: readonly PlainTensor[],
  gradients: readonly (readonly number[] | undefined)[],
  clip = Number.POSITIVE_INFINITY,
): number {
  const norm = Math.hypot(...gradients.flatMap((g) => (g ? [Math.hypot(...g)] : [])));
  const coefficient = Math.min(1, clip / (norm + 1e-6));
  for (const [i, tensor] of tensors.entries()) {
    const g = gradients[i];
    if (!g && tensor.steps === 0) continue;
    tensor.steps++;
    const clipped = tensor.values.map((_, j) => (g ? g[j]! * coefficient : 0));
    for (const [j, gradient] of clipped.entries()) moveOne(method, tensor, j, gradient);
  }
  return norm;
}

function moveOne(method: Method, tensor: PlainTensor, j: number, given: number): void {
  const { values, rate, decay, steps, moments } = tensor;
  const [first, second] = moments as [number[], number[]];
  const coupled = given + decay * values[j]!;
  if (method.kind === "sgd") {
    first[j] = steps === 1 ? coupled : method.momentum * first[j]! + coupled;
    values[j]! -= rate * first[j]!;
    return;
  }
  const [beta1, beta2] = method.betas;
  const g = method.kind === "adam" ? coupled : given;
  if (method.kind === "adamW") values[j]! *= 1 - rate * decay;
  first[j] = beta1 * first[j]! + (1 - beta1) * g;
  second[j] = beta2 * second[j]! + (1 - beta2) * g * g;
  const size = rate / (1 - beta1 ** steps);
  values[j]! -= (size * first[j]!) / (Math.sqrt(second[j]! / (1 - beta2 ** steps)) + epsilon);
}
