/** The files of training: checkpoints that training goes on from, and adapters. Both safetensors. */

import type { PlanTensor } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { nearest } from "../../diagnostics/nearest.ts";
import { elementsIn } from "../../formats/index.ts";
import type { Device, DeviceBuffer, Numbers } from "../devices/device.ts";
import {
  type AdapterFile,
  adapterMetadata,
  describeTraining,
  fingerprint,
  readAdapterFile,
  readMetadata,
} from "../weights/adapter-file.ts";
import {
  checkFinite,
  type TensorData,
  type Weights,
  writeWithChecksums,
} from "../weights/index.ts";
import { checkAdapters } from "../weights/same-adapters.ts";
import {
  beforeStep,
  isKept,
  modelPrefix,
  type ResidentTensor,
  stateBeside,
  type TrainingPlan,
} from "./plan.ts";
import type { ModelStates } from "./states.ts";

/** What is trained, and where it is. */
export interface Trained {
  readonly plan: TrainingPlan;
  readonly device: Device;
  readonly states: ReadonlyMap<string, DeviceBuffer>;
  /** The model's own. */
  readonly model: ModelStates;
  /** Fingerprints of the frozen tensors as they are, by name. */
  readonly base: Map<string, string>;
  readonly seed: number;
}

export interface Progress {
  readonly step: number;
  /** Backward passes so far: what noise is drawn from. */
  readonly passes: number;
}

const checkpointKind = "inarch training";

/** States that a checkpoint keeps: what the next step depends on, but for the model's own. */
const keptStates = ({ plan, states }: Trained): string[] =>
  [...states.keys()].filter(
    (name) =>
      !["loss", "present"].includes(name) &&
      !name.startsWith(modelPrefix) &&
      !name.startsWith(beforeStep(modelPrefix)) &&
      !plan.tensors.some((t) => stateBeside(t, "gradients") === name) &&
      !plan.frozen.some((t) => t.state === name && !isKept(t)),
  );

/** Frozen tensors that files hold themselves, and the fingerprints of all others. */
const keptTensors = ({ plan }: Trained): ResidentTensor[] => plan.frozen.filter(isKept);

function fingerprintsOf(trained: Trained): ReadonlyMap<string, string> {
  const kept = new Set(keptTensors(trained).map(({ name }) => name));
  return new Map([...trained.base].filter(([name]) => !kept.has(name)));
}

export async function checkpointFile(
  trained: Trained,
  { step, passes }: Progress,
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
    passes: String(passes),
    seed: String(trained.seed),
    tensors: layoutOf(trained.plan),
    ...describeTraining(fingerprintsOf(trained), trained.plan.adapters ?? []),
  });
}

