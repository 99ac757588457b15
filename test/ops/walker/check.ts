/** What verify/ops/ finds wrong with an op's program, as failures of a test. */
import { expect } from "vitest";
import type { Results } from "../../../verify/ops/evaluate.ts";
import { knownFault, unequal } from "../../../verify/ops/faults.ts";
import { derivativeFault } from "../../../verify/ops/op.ts";
import type { Example } from "../../../verify/ops/programs.ts";

/** Shapes, dtypes and values of a literal sample, in double precision. */
export function checkKnown(example: Example, results: Results): void {
  expect(knownFault(example, results)).toBe(undefined);
}

/** What kernels gave against the oracles' values. */
export function checkEqual(example: Example, got: Results, wanted: Results, run: string): void {
  expect(unequal(example, got, wanted), run).toBe(undefined);
}

/** The derivative along one random direction, against differences. */
export async function checkDerivative(example: Example): Promise<void> {
  expect(await derivativeFault(example)).toBe(undefined);
}
