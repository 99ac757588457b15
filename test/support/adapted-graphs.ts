/** Runs adapted graphs in double precision, and compares their derivatives with differences. */

import type { Adapter, Graph, Parameters, Scope, Tensor } from "../../compiler/index.ts";
import {
  checkDerivative,
  openGraph,
  randomArrays,
  scopeOf,
} from "../../verify/adapters/derivative.ts";
import type { Arrays } from "../../verify/ops/evaluate.ts";

export { narrow } from "../../verify/adapters/derivative.ts";
export { openGraph, randomArrays };

const everywhere = (adapter: Adapter) => [{ adapter, where: ["**"], train: [] }];

/** A scope with an adapter everywhere, whose noise is given: inputs `noise.PATH.NAME`. */
export const scopeWith = (adapter: Adapter, training = false): Scope =>
  scopeOf(everywhere(adapter), training);

/**
 * The derivative of a program's results and terms along one direction of the adapter's parameters
 * (and others that `also` picks): by vjp, and by central differences.
 */
export const checkAdapterDerivative = (
  adapter: Adapter,
  program: (p: Parameters) => readonly Tensor<"f32">[],
  arrays: (graph: Graph) => Arrays = randomArrays,
  also: (path: string) => boolean = () => false,
): Promise<void> =>
  checkDerivative({
    program,
    bindings: everywhere(adapter),
    arrays,
    trains: (path, own) => own || also(path),
  });
