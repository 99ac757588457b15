import { captureSpan, diagnose } from "../../diagnostics/index.ts";
import { problemOfNumber } from "./shapes.ts";
import { show, type Type } from "./tensor.ts";

/**
 * How a parameter begins where no checkpoint has it, and how a state does: JSON, kept in plans. The
 * runtime computes it. Only constants are for dtypes other than f32.
 */
export type Init =
  | { readonly kind: "constant"; readonly value: number }
  /** Uniform from -bound to bound. */
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly mean?: number; readonly deviation: number }
  /** Normal, drawn again beyond two deviations. */
  | { readonly kind: "truncated normal"; readonly deviation: number }
  /**
   * Another tensor of the checkpoint, or its first rows; repeated along the first axis where this
   * one is longer.
   */
  | { readonly kind: "copy"; readonly from: string; readonly rows?: number };

export const zeros: Init = { kind: "constant", value: 0 };
export const ones: Init = { kind: "constant", value: 1 };

/** PyTorch's `kaiming_uniform_(a=sqrt(5))`, its default for linear layers: 1 / sqrt(inputs). */
export const kaiming = (inputs: number): Init => ({
  kind: "uniform",
  bound: 1 / Math.sqrt(inputs),
});

/** Plans are JSON, which has no infinities. */
const isHeld = (value: number, dtype: Type["dtype"]): boolean =>
  Number.isFinite(value) && problemOfNumber(value, dtype) === undefined;

/** What is wrong with an initial value of a tensor; undefined if nothing is. */
function problemOf(init: Init, { dtype }: Type): string | undefined {
  const known = ["constant", "uniform", "normal", "truncated normal", "copy"];
  if (!known.includes(init?.kind)) return `${JSON.stringify(init)} is no initial value`;
  if (init.kind === "constant")
    return isHeld(init.value, dtype) ? undefined : `${dtype} cannot hold ${init.value}`;
  if (dtype !== "f32") return `${init.kind} is for f32`;
  const wrong = Object.entries(init).find(([, v]) => typeof v === "number" && !isHeld(v, "f32"));
  return wrong && `its ${wrong[0]} is ${wrong[1]}`;
}

/** Requires of an initial value that the tensor can have it. @throws E252 */
export function checkInit(name: string, type: Type, init: Init | undefined): void {
  const problem = init === undefined ? undefined : problemOf(init, type);
  if (problem === undefined) return;
  throw diagnose("E252", {
    message: `the initial value of ${name}, ${show(type)}: ${problem}`,
    at: captureSpan(),
    help: 'give zeros, ones, { kind: "constant", value: 1 }, or for f32 { kind: "normal", deviation: 0.02 }',
  });
}
