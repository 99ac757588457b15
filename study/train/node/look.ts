/** Looks at what is held out with what a run has kept: which pictures it does best and worst, and why. */
import { deviceProfile, traceProgram } from "../../../compiler/index.ts";
import type { Device, Numbers } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/index.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import type { Session } from "../../../runtime/session.ts";
import type { Weights } from "../../../runtime/weights/index.ts";
import { compileKept, keptPlans } from "../../../training/node/kept-plans.ts";
import type { Batch, Batches } from "../../data/batch.ts";
import type { Samples } from "../../data/sample.ts";
import { drawTarget } from "../../data/sheet.ts";
import { confusion } from "../../metrics/confusion.ts";
import { meanOf } from "../../metrics/mean.ts";
import type { Drawing, LayerDistances, ShownPicture } from "../../report/facts.ts";
import { distanceInputs, type Gate, type Looking, lookingAt } from "../looking.ts";
import type { Task } from "../model.ts";

export interface LookRequest {
  readonly task: Task;
  readonly device: Device;
  readonly weights: Weights;
  /** The adapter's file. */
  readonly adapter: string;
  /** Pictures that are held out, in their order, with their names; as batches of one, too. */
  readonly held: Samples;
  readonly batches: Batches;
  readonly names: readonly string[];
  /** The task's name. */
  readonly name: string;
  /** Of the model's input, and of a token of its encoder, in pixels. */
  readonly side: number;
  readonly patch: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Looked {
  readonly pictures: readonly ShownPicture[];
  readonly best: readonly Drawing[];
  readonly worst: readonly Drawing[];
  readonly distances: readonly LayerDistances[];
}

/** So many pictures are looked at, and so many shown of each kind. */
const [most, shown] = [100, 3];

/** Runs the model on up to 100 pictures, evenly spread. */
export async function look(request: LookRequest): Promise<Looked> {
  const { task, device, held, names } = request;
  const looking = lookingAt(task.model);
  const graph = traceProgram(looking.model, "segment", { batch: 1 });
  const { target, capabilities } = device;
  const plan = await compileKept(graph, {
    ...{ target, profile: deviceProfile(capabilities), plans: await keptPlans() },
  });
  const adapter = await openWeightsFile(request.adapter);
  try {
    const session = await createSession(plan, device, { weights: request.weights, adapter });
    const count = Math.min(most, held.size);
    const items = Array.from({ length: count }, (_, i) => Math.floor((i * held.size) / count));
    const tokens = [...new Set(looking.layers.map((layer) => layer.tokens))];
    const fixed = Object.assign({}, ...tokens.map(distanceInputs));
    const reaches = looking.layers.map(({ layer }) => ({ layer, heads: [] as number[] }));
    const pictures: (ShownPicture & { readonly item: number })[] = [];
    for (const item of items) {
      request.signal?.throwIfAborted();
      const { outputs, score } = await see(request, session, fixed, item);
      const experts = expertsOf(looking.gates, outputs);
      pictures.push({ item, name: names[item]!, score, experts });
      addReaches(looking, outputs, reaches, request.patch / count);
    }
    const ranked = pictures
      .filter((one) => one.score !== undefined)
      .sort((a, b) => b.score! - a.score!);
    const few = Math.min(shown, Math.floor(ranked.length / 2));
    const draw = (some: typeof ranked) =>
      inTurn(some, ({ item, ...one }) => drawn(request, session, fixed, { item, ...one }));
    const best = await draw(ranked.slice(0, few));
    const worst = await draw(ranked.slice(ranked.length - few).reverse());
    await session.close();
    return {
      pictures: pictures.map(({ item: _, ...one }) => one),
      best,
      worst,
      distances: reaches,
    };
  } finally {
    await adapter.close();
  }
}

async function inTurn<A, B>(all: readonly A[], make: (one: A) => Promise<B>): Promise<B[]> {
  const made: B[] = [];
  for (const one of all) made.push(await make(one));
  return made;
}

type Fixed = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

async function see(request: LookRequest, session: Session, fixed: Fixed, item: number) {
  const { task, batches, name } = request;
  const batch = await batches.take({ step: item, batch: 1 });
  const target = batch.targets[name]!;
  const { image } = task.inputs(batch, target) as { readonly image: Float32Array<ArrayBuffer> };
  const outputs = await session.run({ ...fixed, image });
  const labels = task.labels(outputs);
  const counts = confusion(task.classes.length, { ignore: -1 });
  counts.add(labels, target.data);
  const { classes } = counts.scores();
  const there = classes.filter(({ pixels }) => pixels > 0).map(({ iou }) => iou);
  const ofMask = classes[1]!.pixels > 0 ? classes[1]!.iou : undefined;
  return { batch, outputs, labels, score: task.kind === "mask" ? ofMask : meanOf(there).value };
}

/** Of each expert, which part of the maps chose it. */
function expertsOf(gates: readonly Gate[], outputs: Readonly<Record<string, Numbers>>) {
  const entries = gates.map(({ output, place, experts }) => {
    const chosen = outputs[output]!;
    const parts = new Array<number>(experts).fill(0);
    for (const expert of chosen) parts[expert]! += 1 / chosen.length;
    return [place, parts] as const;
  });
  return Object.fromEntries(entries);
}

function addReaches(
  { layers }: Looking,
  outputs: Readonly<Record<string, Numbers>>,
  reaches: readonly { readonly heads: number[] }[],
  by: number,
): void {
  layers.forEach(({ output }, i) => {
    outputs[output]!.forEach((steps: number, head: number) => {
      reaches[i]!.heads[head] = (reaches[i]!.heads[head] ?? 0) + steps * by;
    });
  });
}

/** A picture as the model sees it, with what is true and what was found over it. */
async function drawn(
  request: LookRequest,
  session: Session,
  fixed: Fixed,
  {
    item,
    name,
    score,
  }: { readonly item: number; readonly name: string; readonly score: number | undefined },
): Promise<Drawing> {
  const { task, side, held } = request;
  const { batch, labels } = await see(request, session, fixed, item);
  const { image: whole } = await held.read(item);
  const truth = batch.targets[request.name]!.data as Int32Array;
  const image = { width: side, height: side, channels: 3 as const, data: rowsOf(batch) };
  const over = (data: Int32Array) =>
    drawTarget({ image, targets: { shown: { kind: "labels", data } } }, "shown", {
      kind: "labels",
      classes: task.classes,
    });
  const { width, height } = whole;
  return { name, score, width, height, truth: over(truth), found: over(labels) };
}

/** `[side, side, 3]` of the only picture of a batch. */
function rowsOf({ image, side }: Batch): Uint8Array<ArrayBuffer> {
  const pixels = side ** 2;
  const data = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++) data[3 * i + c] = image[c * pixels + i]!;
  return data;
}
