/** Cases of whole plans: what a session would do with them. */
import type { Plan, PlanTensor } from "../../compiler/plan.ts";
import { bug } from "../../diagnostics/index.ts";
import { storedNumbers } from "../../formats/index.ts";
import type { Arrays, Results } from "../../verify/ops/evaluate.ts";
import type { Case, CaseBuffer, CaseOutput } from "./cases.ts";

export interface PlanCase {
  readonly name: string;
  readonly plan: Plan;
  /** Of inputs, parameters and states. */
  readonly given: Arrays;
  readonly wanted: Results;
  readonly tolerance: number;
}

/** One run of a plan. What states are not given holds zeros. */
export function caseOf({ name, plan, given, wanted, tolerance }: PlanCase): Case {
  const held = plan.buffers.map(({ bytes, role }) =>
    role === "arena" || role === "output" ? undefined : new Uint8Array(Math.ceil(bytes / 4) * 4),
  );
  const put = (tensor: PlanTensor, values: readonly number[] | Float64Array) =>
    held[tensor.buffer]!.set(stored(tensor, values), tensor.offset);
  for (const tensor of [...plan.inputs, ...plan.parameters])
    put(tensor, given[tensor.name] ?? bug(`${name} is not given ${tensor.name}`));
  for (const tensor of plan.states) if (given[tensor.name]) put(tensor, given[tensor.name]!);
  return {
    name,
    ...{ kernels: plan.kernels, steps: plan.steps, commits: plan.commits },
    buffers: plan.buffers.map(
      ({ bytes }, i): CaseBuffer => ({ bytes, ...(held[i] ? { holds: held[i] } : {}) }),
    ),
    outputs: plan.outputs.map((tensor): CaseOutput => {
      const values = wanted[tensor.name] ?? bug(`${name} has no result ${tensor.name}`);
      return { name: tensor.name, place: tensor, wanted: typed(tensor, values), tolerance };
    }),
  };
}

const typed = ({ dtype }: PlanTensor, values: readonly number[]) =>
  dtype === "f32" ? Float32Array.from(values) : Int32Array.from(values);

function stored(tensor: PlanTensor, values: readonly number[] | Float64Array): Uint8Array {
  const bytes =
    tensor.dtype === "f32"
      ? storedNumbers(tensor.stored ?? "f32", Float32Array.from(values))
      : Int32Array.from(values);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
