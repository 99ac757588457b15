/** Looks at what is held out with what a run has kept: which pictures it does best and worst, and why. */
import { deviceProfile, traceProgram } from "../../../compiler/index.ts";
import type { Device, Numbers } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/index.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import type { Session } from "../../../runtime/session.ts";
import type { Weights } from "../../../runtime/weights/index.ts";
import { compileKept, keptPlans } from "../../../training/node/kept-plans.ts";
import { type Batches, normalizedImages } from "../../data/batch.ts";
import type { Samples, Target } from "../../data/sample.ts";
import { drawTarget } from "../../data/sheet.ts";
import type { Drawing, LayerDistances, ShownPicture } from "../../report/facts.ts";
import { distanceInputs, type Gate, type Looking, lookingAt } from "../looking.ts";
import type { Task } from "../model.ts";
import { type Rank, rankOf, scoreOf } from "../rank.ts";

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
  /** Of the model's input, and of a token of its encoder, in pixels. */
  readonly side: number;
  readonly patch: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Looked {
  readonly pictures: readonly ShownPicture[];
  /** What their score is. */
  readonly rank: Rank;
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
  const rank = rankOf(task.tasks);
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
    const reaches = namedLayers(looking, Object.keys(task.tasks)).map((layer) => ({
      ...{ layer, heads: [] as number[] },
    }));
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
      .sort((a, b) => (rank.better === "higher" ? 1 : -1) * (b.score! - a.score!));
    const few = Math.min(shown, Math.floor(ranked.length / 2));
    const draw = (some: typeof ranked) =>
      inTurn(some, ({ item, ...one }) => drawn(request, session, fixed, { item, ...one }));
    const best = await draw(ranked.slice(0, few));
    const worst = await draw(ranked.slice(ranked.length - few).reverse());
    await session.close();
    return {
      pictures: pictures.map(({ item: _, ...one }) => one),
      rank,
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
  const { task, batches } = request;
  const batch = await batches.take({ step: item, batch: 1 });
  const outputs = await session.run({ ...fixed, image: normalizedImages(batch) });
  const found = task.found(outputs);
  return { batch, outputs, found, score: scoreOf(task, found, batch.targets) };
}

/** Layers that run for each of several tasks are named by it, too: the tasks' passes come in their order. */
function namedLayers({ layers }: Looking, tasks: readonly string[]): string[] {
  const seen = new Map<string, number>();
  const isMany = new Set(layers.map(({ layer }) => layer)).size < layers.length;
  return layers.map(({ layer }) => {
    const pass = seen.get(layer) ?? 0;
    seen.set(layer, pass + 1);
    return isMany ? `${layer}, ${tasks[pass]}` : layer;
  });
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
  const { batch, found } = await see(request, session, fixed, item);
  const { image: whole } = await held.read(item);
  const data = rowsOf(batch.image, side);
  const image = { width: side, height: side, channels: 3 as const, data };
  const pairs = Object.entries(task.tasks).map(([of, kind]) => {
    const truth = batch.targets[of]! as Target;
    const over = (target: Target) =>
      drawTarget({ image, targets: { [of]: inRows(target, side) } }, of, kind, truth.data);
    return { task: of, truth: over(truth), found: over(found[of]!) };
  });
  const { width, height } = whole;
  return { name, score, width, height, pairs };
}

const inRows = (target: Target, side: number): Target =>
  target.kind === "normals" ? { ...target, data: rowsOf(target.data, side) } : target;

/** `[side, side, 3]` of `[3, side, side]`. */
function rowsOf<T extends Uint8Array | Float32Array>(planes: T, side: number): T {
  const pixels = side ** 2;
  const data = planes.slice();
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++) data[3 * i + c] = planes[c * pixels + i]!;
  return data as T;
}
