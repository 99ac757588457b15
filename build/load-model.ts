/**
 * MODEL on the command line: the name of a built-in model, or the path of a user's `*.graph.ts`.
 * A file is bundled with esbuild and imported; its errors are shown at the user's own lines.
 */
import { resolve } from "node:path";
import type { Graph } from "../compiler/graph/graph.ts";
import { type Model, traceProgram } from "../compiler/graph/model.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import { diagnose } from "../diagnostics/index.ts";
import { loadBuiltIn, type ModelFiles } from "./built-in.ts";
import { importGraphFile } from "./graph-file.ts";
import { inUsersWords } from "./user-error.ts";

export interface LoadedModel {
  readonly model: Model;
  /** The user's file, absolute; undefined for a built-in model. */
  readonly file: string | undefined;
}

/**
 * Finds a model. A built-in one of any size needs one of the files.
 * @throws E510 for a name or a path that leads nowhere, E511 to E513 for what is wrong in a file,
 * E230 for a configuration.
 */
export async function loadModel(name: string, files: ModelFiles = {}): Promise<LoadedModel> {
  if (!/[./\\]/.test(name)) return { model: await loadBuiltIn(name, files), file: undefined };
  if (files.config !== undefined)
    throw diagnose("E503", {
      message: "--config goes with a built-in model, not with a file",
      where: name,
      help: "leave --config out; sizes of named dims are given with --dim name=size",
    });
  const file = resolve(name);
  const exported = await importGraphFile(file, name);
  return { model: checkModel(exported.default, name), file };
}

/**
 * Traces a program of a loaded model, with sizes that replace the model's own.
 * @throws E101 to E111 for what the graph says, E513 for what the user's code throws.
 */
export const traceLoaded = ({ model, file }: LoadedModel, program: string, dims: Dims): Graph =>
  inUsersWords(file, () => traceProgram(model, program, dims));

function checkModel(exported: unknown, name: string): Model {
  const help =
    "end the file with export default defineModel({ name, dims, build: (p, dims) => ({ y }) })";
  if (exported === undefined)
    throw diagnose("E512", { message: "the file has no default export", where: name, help });
  const model = exported as Partial<Model> | null;
  const isModel =
    typeof model === "object" &&
    model !== null &&
    typeof model.name === "string" &&
    typeof model.programs === "object" &&
    typeof model.dims === "object";
  if (isModel) return model as Model;
  const what = typeof exported === "function" ? "a function" : describe(exported);
  throw diagnose("E512", {
    message: `the file's default export is ${what}, not a model`,
    where: name,
    help,
  });
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${typeof value} ${String(value)}`;
  const keys = Object.keys(value).slice(0, 5).join(", ");
  return `an object${keys === "" ? " without properties" : ` of ${keys}`}`;
}
