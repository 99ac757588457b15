/**
 * Another adapter on a base that lies on a device: its tensors are written where those of the adapter before lie.
 * Nothing is compiled, allocated or bound.
 */
import { diagnose } from "../diagnostics/index.ts";
import type { CallOptions, Turn } from "./calls.ts";
import type { Device, DeviceBuffer } from "./devices/device.ts";
import type { Change, Placement } from "./placement.ts";
import { writeTensor } from "./stored.ts";
import { type Readable, withAdapter } from "./weights/adapted.ts";
import { checkUnread, readAdapterFile } from "./weights/adapter-file.ts";
import { fingerprint, savedState } from "./weights/kinds.ts";
import { checkFloats } from "./weights/quantised.ts";
import type { Weights } from "./weights/weights.ts";

type Written = Parameters<Device["write"]>;

/** What has a base and an adapter on a device: sessions, models of bundles, SAMs. */
export interface Adapted {
  change(change: Change, options?: CallOptions): Promise<void>;
}

/**
 * Puts another adapter in the place of the one that a session was created with, in all that were created together,
 * of a bundle's model or of a SAM, which encodes its picture again. The base stays where it is, and nothing is
 * compiled: the tensors of the file are written, those of the base that the adapter before had replaced become the
 * base's again, and states begin as the file says. It may be the promise of a file: calls that are made later wait
 * for it. The file must stay open as long as it is used, and the weights of the base too.
 * @throws what `createSession` throws of an adapter's file. What is refused or aborted has changed nothing.
 */
export function useAdapter(
  model: Adapted,
  adapter: Weights | Promise<Weights>,
  options?: CallOptions,
): Promise<void> {
  return model.change(
    async (placements, turn) =>
      switchAdapter(placements, await turn.wait(Promise.resolve(adapter)), turn),
    options,
  );
}

async function switchAdapter(
  placements: readonly Placement[],
  file: Weights,
  turn: Turn,
): Promise<void> {
  const read = new Set(placements.flatMap(({ plan }) => plan.parameters.map(({ name }) => name)));
  await turn.wait(checkUnread(file, (name) => read.has(name)));
  for (const one of placements) await turn.wait(checkBase(one, file));
  const before = placements.map(({ adapter }) => adapter);
  const names = new Set([...file.tensors.keys(), ...before.flatMap(namesIn)]);
  const written = await turn.wait(collect(placements, () => file, names));
  const states = [...new Set(placements.map((one) => one.states))];
  const isSaved = (name: string) => names.has(savedState(name));
  const put = async (writes: readonly Written[], fileOf: (at: number) => Weights | undefined) => {
    const [{ device, base } = {}] = placements;
    for (const write of writes) await device?.write(...write);
    for (const one of states) {
      await one.take(base, fileOf(0));
      await one.reset(one.find([...one.held.keys()].filter(isSaved)));
    }
    placements.forEach((one, i) => {
      one.adapter = fileOf(i);
    });
  };
  const back = turn.signal && (await turn.wait(collect(placements, (i) => before[i], names)));
  if (back) turn.undo(() => put(back, (i) => before[i]));
  await put(written, () => file);
}

const namesIn = (file: Weights | undefined) => [...(file?.tensors.keys() ?? [])];

/** The bytes of these parameters in every plan, as the device is to hold them: all are read before one is written. */
async function collect(
  placements: readonly Placement[],
  fileOf: (at: number) => Weights | undefined,
  names: ReadonlySet<string>,
): Promise<readonly Written[]> {
  const written: Written[] = [];
  const write = (to: DeviceBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>) =>
    void written.push([to, offset, data]);
  for (const [i, { plan, base, buffers, device }] of placements.entries()) {
    const wanted = plan.parameters.filter(({ name }) => names.has(name));
    const file = fileOf(i);
    if (wanted.length === 0 && !file) continue;
    const from = file ? withAdapter(plan, base ?? nothing, file) : base!;
    for (const tensor of wanted) {
      if (tensor.dtype === "f32") checkFloats(from, tensor.name);
      const chunks = from.chunks(tensor.name);
      await writeTensor(
        { inPanels: device.inPanels, write },
        buffers[tensor.buffer]!,
        tensor,
        chunks,
        from.source,
      );
    }
  }
  return written;
}

const nothing: Readable = { source: "no weights", tensors: new Map(), async *chunks() {} };

/**
 * Compares the base that a file was trained on with the one that lies on the device: by what the adapter before says
 * of it, which was compared as it was placed, or by its own tensors. @throws E431
 */
async function checkBase({ plan, base, adapter }: Placement, file: Weights): Promise<void> {
  const { base: theirs } = readAdapterFile(file);
  const ours = adapter ? readAdapterFile(adapter).base : new Map<string, string>();
  for (const { name } of plan.parameters) {
    const print = theirs.get(name);
    if (print === undefined || file.tensors.has(name)) continue;
    if ((ours.get(name) ?? (await printOf(base, name))) === print) continue;
    throw diagnose("E431", {
      message: `the adapter was trained on another base: ${name} is not that of ${base?.source}`,
      where: file.source,
      help: "give an adapter that was trained on the base that the model was loaded with",
    });
  }
}

async function printOf(base: Readable | undefined, name: string): Promise<string | undefined> {
  if (!base?.tensors.has(name)) return undefined;
  for await (const chunk of base.chunks(name)) return fingerprint(chunk);
  return undefined;
}