/** Where each trained tensor lies: a checkpoint goes with the plan that has the same. */
const layoutOf = ({ tensors, optimiser }: TrainingPlan): string =>
  JSON.stringify([
    optimiser,
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
 * Puts a checkpoint in place.
 * @throws E431 for another base, E432 for another training, E435 to E437 for adapters that are not
 * those that were trained.
 */
export async function resume(trained: Trained, file: Weights): Promise<Progress> {
  const { metadata, source } = file;
  const other = (message: string, help: string) =>
    diagnose("E432", { message, where: source, help });
  if (metadata.kind !== checkpointKind)
    throw other("the file is not a checkpoint of training", "use a file that save() wrote");
  const described = readMetadata(file);
  checkBase(trained, described, source);
  checkSame(trained, described, source, true);
  if (metadata.tensors !== layoutOf(trained.plan))
    throw other(
      "the checkpoint is of other trained tensors, or of another optimiser",
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
    if (!file.tensors.has(`state.${name}`) && isVerified(trained, described, name)) continue;
    const values = await file.readF32(`state.${name}`);
    await trained.device.write(stateOf(trained, name), 0, values);
  }
  return { step: Number(metadata.step), passes: Number(metadata.passes) };
}

/** All that the base does not have, trained or not, and what the adapters were made with. */
export async function adapterFile(trained: Trained): Promise<Uint8Array<ArrayBuffer>> {
  const { plan, device } = trained;
  const tensors = new Map<string, TensorData>();
  for (const { name, shape, state, offset, bytes } of [...plan.tensors, ...keptTensors(trained)]) {
    const count = elementsIn("f32", bytes);
    const values = await device.read(stateOf(trained, state), offset, count, "f32");
    tensors.set(name, floats(values, shape));
  }
  const own = [...plan.tensors, ...plan.frozen].filter(({ init }) => init).map(({ name }) => name);
  const about = adapterMetadata(plan.name, fingerprintsOf(trained), plan.adapters ?? [], own);
  return writeWithChecksums(tensors, about);
}

/**
 * Puts an adapter's tensors in place.
 * @throws E205 for NaN and infinite values, E431 for another base, E434 for other tensors, E435 for other settings or places, E436 for
 * a setting that the file does not say, E437 for a file that is no adapter's.
 */
export async function loadTensors(trained: Trained, file: Weights): Promise<void> {
  const described = readAdapterFile(file);
  checkBase(trained, described, file.source);
  checkSame(trained, described, file.source, false);
  // Files of the first version lack what did not train, but have its fingerprint.
  const kept = keptTensors(trained).filter(
    ({ name }) => file.tensors.has(name) || !described.base.has(name),
  );
  const wanted = [...trained.plan.tensors, ...kept];
  checkTensors(wanted, file);
  await checkFinite(
    file,
    wanted.map(({ name }) => name),
  );
  for (const { name, state, offset } of wanted) {
    const values = await file.readF32(name);
    await trained.device.write(stateOf(trained, state), offset, values);
    if (trained.base.has(name)) trained.base.set(name, fingerprint(values));
  }
}

function checkTensors(wanted: readonly ResidentTensor[], { tensors, source }: Weights): void {
  const names = [...tensors.keys()];
  for (const { name, shape } of wanted) {
    const entry = tensors.get(name);
    if (entry && entry.shape.join() === shape.join()) continue;
    const near = nearest(name, names);
    throw diagnose("E434", {
      message: entry
        ? `${name} is [${entry.shape.join(", ")}] in the file but [${shape.join(", ")}] in the model`
        : `the adapter file has no tensor ${name}`,
      where: source,
      help: near
        ? `the nearest it has is ${near}: graft the adapter that it was trained with`
        : "it is empty",
    });
  }
  const known = new Set(wanted.map(({ name }) => name));
  const surplus = names.find((name) => !known.has(name));
  if (surplus === undefined) return;
  throw diagnose("E434", {
    message: `the adapter file has ${surplus}, which does not train here`,
    where: source,
    help: "graft the adapters that it was trained with, and train what was trained",
  });
}

function checkSame({ plan }: Trained, file: AdapterFile, source: string, training: boolean): void {
  const parameters = [...plan.frozen, ...plan.tensors].map(({ name }) => name);
  checkAdapters({ adapters: plan.adapters ?? [], parameters, training }, [{ ...file, source }]);
}

/** Whether a checkpoint without this state was trained with the same values there. */
const isVerified = (trained: Trained, { base }: AdapterFile, state: string): boolean => {
  const kept = keptTensors(trained).filter((t) => t.state === state);
  return kept.length > 0 && kept.every(({ name }) => base.has(name));
};

function checkBase(trained: Trained, { base: theirs }: AdapterFile, source: string): void {
  const common = [...trained.base].filter(([name]) => theirs.has(name));
  const different = common.filter(([name, print]) => theirs.get(name) !== print);
  // Where everything trains there is no base to be another.
  const isComparable = common.length > 0 || fingerprintsOf(trained).size === 0;
  if (isComparable && different.length === 0) return;
  throw diagnose("E431", {
    message:
      common.length === 0
        ? "the file does not say which base it was trained on"
        : `the file was trained on another base: ${different.length} of ${common.length} frozen tensors differ, ${different[0]![0]} first`,
    where: source,
    help: "load the checkpoint that it was trained on",
  });
}

const stateOf = ({ states }: Trained, name: string): DeviceBuffer =>
  states.get(name) ?? bug(`no state ${name}`);

const floats = (values: ArrayLike<number>, shape: readonly number[]): TensorData => {
  const data = Float32Array.from(values);
  return { dtype: "f32", shape, data: new Uint8Array(data.buffer) };
};
