/**
 * What is asked of every adapter, by its samples: the derivative, what its file gives back, a session
 * from the base and that file, merging, and ONNX. Everything runs on the reference device.
 */
import { type AdapterSample, sampleModel } from "../../adapters/samples.ts";
import {
  adapt,
  compile,
  type Model,
  type Tensor,
  traceProgram,
  trains,
} from "../../compiler/index.ts";
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { exportOnnx } from "../../export/onnx/index.ts";
import { mergeAdapters } from "../../merge/merge.ts";
import { add, mean, mul } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession, type Inputs, type SessionOptions } from "../../runtime/session.ts";
import type { TrainingPlan } from "../../runtime/training/plan.ts";
import { createTrainingSession, type TrainingSession } from "../../runtime/training/session.ts";
import {
  bytesSource,
  openWeights,
  type TensorData,
  type Weights,
  writeSafetensors,
} from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers, relativeError } from "../ops/evaluate.ts";
import { checkDerivative, narrow } from "./derivative.ts";

/** A claim about an adapter, and how it is checked. */
export interface Claim {
  readonly claim: string;
  /** Throws what is wrong: E170, or what the part of inarch throws that fails. */
  readonly check: (subject: Subject) => Promise<void>;
}

export const claims: readonly Claim[] = [
  { claim: "its derivative is that of differences", check: derivative },
  { claim: "its file gives back what was saved", check: saveAndLoad },
  { claim: "a session from the base and the file computes what training does", check: session },
  { claim: "merged it computes the same, or merging refuses it", check: merging },
  { claim: "it is exported to ONNX, or refused", check: exporting },
];

/** A sample as it is checked: its model, and a short training of it. */
export interface Subject {
  readonly sample: AdapterSample;
  readonly bare: Model;
  readonly model: Model;
  /** The first program: the one that is checked. */
  readonly program: string;
  readonly base: Weights;
  readonly inputs: Inputs;
  readonly plan: TrainingPlan;
  readonly trained: Trained;
}

/** What three steps came to. */
interface Trained {
  readonly file: Uint8Array<ArrayBuffer>;
  /** What training's forward pass computes then. */
  readonly outputs: Awaited<ReturnType<TrainingSession["run"]>>;
}

/** A sample's model without its adapter and with it, and the program that is checked. */
export function graftSample(sample: AdapterSample) {
  const { model: bare = sampleModel, where = "**" } = sample;
  const model = adapt(bare, sample.adapter(), { where });
  return { bare, model, program: Object.keys(bare.programs)[0]! };
}

/** Grafts a sample's adapter on its model and trains it. */
export async function openSample(sample: AdapterSample): Promise<Subject> {
  const { bare, model, program } = graftSample(sample);
  const alone = compile(traceProgram(bare, program), { target: "reference", profile: narrow });
  const random = ({ name, shape }: { name: string; shape: readonly number[] }, i: number) =>
    [name, floats(shape, i)] as const;
  const base = await opened(new Map(alone.parameters.map(random)));
  const numbers = (shape: readonly number[], i: number) => randomNumbers(count(shape), 40 + i);
  const inputs = Object.fromEntries(
    alone.inputs.map(({ name, shape }, i) => [name, numbers(shape, i)]),
  );
  const plan = compileTraining(model, {
    program,
    programs: { [program]: {} },
    target: "reference",
    profile: narrow,
    loss: (results) => ({
      squares: Object.values(results)
        .map(square)
        .reduce((a, b) => add(a, b)),
    }),
    optimiser: adamW(),
  });
  const training = await train(plan, base, 1);
  for (let step = 0; step < 3; step++) await training.step(inputs);
  const outputs = await training.run(program, inputs);
  const file = await training.saveAdapter();
  training.close();
  return { sample, bare, model, program, base, inputs, plan, trained: { file, outputs } };
}

const train = (plan: TrainingPlan, weights: Weights, seed: number) =>
  createTrainingSession(plan, referenceDevice(), { weights, seed, rate: 0.05 });

