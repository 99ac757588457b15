/**
 * MODEL on the command line: the name of a built-in model, or the path of a user's `*.graph.ts`.
 * A file is bundled with esbuild and imported; its errors are shown at the user's own lines.
 */
import { resolve } from "node:path";
import type { Graph } from "../compiler/graph/graph.ts";
import { type Model, traceProgram } from "../compiler/graph/model.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { TrainingOptions } from "../training/options.ts";
import { loadBuiltIn, type ModelFiles } from "./built-in.ts";
import { type Exports, importGraphFile } from "./graph-file.ts";
import { inUsersWords } from "./user-error.ts";

export interface LoadedModel {
  readonly model: Model;
  /** The user's file, absolute; undefined for a built-in model. */
  readonly file: string | undefined;
  /** What the file exports as `training`: how the model is trained. */
  readonly training?: TrainingOptions | undefined;
}

export interface LoadedFiles extends LoadedModel {
  /** The user's files that the model is made of, absolute. */
  readonly sources: readonly string[];
}

/**
 * Finds a model. A built-in one of any size needs one of the files.
 * @throws E510 for a name or a path that leads nowhere, E511 to E513 for what is wrong in a file,
 * E230 for a configuration.
 */
export async function loadModel(name: string, files: ModelFiles = {}): Promise<LoadedFiles> {
  if (!/[./\\]/.test(name))
    return { model: await loadBuiltIn(name, files), file: undefined, sources: [] };
  if (files.config !== undefined)
    throw diagnose("E503", {
      message: "--config goes with a built-in model, not with a file",
      where: name,
      help: "leave --config out; sizes of named dims are given with --dim name=size",
    });
  const file = resolve(name);
  const { exports, sources } = await importGraphFile(file, name);
  const training = exports.training as TrainingOptions | undefined;
  return { model: modelOf(exports, name), file, training, sources };
}

/**
 * Traces a program of a loaded model, with sizes that replace the model's own.
 * @throws E101 to E111 for what the graph says, E513 for what the user's code throws.
 */
export const traceLoaded = ({ model, file }: LoadedModel, program: string, dims: Dims): Graph =>
  inUsersWords(file, () => traceProgram(model, program, dims));

/** The model that a file exports. Errors: E512. */
function modelOf(exports: Exports, file: string): Model {
  const exported = exports.default;
  if (!isModel(exported)) throw noModel(exports, file);
  for (const [program, build] of Object.entries(exported.programs))
    if (typeof build !== "function")
      throw diagnose("E512", {
        message: `the program ${program} of the model ${exported.name} is ${describe(build)}, not a function`,
        where: file,
        help: "give programs: { forward: (p, dims) => ({ y }) }",
      });
  return exported;
}

function isModel(value: unknown): value is Model {
  if (typeof value !== "object" || value === null) return false;
  const { name, programs, dims } = value as Partial<Model>;
  return typeof name === "string" && isObject(programs) && isObject(dims);
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;

function noModel(exports: Exports, where: string) {
  const exported = exports.default;
  if (exported instanceof Promise)
    return diagnose("E512", {
      message: "the file's default export is a promise, not a model",
      where,
      help: "wait for it in the file: export default await ...",
    });
  const named = Object.keys(exports).find((name) => isModel(exports[name]));
  if (exported === undefined && named !== undefined)
    return diagnose("E512", {
      message: `the file exports the model ${named}, but not as its default`,
      where,
      help: `end the file with export default ${named}`,
    });
  return diagnose("E512", {
    message:
      exported === undefined
        ? "the file has no default export"
        : `the file's default export is ${describe(exported)}, not a model`,
    where,
    help: "end the file with export default defineModel({ name, dims, build: (p, dims) => ({ y }) })",
  });
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return `${typeof value} ${String(value)}`;
  if (Array.isArray(value)) return "a list";
  const keys = Object.keys(value).slice(0, 5).join(", ");
  return `an object${keys === "" ? " without properties" : ` of ${keys}`}`;
}
