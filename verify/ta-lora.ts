/**
 * Checks of kind `ta_lora`: the published Tucker layer, its regulariser, and the gradients of both.
 */

import type { QkvPart } from "../adapters/qkv-parts.ts";
import { taLora } from "../adapters/ta-lora.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import {
  casesOf,
  compareGradients,
  type Facts,
  gradientFloor,
  type LayerResults,
  type LayerRun,
  runLayer,
} from "./layer.ts";
import { garbled, type Reference } from "./reference.ts";

/** Results; gradients have a tolerance of their own. */
const forward = { relative: 1e-4 };

/**
 * For each case and each task of it (`taskT`, or `all_tasks`, whose batch holds the tasks one after
 * another): y and the gradients of sum(y * cotangent); then `orthogonal_reg` and its gradients.
 */
export async function* verifyTaLora(reference: Reference, setting: Setting): AsyncIterable<Check> {
  const cases = casesOf(reference);
  const floor = await gradientFloor(reference);
  for (const one of cases) {
    const { name } = one;
    const layer = {
      name,
      adapter: adapterOf(reference, one),
      training: true,
      term: { name: term, differentiated: false },
    };
    const runs = taskRuns(reference, one);
    for (const task of runs) {
      const prefix = `${name}/${task < 0 ? "all_tasks" : `task${task}`}/`;
      const x = await reference.read(`${prefix}x`);
      const cotangent = await reference.read(`${prefix}cotangent`);
      const tasks = task < 0 ? [...Array(one.number("tasks")).keys()] : [task];
      if (x.shape[0]! % tasks.length !== 0)
        throw garbled(reference.path, `${prefix}x does not hold ${tasks.length} tasks`);
      const found = await runLayer(reference, setting, { ...layer, x, cotangent, tasks });
      const { data } = await reference.read(`${prefix}y`);
      yield compare(`${prefix}y`, found.y, data, forward);
      yield* compareGradients(reference, prefix, factorsOnly(found.gradients, true), floor);
    }
    yield* compareTerm(reference, setting, layer, runs[0]!, floor);
  }
}

const term = "orthogonal_reg";

async function* compareTerm(
  reference: Reference,
  setting: Setting,
  layer: Pick<LayerRun, "name" | "adapter" | "training">,
  task: number,
  floor: number,
): AsyncIterable<Check> {
  const { name } = layer;
  const x = await reference.read(`${name}/${task < 0 ? "all_tasks" : `task${task}`}/x`);
  const found = await runLayer(reference, setting, {
    ...layer,
    x,
    tasks: [Math.max(0, task)],
    term: { name: term, differentiated: true },
  });
  const { data } = await reference.read(`${name}/${term}`);
  yield compare(`${name}/${term}`, found.term, data, forward);
  const gradients = factorsOnly(found.gradients, false);
  yield* compareGradients(reference, `${name}/${term}.`, gradients, floor);
}

/** The files hold no gradient of the layer's own bias. */
const factorsOnly = (all: LayerResults["gradients"], input: boolean): LayerResults["gradients"] =>
  new Map([...all].filter(([name]) => name !== "bias" && (input || name !== "x")));

function adapterOf({ path }: Reference, one: Facts) {
  const { ranks, enable_qkv: enabled } = one.raw;
  if (!Array.isArray(ranks) || ranks.length !== 3 || !ranks.every((r) => typeof r === "number"))
    throw garbled(path, `${one.name} has the ranks ${JSON.stringify(ranks)}`);
  return taLora({
    tasks: one.number("tasks"),
    ranks: ranks as [number, number, number],
    scale: one.number("scaling"),
    // The files were made without it: what it would drop is drawn.
    dropout: 0,
    ...(Array.isArray(enabled) ? { parts: qkvParts.filter((_, i) => enabled[i] === true) } : {}),
  });
}

const qkvParts: readonly QkvPart[] = ["q", "k", "v"];

/** The tasks that were run one by one; -1: all of them. */
function taskRuns({ path }: Reference, one: Facts): number[] {
  const { task_runs: runs } = one.raw;
  const tasks = one.number("tasks");
  const known = (t: unknown) =>
    typeof t === "number" && Number.isInteger(t) && t >= -1 && t < tasks;
  if (Array.isArray(runs) && runs.length > 0 && runs.every(known)) return runs;
  throw garbled(path, `${one.name} has the task_runs ${JSON.stringify(runs)}`);
}
