/** What merging refuses: adapters, places and files for which it would not be exact. */
import type { Node } from "../compiler/graph/tensor.ts";
import { diagnose, type InarchError } from "../diagnostics/index.ts";

/** A place and the adapters at it that are to blame. */
export interface Blamed {
  readonly path: string;
  readonly kind: string;
  readonly adapters: readonly string[];
}

const named = ({ adapters }: Blamed): string => adapters.join(" and ");

const leave = "leave it grafted: build, export and training take the adapted model as it is";

/** Where a user wrote the op, if a user did: those of inarch's own adapters are in no user's file. */
const placeOf = ({ span }: Node): Node["span"] | undefined =>
  /[\\/]diagnostics[\\/]span\.[jt]s$/.test(span.resolve()?.file ?? "") ? undefined : span;

/** E160. */
export const inputDependent = (
  where: Blamed,
  { node, reason }: { readonly node: Node; readonly reason: string },
): InarchError =>
  diagnose("E160", {
    message: `${named(where)} cannot be merged: its ${node.op.name} ${reason}`,
    where: where.path,
    at: placeOf(node),
    help: leave,
  });

/** E161. */
export const noLayer = (where: Blamed, why: string): InarchError =>
  diagnose("E161", {
    message: `${named(where)} cannot be merged into this place of kind ${where.kind}: ${why}`,
    where: where.path,
    help: leave,
  });

/** E161. */
export const sharedParameter = (path: string, name: string, reader: Node): InarchError =>
  diagnose("E161", {
    message: `${path} cannot be merged: ${name} is read outside of it too, by ${reader.op.name}, and would change there`,
    where: path,
    at: placeOf(reader),
    help: "give the two uses parameters of their own, or leave the adapter grafted",
  });

/** E161. */
export const otherForm = (path: string, weight: string, why: string): InarchError =>
  diagnose("E161", {
    message: `${path} cannot be merged: ${why}, which ${weight} cannot hold`,
    where: path,
    help: leave,
  });

/** E162. */
export const lacksBias = (where: Blamed, weight: string, outputs: number): InarchError =>
  diagnose("E162", {
    message: `${named(where)} cannot be merged: it adds ${outputs} numbers, and the layer of ${weight} has no bias that could hold them`,
    where: where.path,
    help: `give the layer one in the model: add(y, p.f32("bias", [${outputs}], { init: zeros }))`,
  });

/** E163. */
export const differentTasks = (where: Blamed, tasks: readonly number[]): InarchError =>
  diagnose("E163", {
    message: `${named(where)} computes something else for each of the tasks ${tasks.join(", ")}: one weight cannot hold all`,
    where: where.path,
    help: `merge it for one of them: { task: ${tasks[0]} }, or --task ${tasks[0]}`,
  });

/** E163. */
export const noTask = (model: string, task: number, tasks: readonly number[]): InarchError =>
  diagnose("E163", {
    message: `model ${model} has no task ${task} to merge for`,
    help:
      tasks.length > 0 ? `its tasks are ${tasks.join(", ")}` : "it has none: leave the task out",
  });

/** E164. */
export const unfitFiles = (message: string, where: string, help: string): InarchError =>
  diagnose("E164", { message, where, help });

/** E165. */
export const noAdapters = (model: string): InarchError =>
  diagnose("E165", {
    message: `model ${model} has no adapters to merge`,
    help: "graft them as for training: adapt(model, lora(), { where: ... })",
  });
