/** A model: one or more programs over one set of parameters. What `*.graph.ts` files export. */
import { diagnose } from "../../diagnostics/index.ts";
import { type Graph, type Program, trace } from "./graph.ts";
import { type Binding, emptyScope, type Scope } from "./site.ts";
import type { Dims } from "./sources.ts";

export interface Model {
  /** What bundles and wrappers are called: lower case, digits and dashes. */
  readonly name: string;
  /** A sentence or two for generated wrappers. */
  readonly doc?: string;
  /** Sizes of named dims, unless others are given at trace time. */
  readonly dims: Dims;
  /** By name: `encode`, `decode`. A program is run by itself; its outputs may feed another's inputs. */
  readonly programs: Readonly<Record<string, Program>>;
  /** Facts that the host-side code of this model needs: JSON, kept in bundles as it is. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /**
   * Finds the parameters in a checkpoint that calls them otherwise: by path, the tensor's name in the file.
   * Undefined for a checkpoint whose names are the paths, as of all without this function.
   */
  readonly tensorNames?: TensorNames;
  /** Adapters grafted on it (`adapt`), in order: later ones compute around earlier ones. */
  readonly bindings?: readonly Binding[];
}

/** `names` are all of a file, `file` is what messages call it. */
export type TensorNames = (
  names: readonly string[],
  file: string,
) => ReadonlyMap<string, string> | undefined;

/**
 * Defines a model. A single program may be given as `build`.
 * Throws E110 for a name that cannot be a file's, or a model without programs.
 */
export function defineModel(
  definition: Omit<Model, "programs" | "dims"> & { readonly dims?: Dims } & (
      | { readonly programs: Model["programs"] }
      | { readonly build: Program }
    ),
): Model {
  const { name, dims = {} } = definition;
  if (!/^[a-z][a-z0-9-_]*$/.test(name))
    throw diagnose("E110", {
      message: `"${name}" cannot name a model`,
      help: "use lower-case letters, digits, - and _, beginning with a letter",
    });
  const programs = "programs" in definition ? definition.programs : { forward: definition.build };
  if (Object.keys(programs).length === 0)
    throw diagnose("E110", {
      message: `model ${name} has no programs`,
      help: "give programs: { forward: (p, dims) => ({ y }) }",
    });
  return { ...definition, dims, programs };
}

/** Traces one program of a model, with its adapters; `dims` replace the model's own sizes. */
export function traceProgram(
  model: Model,
  program: string,
  dims: Dims = {},
  scope: Scope = emptyScope({ bindings: model.bindings ?? [] }),
): Graph {
  const chosen = model.programs[program];
  if (!chosen)
    throw diagnose("E111", {
      message: `model ${model.name} has no program "${program}"`,
      help: `its programs are ${Object.keys(model.programs).join(", ")}`,
    });
  const unknown = Object.keys(dims).filter((d) => !(d in model.dims));
  if (unknown.length > 0)
    throw diagnose("E111", {
      message: `model ${model.name} has no dim ${unknown.map((d) => `"${d}"`).join(", ")}`,
      help: `its dims are ${Object.keys(model.dims).join(", ") || "none"}`,
    });
  return trace(chosen, { ...model.dims, ...dims }, scope);
}
