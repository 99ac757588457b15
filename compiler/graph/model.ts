/** A model: one or more programs over one set of parameters. What `*.graph.ts` files export. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions, type OptionNames, shown } from "../../diagnostics/options.ts";
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
  /** What is built of it ahead of time: every program once, and a method for each, unless told. */
  readonly bundle?: ModelBundle;
  /** Adapters grafted on it (`adapt`), in order: later ones compute around earlier ones. */
  readonly bindings?: readonly Binding[];
}

/** What `inarch build` makes of a model. */
export interface ModelBundle {
  /**
   * By program, the sizes of dims that it is built for: `{ decode: { tokens: [8, 32] } }` gives the plans
   * `decode-8` and `decode-32`. A size that the build is given is the only one.
   */
  readonly sizes?: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  /** Loads the model for the wrapper; without it the wrapper has a method for each program. */
  readonly loader?: BundleLoader;
}

/** A function that takes what `loadBundle` of `inarch/runtime` takes, and returns the model's own object. */
export interface BundleLoader {
  /** What the wrapper imports it from: `inarch/runtime`, or a package. */
  readonly module: string;
  /** The function's name. */
  readonly load: string;
  /** The type that its promise resolves to, as the module exports it. */
  readonly type: string;
}

/** `names` are all of a file, `file` is what messages call it. */
export type TensorNames = (
  names: readonly string[],
  file: string,
) => ReadonlyMap<string, string> | undefined;

const definitionNames: OptionNames<Model & { readonly build: Program }> = {
  name: true,
  doc: true,
  dims: true,
  programs: true,
  build: true,
  facts: true,
  tensorNames: true,
  bundle: true,
  bindings: true,
};

/**
 * Defines a model. A single program may be given as `build`.
 * Throws E110 for a name that cannot be a file's, a model without programs, or a bundle of
 * programs and dims that it does not have.
 */
export function defineModel(
  definition: Omit<Model, "programs" | "dims"> & { readonly dims?: Dims } & (
      | { readonly programs: Model["programs"] }
      | { readonly build: Program }
    ),
): Model {
  if (typeof definition !== "object" || definition === null)
    throw diagnose("E110", {
      message: `defineModel is given ${shown(definition)}`,
      help: "give defineModel({ name, build: (p, dims) => ({ y }) })",
    });
  const { name, dims = {} } = definition;
  if (typeof name !== "string" || !/^[a-z][a-z0-9-_]*$/.test(name))
    throw diagnose("E110", {
      message: `${shown(name)} cannot name a model`,
      help: "use lower-case letters, digits, - and _, beginning with a letter",
    });
  checkOptions<object>("defineModel", definition, definitionNames);
  const programs =
    "programs" in definition ? (definition.programs ?? {}) : { forward: definition.build };
  const wrong = Object.keys(programs).find((program) => typeof programs[program] !== "function");
  const none = Object.values(programs).every((program) => program === undefined);
  if (wrong !== undefined || none)
    throw diagnose("E110", {
      message: none
        ? `model ${name} has no programs`
        : `the program ${wrong} of model ${name} is no function`,
      help: "give build: (p, dims) => ({ y }), or programs: { forward: (p, dims) => ({ y }) }",
    });
  checkBundle(definition, programs, dims);
  return { ...definition, dims, programs };
}

function checkBundle(
  { name, bundle }: Pick<Model, "name" | "bundle">,
  programs: object,
  dims: Dims,
) {
  for (const [program, sizes] of Object.entries(bundle?.sizes ?? {})) {
    const unknown = Object.keys(sizes).find((dim) => !Object.hasOwn(dims, dim));
    const known = Object.hasOwn(programs, program);
    if (known && unknown === undefined) continue;
    throw diagnose("E110", {
      message: known
        ? `the bundle of ${name} gives sizes of the dim "${unknown}", which the model does not have`
        : `the bundle of ${name} gives sizes for the program "${program}", which the model does not have`,
      help: known
        ? `its dims are ${Object.keys(dims).join(", ") || "none"}`
        : `its programs are ${Object.keys(programs).join(", ")}`,
    });
  }
}

/** Traces one program of a model, with its adapters; `dims` replace the model's own sizes. */
export function traceProgram(model: Model, program: string, dims: Dims = {}, scope?: Scope): Graph {
  if (typeof model?.programs !== "object" || model.programs === null)
    throw diagnose("E110", {
      message: `what is given as a model is ${shown(model)} without programs`,
      help: "give what defineModel({ name, build: (p, dims) => ({ y }) }) returns",
    });
  const chosen = Object.hasOwn(model.programs, program) ? model.programs[program] : undefined;
  if (!chosen)
    throw diagnose("E111", {
      message: `model ${model.name} has no program "${program}"`,
      help: `its programs are ${Object.keys(model.programs).join(", ")}`,
    });
  const unknown = Object.keys(dims).filter((d) => !Object.hasOwn(model.dims, d));
  if (unknown.length > 0)
    throw diagnose("E111", {
      message: `model ${model.name} has no dim ${unknown.map((d) => `"${d}"`).join(", ")}`,
      help: `its dims are ${Object.keys(model.dims).join(", ") || "none"}`,
    });
  const called = `the program ${program} of the model ${model.name}`;
  return trace(
    chosen,
    { ...model.dims, ...dims },
    scope ?? emptyScope({ bindings: model.bindings ?? [] }),
    called,
  );
}
