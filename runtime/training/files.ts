/** The files of training: checkpoints that training goes on from, and adapters. Both safetensors. */
import { bug, diagnose } from "../../diagnostics/index.ts";
import { nearest } from "../../diagnostics/nearest.ts";
import type { Device, DeviceBuffer } from "../devices/device.ts";
import { type TensorData, type Weights, writeSafetensors } from "../weights/index.ts";
import { stateBeside, type TrainingPlan } from "./plan.ts";

/** What is trained, and where it is. */
export interface Trained {
  readonly plan: TrainingPlan;
  readonly device: Device;
  readonly states: ReadonlyMap<string, DeviceBuffer>;
  /** Fingerprints of the frozen tensors, by name. */
  readonly base: ReadonlyMap<string, string>;
  readonly seed: number;
}

export interface Progress {
  readonly step: number;
  /** Backward passes so far: what noise is drawn from. */
  readonly passes: number;
}

const checkpointKind = "inarch training";
const adapterKind = "inarch adapter";

/** States that a checkpoint keeps: what the next step depends on. */
const keptStates = ({ plan, states }: Trained): string[] =>
  [...states.keys()].filter(
    (name) =>
      !["loss", "present"].includes(name) &&
      !plan.tensors.some((t) => stateBeside(t, "gradients") === name) &&
      !plan.frozen.some((t) => t.state === name),
  );

export async function checkpointFile(
  trained: Trained,
  { step, passes }: Progress,
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map<string, TensorData>();
  for (const name of keptStates(trained)) {
    const { bytes } = stateOf(trained, name);
    const values = await trained.device.read(stateOf(trained, name), 0, bytes / 4, "f32");
    tensors.set(`state.${name}`, floats(values, [bytes / 4]));
  }
  return writeSafetensors(tensors, {
    kind: checkpointKind,
    step: String(step),
    passes: String(passes),
    seed: String(trained.seed),
    tensors: layoutOf(trained.plan),
    base: JSON.stringify(Object.fromEntries(trained.base)),
  });
}

/** Where each trained tensor lies: a checkpoint goes with the plan that has the same. */
const layoutOf = ({ tensors, optimiser }: TrainingPlan): string =>
  JSON.stringify([
    optimiser,
    tensors.map(({ name, shape, state, offset }) => [name, shape, state, offset] as const),
  ]);

/** Puts a checkpoint in place. @throws E431 for another base, E432 for another training. */
export async function resume(trained: Trained, file: Weights): Promise<Progress> {
  const { metadata, source } = file;
  const other = (message: string, help: string) =>
    diagnose("E432", { message, where: source, help });
  if (metadata.kind !== checkpointKind)
    throw other("the file is not a checkpoint of training", "use a file that save() wrote");
  checkBase(trained, file);
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
  for (const name of keptStates(trained)) {
    const values = await file.readF32(`state.${name}`);
    await trained.device.write(stateOf(trained, name), 0, values);
  }
  return { step: Number(metadata.step), passes: Number(metadata.passes) };
}

export async function adapterFile(trained: Trained): Promise<Uint8Array<ArrayBuffer>> {
  const { plan, device } = trained;
  const tensors = new Map<string, TensorData>();
  for (const { name, shape, state, offset, bytes } of plan.tensors) {
    const values = await device.read(stateOf(trained, state), offset, bytes / 4, "f32");
    tensors.set(name, floats(values, shape));
  }
  return writeSafetensors(tensors, {
    kind: adapterKind,
    model: plan.name,
    base: JSON.stringify(Object.fromEntries(trained.base)),
  });
}

/** Puts an adapter's tensors in place. @throws E431 for another base, E434 for other tensors. */
export async function loadTensors(trained: Trained, file: Weights): Promise<void> {
  checkBase(trained, file);
  const { tensors } = trained.plan;
  const names = [...file.tensors.keys()];
  for (const { name, shape } of tensors) {
    const entry = file.tensors.get(name);
    if (entry && entry.shape.join() === shape.join()) continue;
    const near = nearest(name, names);
    throw diagnose("E434", {
      message: entry
        ? `${name} is [${entry.shape.join(", ")}] in the file but [${shape.join(", ")}] in the model`
        : `the adapter file has no tensor ${name}`,
      where: file.source,
      help: near
        ? `the nearest it has is ${near}: graft the adapter that it was trained with`
        : "it is empty",
    });
  }
  for (const { name, state, offset } of tensors)
    await trained.device.write(stateOf(trained, state), offset, await file.readF32(name));
}

function checkBase({ base }: Trained, { metadata, source }: Weights): void {
  const theirs = new Map(Object.entries(JSON.parse(metadata.base ?? "{}")));
  const common = [...base].filter(([name]) => theirs.has(name));
  const different = common.filter(([name, print]) => theirs.get(name) !== print);
  if (common.length > 0 && different.length === 0) return;
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