const square = (y: Tensor<"f32">): Tensor<"f32"> => mean(mul(y, y)) as Tensor<"f32">;

async function derivative({ model, bare, program }: Subject): Promise<void> {
  await checkDerivative({
    program: (p) => Object.values(bare.programs[program]!(p, bare.dims)) as Tensor<"f32">[],
    bindings: model.bindings ?? [],
    trains: (path, own) => trains(model, path, own),
  });
}

async function saveAndLoad({ plan, program, base, inputs, trained }: Subject): Promise<void> {
  // Another seed: what is not loaded stays different.
  const other = await train(plan, base, 2);
  await other.loadAdapter(await openWeights(bytesSource("the adapter's file", trained.file)));
  const again = await other.saveAdapter();
  const outputs = await other.run(program, inputs);
  other.close();
  if (again.length !== trained.file.length || again.some((byte, i) => byte !== trained.file[i]))
    throw failed(
      "saved again after loading, the file has other bytes",
      "make all that is random a parameter: own.f32(name, shape, { init, train: false })",
    );
  checkSame(outputs, trained.outputs, 0, "a session that loaded the file");
}

async function session(subject: Subject): Promise<void> {
  const { model, base, trained } = subject;
  const adapter = await openWeights(bytesSource("the adapter's file", trained.file));
  const outputs = await run(subject, model, { weights: base, adapter });
  checkSame(outputs, trained.outputs, 0, "a session from the base and the file");
}

/** Of merged weights, relative to the length of the result: they are single. */
const rounding = 1e-5;

async function merging(subject: Subject): Promise<void> {
  const { sample, model, bare, base, trained } = subject;
  const adapter = await openWeights(bytesSource("the adapter's file", trained.file));
  await refusedAs(sample.unmergeable, "merging", async () => {
    const weights = await mergeAdapters(model, [base, adapter]);
    const outputs = await run(subject, bare, { weights });
    checkSame(outputs, trained.outputs, rounding, "the model with merged weights");
  });
}

async function exporting({ sample, model, program }: Subject): Promise<void> {
  await refusedAs(sample.unexportable, "the export to ONNX", async () => {
    exportOnnx(traceProgram(model, program));
  });
}

/** Work that a sample says to be refused must be, with that code; other work must succeed. */
async function refusedAs(code: string | undefined, what: string, work: () => Promise<void>) {
  try {
    await work();
  } catch (error) {
    if (code !== undefined && error instanceof InarchError && error.code === code) return;
    throw error;
  }
  if (code === undefined) return;
  throw failed(`${what} is not refused with ${code}, as the sample says`, "leave the code out");
}

async function run({ program, inputs }: Subject, model: Model, options: SessionOptions) {
  const plan = compile(traceProgram(model, program), { target: "reference", profile: narrow });
  const opened = await createSession(plan, referenceDevice(), options);
  const outputs = await opened.run(inputs);
  opened.close();
  return outputs;
}

function checkSame(
  got: Trained["outputs"],
  wanted: Trained["outputs"],
  most: number,
  what: string,
) {
  for (const [name, values] of Object.entries(wanted)) {
    const error = relativeError(got[name]!, values);
    if (!(error <= most))
      throw failed(
        `${what} computes another ${name} than training: ${error} apart, relative to its length`,
        "compute the same each time that the adapter is traced, from parameters alone",
      );
  }
}

const failed = (message: string, help: string) => diagnose("E170", { message, help });

const count = (shape: readonly number[]) => shape.reduce((n, size) => n * size, 1);

function floats(shape: readonly number[], seed: number): TensorData {
  const values = Float32Array.from(randomNumbers(count(shape), 70 + seed, [-0.5, 0.5]));
  return { dtype: "f32", shape, data: new Uint8Array(values.buffer) };
}

const opened = (tensors: ReadonlyMap<string, TensorData>) =>
  openWeights(bytesSource("the base", writeSafetensors(tensors)));
