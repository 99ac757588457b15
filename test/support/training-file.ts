/**
 * Reference files of training runs, written by a session of our own in double precision: `verify`
 * must pass them, of other sizes and counts than the published ones.
 */
import { type Model, parametersOf, traceProgram } from "../../compiler/index.ts";
import { hashedTensor } from "../../models/sam/hashed.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import type { Inputs } from "../../runtime/session.ts";
import { createTrainingSession, type StepReport } from "../../runtime/training/session.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { compileTraining, type TrainingOptions } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { openBytes } from "./weights-files.ts";

export interface WrittenRun {
  readonly model: Model;
  readonly options: Pick<TrainingOptions, "loss" | "optimiser" | "clip" | "dims">;
  readonly steps: number;
  readonly rate: (step: number) => number;
  /** What the session is given, and how the file has it. */
  readonly inputs: (step: number) => {
    readonly inputs: Inputs;
    readonly tensors: Readonly<Record<string, TensorData>>;
  };
  /** The program whose outputs are stored as predictions of the first step. */
  readonly predict?: string;
  /** Numbers that the file has of all steps, and the columns of a table of them. */
  readonly records: (reports: readonly StepReport[]) => Readonly<Record<string, TensorData>>;
}

export const floats = (values: ArrayLike<number>, shape: readonly number[]): TensorData => ({
  dtype: "f32",
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

/** Takes the steps, and returns every tensor of the file. */
export async function writeRun(run: WrittenRun): Promise<Map<string, TensorData>> {
  const plan = compileTraining(run.model, {
    ...run.options,
    noise: "given",
    target: "reference",
    programs: run.predict ? { [run.predict]: run.options.dims ?? {} } : {},
  });
  const tensors = new Map<string, TensorData>();
  for (const { name, shape } of [...plan.frozen, ...plan.tensors, ...unread(run.model)])
    tensors.set(`init.${name}`, floats(hashedTensor("run", name, shape), shape));
  const initial = [...tensors].map(([name, tensor]) => [name.slice(5), tensor] as const);
  const weights = await openBytes(writeSafetensors(new Map(initial), {}));
  const device = referenceDevice({ precision: "double" });
  const session = await createTrainingSession(plan, device, { weights, rate: run.rate });
  const reports: StepReport[] = [];
  for (let step = 0; step < run.steps; step++) {
    const given = run.inputs(step);
    for (const [name, tensor] of Object.entries(given.tensors))
      tensors.set(`step.${step}.${name}`, tensor);
    if (step === 0 && run.predict) {
      const { image } = given.inputs;
      const outputs = await session.run(run.predict, { image: image! });
      for (const { name, shape } of plan.programs[run.predict]!.outputs)
        tensors.set(`step.0.prediction.${name}`, floats(outputs[name]!, shape));
    }
    const noise: Record<string, number[]> = {};
    for (const { name, shape } of plan.backward.inputs) {
      if (!name.startsWith("noise.")) continue;
      const count = shape.reduce((a, b) => a * b, 1);
      const block = /blocks\.(\d+)/.exec(name)![1]!;
      noise[name] = randomNumbers(count, 7 * step + Number(block), [-2, 2]).map(Math.fround);
      tensors.set(`step.${step}.gate_noise.${block}`, floats(noise[name], shape));
    }
    reports.push(await session.step({ ...given.inputs, ...noise }));
    if (step === 0)
      for (const name of await session.present())
        tensors.set(
          `grad0.${name}`,
          floats(await session.gradient(name), tensors.get(`init.${name}`)!.shape),
        );
  }
  for (const { name, shape } of plan.tensors)
    tensors.set(`final.${name}`, floats(await session.parameter(name), shape));
  session.close();
  for (const [name, tensor] of Object.entries(run.records(reports))) tensors.set(name, tensor);
  return tensors;
}

/** What other programs of the model read beside, the quality head for example. */
const unread = (model: Model) =>
  Object.keys(model.programs).flatMap((program) =>
    parametersOf(traceProgram(model, program, {})).map(({ name, type }) => ({
      name,
      shape: type.shape,
    })),
  );
