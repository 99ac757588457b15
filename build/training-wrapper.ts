/** The typed wrapper of the bundle of a training: `train`, and types of what a step takes. */
import type { TrainingPlan } from "../runtime/training/plan.ts";
import { bundleText, heading } from "./modules.ts";
import {
  arrays,
  bundleDeclaration,
  documented,
  importTypes,
  indented,
  pascalCase,
  properties,
  runtime,
  type Wrapper,
} from "./wrapper.ts";

export interface TrainingWrapperRequest {
  readonly name: string;
  /** Of any profile: what a step takes is the same in all. */
  readonly training: TrainingPlan;
  /** Whether whoever trains the model must bring weights. */
  readonly weights: "given" | "brought";
}

export const trainingWrapper = (request: TrainingWrapperRequest): Wrapper => ({
  module: (bundle) => `${heading}
import { trainBundle } from ${JSON.stringify(runtime)};

${bundleText({ ...bundle, trains: true })}
export default bundle;

export function train(device, options) {
  return trainBundle(bundle, device, options);
}
`,
  declarations: declarations(request),
});

/** What the session gives by itself. */
const own = ["key", "sums.before"];

function declarations({ name, training, weights }: TrainingWrapperRequest): string {
  const model = pascalCase(name);
  const { backward, evaluate, micro, tensors } = training;
  const isGiven = (tensor: { name: string }) => !own.includes(tensor.name);
  const taken = (inputs: typeof backward.inputs) =>
    properties(inputs.filter(isGiven), (dtype) => `${arrays[dtype]} | readonly number[]`);
  // Aliases, which are records of inputs as interfaces are not.
  const record = (words: string, type: string, inputs: typeof backward.inputs) =>
    documented(words, `export type ${type} = {\n${indented(taken(inputs))}\n};`);
  const given = `readonly ${model}StepInputs[] | readonly [...${model}StepInputs[], CallOptions]`;
  const parts = micro === 1 ? "the inputs of the step" : `the inputs of ${micro} micro-steps`;
  const members = [
    documented(`Takes a step: ${parts}.`, `step(...inputs: ${given}): Promise<StepReport>;`),
    documented("Its first half.", `gradients(...inputs: ${given}): Promise<LossReport>;`),
    ...(evaluate
      ? [
          documented(
            "The loss of inputs, and what is measured beside. Nothing changes.",
            `evaluate(inputs: ${model}EvaluateInputs, options?: CallOptions): Promise<Evaluation>;`,
          ),
        ]
      : []),
  ];
  const replaced = ["step", "gradients", ...(evaluate ? ["evaluate"] : [])]
    .map((method) => JSON.stringify(method))
    .join(" | ");
  const options =
    weights === "given"
      ? `export interface ${model}TrainOptions extends TrainBundleOptions {}`
      : `export interface ${model}TrainOptions extends TrainBundleOptions {\n${indented([
          documented(
            "The base: the bundle was built without weights.",
            'readonly weights: NonNullable<TrainBundleOptions["weights"]>;',
          ),
        ])}\n}`;
  const count = `${tensors.length} ${tensors.length === 1 ? "tensor trains" : "tensors train"}`;
  const statements = [
    record("What a step takes, or a micro-step of it.", `${model}StepInputs`, backward.inputs),
    ...(evaluate
      ? [record("What `evaluate` takes.", `${model}EvaluateInputs`, evaluate.inputs)]
      : []),
    documented(
      `The training of ${name}: ${count}.`,
      `export interface ${model}Training extends Omit<TrainingSession, ${replaced}> {\n${indented(members)}\n}`,
    ),
    documented("How the training begins, or goes on.", options),
    bundleDeclaration("`trainBundle` and `openTrainingBundle`"),
    documented(
      "Places the training on a device: the page's own `GPUDevice`, or one from `inarch/page` or `inarch/node`.",
      `export function train(device: GPUDevice | Device, options: ${model}TrainOptions): Promise<${model}Training>;`,
    ),
  ];
  const types = ["CallOptions", "Device", ...(evaluate ? ["Evaluation"] : [])];
  const imports = importTypes(runtime, [
    ...types,
    ...["LossReport", "StepReport", "TrainBundleOptions", "TrainingSession"],
  ]);
  return `${heading}\n${imports}\n\n${statements.join("\n\n")}\n`;
}
