/** What the files of training have in common, and those of adapters. All are safetensors. */
import { diagnose } from "../../diagnostics/index.ts";
import { nearest } from "../../diagnostics/nearest.ts";
import { elementsIn } from "../../formats/index.ts";
import type { Turn } from "../calls.ts";
import type { Keeper } from "../undo.ts";
import { type AdapterFile, adapterMetadata, readAdapterFile } from "../weights/adapter-file.ts";
import { checkFinite } from "../weights/finite.ts";
import { fingerprint, savedState } from "../weights/kinds.ts";
import { writeWithChecksums } from "../weights/safetensors-write.ts";
import { checkAdapters } from "../weights/same-adapters.ts";
import { otherShape } from "../weights/shapes.ts";
import type { TensorData, Weights } from "../weights/weights.ts";
import { isKept, type ResidentTensor } from "./plan.ts";
import { stateOf, type Trained } from "./trained.ts";

/** Frozen tensors that files hold themselves, and the fingerprints of all others. */
export const keptTensors = ({ plan }: Trained): ResidentTensor[] => plan.frozen.filter(isKept);

export function fingerprintsOf(trained: Trained): ReadonlyMap<string, string> {
  const kept = new Set(keptTensors(trained).map(({ name }) => name));
  return new Map([...trained.base].filter(([name]) => !kept.has(name)));
}

const notHeld = (name: string, value: number) =>
  diagnose("E255", {
    message: `the state ${name} has become ${value}, which a file of f32 does not hold exactly`,
    help: "reset it before the adapter is saved, or let it count in f32",
  });

/**
 * All that the base does not have, trained or not, what steps made of the model's states, and what the
 * adapters were made with.
 * @throws E255 for a whole number in a state that f32 does not hold.
 */
export async function adapterFile(trained: Trained): Promise<Uint8Array<ArrayBuffer>> {
  const { plan, device } = trained;
  const tensors = new Map<string, TensorData>();
  for (const { name, shape, state, offset, bytes } of [...plan.tensors, ...keptTensors(trained)]) {
    const count = elementsIn("f32", bytes);
    const values = await device.read(stateOf(trained, state), offset, count, "f32");
    tensors.set(name, floats(values, shape));
  }
  for (const { name, shape } of trained.model.moved) {
    const values = await trained.model.read(name);
    const inexact = values.find((v) => !Object.is(Math.fround(v), v) && !Number.isNaN(v));
    if (inexact !== undefined) throw notHeld(name, inexact);
    tensors.set(savedState(name), floats(values, shape));
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
export async function loadTensors(
  trained: Trained,
  file: Weights,
  keeper: Keeper,
  turn: Turn,
): Promise<void> {
  const described = readAdapterFile(file);
  checkBase(trained, described, file.source);
  checkSame(trained, described, file.source, false);
  // Files of the first version lack what did not train, but have its fingerprint.
  const kept = keptTensors(trained).filter(
    ({ name }) => file.tensors.has(name) || !described.base.has(name),
  );
  const wanted = [...trained.plan.tensors, ...kept];
  const states = trained.model.moved.map(({ name, shape }) => ({ name: savedState(name), shape }));
  checkTensors([...wanted, ...states], file);
  const names = [...wanted, ...states].map(({ name }) => name);
  await turn.wait(checkFinite(file, names));
  const buffers = new Set([
    ...wanted.map(({ state }) => stateOf(trained, state)),
    ...trained.model.buffers(trained.model.moved.map(({ name }) => name)),
  ]);
  const restore = await keeper.keep([...buffers]);
  const prints = new Map(trained.base);
  turn.undo(async () => {
    trained.base.clear();
    for (const [name, print] of prints) trained.base.set(name, print);
    await restore();
  });
  await turn.wait(trained.model.load(file));
  for (const { name, state, offset } of wanted) {
    const values = await turn.wait(file.readF32(name));
    await trained.device.write(stateOf(trained, state), offset, values);
    if (trained.base.has(name)) trained.base.set(name, fingerprint(values));
  }
}

function checkTensors(
  wanted: readonly Pick<ResidentTensor, "name" | "shape">[],
  { tensors, source }: Weights,
): void {
  const names = [...tensors.keys()];
  for (const { name, shape } of wanted) {
    const entry = tensors.get(name);
    if (entry && entry.shape.join() === shape.join()) continue;
    const near = nearest(name, names);
    throw diagnose("E434", {
      message: entry
        ? otherShape(name, entry, { shape }, "model")
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

export function checkSame(
  { plan }: Trained,
  file: AdapterFile,
  source: string,
  training: boolean,
): void {
  const parameters = [...plan.frozen, ...plan.tensors].map(({ name }) => name);
  checkAdapters({ adapters: plan.adapters ?? [], parameters, training }, [{ ...file, source }]);
}

export function checkBase(trained: Trained, { base: theirs }: AdapterFile, source: string): void {
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

export const floats = (values: ArrayLike<number>, shape: readonly number[]): TensorData => {
  const data = Float32Array.from(values);
  return { dtype: "f32", shape, data: new Uint8Array(data.buffer) };
};
