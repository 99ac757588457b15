/** Checkpoints: all that training needs to go on as if it had never stopped, in a safetensors file. */
import type { PlanTensor } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { elementsIn } from "../../formats/index.ts";
import type { Numbers } from "../devices/device.ts";
import { type AdapterFile, describeTraining, readMetadata } from "../weights/adapter-file.ts";
import { checkFinite } from "../weights/finite.ts";
import { refuseForeign } from "../weights/foreign-adapters.ts";
import { isAdapterFile } from "../weights/kinds.ts";
import { writeWithChecksums } from "../weights/safetensors-write.ts";
import type { TensorData, Weights } from "../weights/weights.ts";
import { checkBase, checkSame, fingerprintsOf, floats, keptTensors } from "./files.ts";
import {
  beforeStep,
  isKept,
  isWholeSum,
  modelPrefix,
  stateBeside,
  type TrainingPlan,
} from "./plan.ts";
import { checkSettings, damagedCheckpoint, settingsText } from "./settings.ts";
import { stateOf, type Trained } from "./trained.ts";

export interface Progress {
  readonly step: number;
}

const checkpointKind = "inarch training";

/** States that a checkpoint keeps: what the next step depends on, but for the model's own. */
const keptStates = ({ plan, states }: Trained): string[] =>
  [...states.keys()].filter(
    (name) =>
      !["loss", "present"].includes(name) &&
      // Nothing, between two steps.
      !name.startsWith("accumulated") &&
      !isWholeSum(name) &&
      !name.startsWith(modelPrefix) &&
      !name.startsWith(beforeStep(modelPrefix)) &&
      !plan.tensors.some((t) => stateBeside(t, "gradients") === name) &&
      !plan.frozen.some((t) => t.state === name && !isKept(t)),
  );

export async function checkpointFile(
  trained: Trained,
  { step }: Progress,
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, TensorData>();
  for (const name of keptStates(trained)) {
    const buffer = stateOf(trained, name);
    const values = await trained.device.read(buffer, 0, elementsIn("f32", buffer.bytes), "f32");
    tensors.set(`state.${name}`, floats(values, [values.length]));
  }
  for (const [name, { tensor }] of trained.model.held) {
    const values = await trained.model.read(name);
    tensors.set(inFile(name), stateData(tensor, values));
  }
  return writeWithChecksums(tensors, {
    kind: checkpointKind,
    step: String(step),
    seed: String(trained.seed),
    settings: settingsText(trained.settings),
    tensors: layoutOf(trained.plan),
    ...describeTraining(fingerprintsOf(trained), trained.plan.adapters ?? []),
  });
}

/** Where each trained tensor lies: a checkpoint goes with the plan that has the same. */
const layoutOf = ({ tensors, moments }: TrainingPlan): string =>
  JSON.stringify([
    moments,
    tensors.map(({ name, shape, state, offset }) => [name, shape, state, offset] as const),
  ]);

/** What a state of the model is called in a checkpoint. */
const inFile = (name: string): string => `state.${modelPrefix}${name}`;

/** Files have no u32: whole numbers are kept by their bits. */
const stateData = ({ dtype, shape }: PlanTensor, values: Numbers): TensorData =>
  dtype === "f32"
    ? floats(values, shape)
    : { dtype: "i32", shape, data: new Uint8Array(values.buffer) };

/** The model's states that a checkpoint holds must be those of the model. @throws E432 */
function checkStates({ model }: Trained, { tensors, source }: Weights): void {
  const problems = [...model.held].flatMap(([name, { tensor }]) => {
    const entry = tensors.get(inFile(name));
    if (!entry) return [`it lacks the state ${name}`];
    const words = `${entry.dtype}[${entry.shape.join(", ")}]`;
    const wanted = `${tensor.dtype === "f32" ? "f32" : "i32"}[${tensor.shape.join(", ")}]`;
    return words === wanted ? [] : [`the state ${name} is ${words} there and ${wanted} here`];
  });
  const known = new Set([...model.held.keys()].map(inFile));
  const surplus = [...tensors.keys()].find((n) => n.startsWith(inFile("")) && !known.has(n));
  if (surplus) problems.push(`it has the state ${surplus.slice(inFile("").length)}`);
  if (problems.length === 0) return;
  throw diagnose("E432", {
    message: `the checkpoint is of a model with other states: ${problems.join("; ")}`,
    where: source,
    help: "compile the training as it was when the checkpoint was saved",
  });
}

