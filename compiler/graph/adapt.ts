/** Adapting: binds adapters to places of a model by path, and says what trains. */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { graphOf, parametersOf } from "./graph.ts";
import { type Model, traceProgram } from "./model.ts";
import { matchesPath, selects } from "./path.ts";
import { type Adapter, type Binding, emptyScope, type Scope } from "./site.ts";
import { input } from "./sources.ts";
import { elements } from "./tensor.ts";

export interface AdaptOptions {
  /** Where the adapter works: patterns of paths. `*` is one part, `**` any number; all unless given. */
  readonly where?: string | readonly string[];
  /**
   * Which of the model's own parameters train beside the adapter's: patterns of paths, the last
   * that matches decides, `!` before one takes back.
   */
  readonly train?: readonly string[];
}

/**
 * The model with an adapter grafted on. Adapters combine: adapt again, and later ones compute around
 * earlier ones. Nothing of the model is copied.
 * @throws E130 for a pattern that matches no place (or no parameter), E131 for a place that the
 * adapter does not fit, E132 for two adapters that cannot share a place.
 */
export function adapt(model: Model, adapter: Adapter, options: AdaptOptions = {}): Model {
  checkOptions<AdaptOptions>("adapt", options, { where: true, train: true });
  const { where = "**", train = [] } = options;
  const binding: Binding = { adapter, where: [where].flat(), train };
  const adapted = { ...model, bindings: [...(model.bindings ?? []), binding] };
  checkPatterns(binding, survey(adapted));
  return adapted;
}

interface Survey {
  readonly parameters: ReadonlyMap<string, number>;
  readonly grafted: Scope["grafted"];
  readonly sites: Scope["sites"];
  readonly worked: ReadonlyMap<Binding, ReadonlySet<string>>;
}

/** Traces every program once and notes what is there. */
function survey(model: Model): Survey {
  const parameters = new Map<string, number>();
  const scope = emptyScope({
    bindings: model.bindings ?? [],
    training: true,
    random: (_distribution, name, shape) => input(`noise.${name}`, "f32", shape),
  });
  for (const program of Object.keys(model.programs)) {
    const { outputs } = traceProgram(model, program, {}, scope);
    const terms = [...scope.terms.values()].flat();
    const all = [...outputs, ...terms.map((tensor, i) => ({ name: `term ${i}`, tensor }))];
    for (const { name, type } of parametersOf(graphOf(all)))
      parameters.set(name, elements(type.shape));
    scope.terms.clear();
  }
  return { parameters, ...scope };
}

function checkPatterns({ adapter, where, train }: Binding, found: Survey): void {
  const kinds = Object.keys(adapter.grafts);
  const places = found.sites.filter((s) => kinds.includes(s.kind)).map((s) => s.path);
  const check = (pattern: string, paths: readonly string[], what: string) => {
    const plain = pattern.replace(/^!/, "");
    if (paths.some((path) => matchesPath(plain, path))) return;
    const near = meant(plain, paths);
    const known = near === undefined ? below(plain, paths) : [];
    throw diagnose("E130", {
      message: `${adapter.name}: "${plain}" matches no ${what}`,
      help: near
        ? `did you mean "${near}"?`
        : known.length > 0
          ? `there is ${known.slice(0, most).join(", ")}${known.length > most ? ", …" : ""}`
          : `the model has no ${what} for this adapter`,
    });
  };
  if (kinds.length > 0) for (const pattern of where) check(pattern, places, "place of the model");
  const paths = [...found.parameters.keys()];
  for (const pattern of [...(adapter.train ?? []), ...train]) check(pattern, paths, "parameter");
}

/** The most patterns that an error lists. */
const most = 8;

/** Patterns of what follows the longest beginning of `pattern` that some path has: of all paths, where none has its first part. */
function below(pattern: string, paths: readonly string[]): readonly string[] {
  let prefix = "";
  for (const part of pattern.split(".")) {
    const longer = `${prefix}${part}.`;
    if (!paths.some((path) => path.startsWith(longer))) break;
    prefix = longer;
  }
  const names = paths.flatMap((path) => {
    if (!path.startsWith(prefix)) return [];
    const [first, ...rest] = path.slice(prefix.length).split(".");
    return [`"${prefix}${first}${rest.length > 0 ? ".**" : ""}"`];
  });
  return [...new Set(names)];
}

/**
 * Whether a parameter trains: as the last pattern says that matches it, otherwise as it was made. An
 * adapter's own is made to train unless it says `train: false` (`Scope.grafted`), the model's is not.
 */
export const trains = (model: Model, path: string, otherwise: boolean): boolean =>
  selects(
    (model.bindings ?? []).flatMap((b) => [...(b.adapter.train ?? []), ...b.train]),
    path,
    otherwise,
  );

/** What was adapted, and how much of the model trains. */
export interface Report {
  readonly adapters: readonly { readonly name: string; readonly places: readonly string[] }[];
  /** Parameters, counted in numbers. */
  readonly total: number;
  readonly trainable: number;
  /** Numbers that train, by path. */
  readonly trained: ReadonlyMap<string, number>;
}

/** Traces the model and counts. Parameters that no program reads are not there to be counted. */
export function report(model: Model): Report {
  const found = survey(model);
  const all = [...found.parameters];
  const trained = new Map(
    all.filter(([path]) => trains(model, path, found.grafted.get(path) === true)),
  );
  const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);
  return {
    adapters: (model.bindings ?? []).map((b) => ({
      name: b.adapter.name,
      places: [...(found.worked.get(b) ?? [])],
    })),
    total: sum(found.parameters.values()),
    trainable: sum(trained.values()),
    trained,
  };
}
