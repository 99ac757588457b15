/**
 * Samples: what makes an op testable. One walker over all ops checks shapes, values, directional
 * derivatives and kernels from them, so an op without samples does not type-check.
 */
import type { DType, Tensor } from "./graph/tensor.ts";

export type Nested = number | readonly Nested[];

/** A tensor written out: nested numbers are float32. */
export type SampleTensor = Nested | { readonly dtype: DType; readonly data: Nested };

export interface Sample {
  /** What it shows, where that is not plain. */
  readonly claim?: string;
  readonly inputs: readonly SampleTensor[];
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Known values, from a paper, from PyTorch, or worked out by hand. */
  readonly outputs: readonly SampleTensor[];
}

/** Random inputs of given shapes: the kernel must equal the oracle, and derivatives must hold. */
export interface Case {
  readonly claim: string;
  readonly inputs: readonly {
    readonly shape: readonly number[];
    readonly dtype?: DType;
    /** Values are uniform in this range; -1 to 1 unless said otherwise. Integers include both ends. */
    readonly range?: readonly [number, number];
  }[];
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Where the function has corners at random points, or integers only, no derivative is checked. */
  readonly smooth: boolean;
}

export interface Tests {
  readonly samples: readonly [Sample, ...Sample[]];
  readonly cases?: readonly Case[];
}