async function resumeStates({ model }: Trained, file: Weights): Promise<void> {
  for (const [name, { tensor }] of model.held) {
    const { data } = await file.read(inFile(name));
    const bytes = data.slice().buffer;
    await model.write(
      name,
      tensor.dtype === "f32" ? new Float32Array(bytes) : new Uint32Array(bytes),
    );
  }
}

/**
 * Puts a checkpoint in place. `accept` names what may be otherwise than it says.
 * @throws E205 for parameters that are NaN or infinite, E431 for another base, E432 for another training,
 * E435 to E437 for adapters that are not those that were trained, E462 for fields that cannot be.
 */
export async function resume(
  trained: Trained,
  file: Weights,
  accept: readonly string[],
): Promise<Progress> {
  const { metadata, source } = file;
  const other = (message: string, help: string) =>
    diagnose("E432", { message, where: source, help });
  refuseForeign(file);
  if (isAdapterFile(file))
    throw other(
      "the file is an adapter's, not a checkpoint of training",
      "give it to loadAdapter()",
    );
  if (metadata.kind !== checkpointKind)
    throw other("the file is not a checkpoint of training", "use a file that save() wrote");
  const described = readMetadata(file);
  const progress = { step: stepOf(file) };
  checkBase(trained, described, source);
  if (!accept.includes("base")) checkAllOfBase(trained, described, source);
  checkSame(trained, described, source, true);
  checkSettings({ settings: trained.settings, accept }, metadata.settings, source);
  if (metadata.tensors !== layoutOf(trained.plan))
    throw other(
      "the checkpoint is of other trained tensors, or of an optimiser that remembers something else",
      "compile the training as it was when the checkpoint was saved",
    );
  if (Number(metadata.seed) !== trained.seed)
    throw other(
      `the checkpoint was trained with seed ${metadata.seed}, not ${trained.seed}`,
      `pass { seed: ${metadata.seed} }`,
    );
  checkStates(trained, file);
  await resumeStates(trained, file);
  for (const name of keptStates(trained)) {
    const state = `state.${name}`;
    if (!file.tensors.has(state) && isVerified(trained, described, name)) continue;
    if (/^(?:parameters|frozen)/.test(name)) await checkFinite(file, [state]);
    const values = await file.readF32(state);
    await trained.device.write(stateOf(trained, name), 0, values);
  }
  return progress;
}

/** @throws E462 */
function stepOf({ metadata, source }: Weights): number {
  const text = metadata.step ?? "";
  if (/^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw damagedCheckpoint("step", metadata.step ?? null, "a whole number from 0 up", source);
}

/** A checkpoint must know all of the base, or nobody knows whether it is the same. @throws E431 */
function checkAllOfBase(trained: Trained, { base }: AdapterFile, where: string): void {
  const unsaid = [...fingerprintsOf(trained).keys()].filter((name) => !base.has(name));
  if (unsaid.length === 0) return;
  throw diagnose("E431", {
    message: `the checkpoint does not say what ${unsaid.length} frozen tensors were when it was saved, ${unsaid[0]} first`,
    where,
    help: 'compile the programs that it was trained with, or go on with what is given here: accept: ["base"]',
  });
}

/** Whether a checkpoint without this state was trained with the same values there. */
const isVerified = (trained: Trained, { base }: AdapterFile, state: string): boolean => {
  const kept = keptTensors(trained).filter((t) => t.state === state);
  return kept.length > 0 && kept.every(({ name }) => base.has(name));
};
