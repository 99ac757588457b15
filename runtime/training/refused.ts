/** What a training session refuses, in words. */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import type { TrainingPlan } from "./plan.ts";

/** @throws E433 for a name that is no trained tensor's. */
export function trainedTensor(plan: TrainingPlan, name: string) {
  const tensor = plan.tensors.find((t) => t.name === name);
  if (tensor) return tensor;
  const near = meant(
    String(name),
    plan.tensors.map((t) => t.name),
  );
  throw diagnose("E433", {
    message: `no tensor ${name} trains in ${plan.name}`,
    help: `${near === undefined ? "" : `did you mean ${near}? `}${plan.tensors.length} tensors train, ${plan.tensors[0]!.name} is the first`,
  });
}

export const unknownProgram = (plan: TrainingPlan, name: string) =>
  diagnose("E433", {
    message: `the training plan of ${plan.name} has no program "${name}"`,
    help: `compile it with programs: { ${name}: {} }`,
  });

export const nothingEvaluates = ({ name }: TrainingPlan) =>
  diagnose("E433", {
    message: `the training plan of ${name} has nothing to evaluate`,
    help: "compile it with evaluate: {}",
  });

export const isClosed = (plan: TrainingPlan) =>
  diagnose("E427", {
    message: `the training session of ${plan.name} is closed`,
    help: "create a new session; a checkpoint that save() wrote goes on from where it was",
  });

export const neverRun = (plan: TrainingPlan) =>
  diagnose("E444", {
    message: `${plan.name} is to be profiled, but there has been no step`,
    help: "call step() first: the passes of the last micro-step are measured",
  });
