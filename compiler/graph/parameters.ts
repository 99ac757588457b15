/** The parameters of a model, by path, and the places where adapters may come in. */
import { captureSpan, diagnose } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import { checkNames } from "./checks.ts";
import { checkInit, type Init } from "./init.ts";
import { emptyScope, graft, type Scope, type SiteFacts } from "./site.ts";
import { checkSource, parameterOp, resolveShape } from "./sources.ts";
import { apply, refuse, type Shape, show, type Tensor, type Type } from "./tensor.ts";

/** Whose parameter it is: the model's, or a grafted adapter's. */
interface Known {
  readonly tensor: Tensor;
  readonly owner: Owner | undefined;
}

/** One binding of an adapter: what is bound twice has two owners. */
export interface Owner {
  readonly adapter: { readonly name: string };
}

interface Shared {
  readonly known: Map<string, Known>;
  readonly scope: Scope;
  /** The adapter that makes these parameters; undefined for the model itself. */
  readonly owner?: Owner | undefined;
}

/**
 * The parameters of a model, by path. `p.at("attn").f32("weight", [8, 4])` is the parameter
 * `attn.weight`; asked for twice, it is one parameter.
 */
export class Parameters {
  readonly path: string;
  readonly #shared: Shared;

  constructor(path = "", shared: Shared = { known: new Map(), scope: emptyScope() }) {
    this.path = path;
    this.#shared = shared;
  }

  /** The parameters below a path: `p.at("blocks", 3, "attn")`. */
  at(...path: readonly (string | number)[]): Parameters {
    for (const part of path)
      if (typeof part !== "string" && typeof part !== "number")
        refuse(
          "at",
          [],
          `a part of a path is ${shown(part)}`,
          'give texts and numbers: p.at("blocks", 3)',
        );
    const parts = [this.path, ...path].filter((s) => s !== "");
    return new Parameters(parts.join("."), this.#shared);
  }

  /** The parameters one level up: from `blocks.3.attn` those of `blocks.3`. */
  get parent(): Parameters {
    return new Parameters(this.path.split(".").slice(0, -1).join("."), this.#shared);
  }

  /**
   * What all places of an adapter share: parameters below the adapter's name, whatever place asks.
   * The model's own are those from the top of the model.
   */
  shared(...path: readonly (string | number)[]): Parameters {
    const top = new Parameters(this.#shared.owner?.adapter.name ?? "", this.#shared);
    return top.at(...path);
  }

  /** The same parameters, seen by adapters that tell tasks apart. */
  forTask(task: number): Parameters {
    return new Parameters(this.path, { ...this.#shared, scope: { ...this.#shared.scope, task } });
  }

  /** What the trace knows beside the parameters: adapters, training, noise. */
  get scope(): Scope {
    return this.#shared.scope;
  }

  /** The same parameters in another scope. */
  within(scope: Scope, owner = this.#shared.owner): Parameters {
    return new Parameters(this.path, { known: this.#shared.known, scope, owner });
  }

  /**
   * A place where adapters may come in: `base` computes what the model does by itself. An adapter
   * that is bound to this path and knows this kind of place computes around it.
   */
  site<I, O>(kind: string, input: I, base: (input: I) => O, facts: SiteFacts = {}): O {
    return graft(this, kind, input, base, facts);
  }

  /**
   * A float32 parameter. Its key in a checkpoint is the path with the name. An adapter's own trains
   * unless it says `train: false`, the model's does not; patterns of `adapt` decide otherwise.
   * @throws E252 for an initial value that it cannot have, E104 if the path has another shape already, E132 if another adapter has made it.
   */
  f32<const S extends Shape>(
    name: string,
    shape: S,
    options: { readonly init?: Init; readonly train?: boolean } = {},
  ): Tensor<"f32", S> {
    checkSource("parameter", name);
    checkNames("parameter", options, { init: true, train: true });
    const { train = true, ...begin } = options;
    const path = this.path === "" ? name : `${this.path}.${name}`;
    const type: Type = { dtype: "f32", shape: resolveShape(shape, `parameter ${path}`) };
    checkInit(`parameter ${path}`, type, options.init);
    const { known, owner, scope } = this.#shared;
    const before = known.get(path);
    if (before && owner && before.owner !== owner) throw shared(path, owner, before);
    if (before && show(before.tensor.type) !== show(type))
      throw diagnose("E104", {
        message: `parameter ${path} is used as ${show(type)} and as ${show(before.tensor.type)}`,
        at: captureSpan(),
        labels: [[before.tensor.node.span, show(before.tensor.type)]],
        help: "one path is one parameter: give the two uses one shape, or two names",
      });
    if (before) return before.tensor as unknown as Tensor<"f32", S>;
    const made = apply(parameterOp, [], { name: path, type, ...begin })[0]!;
    known.set(path, { tensor: made, owner });
    if (owner) scope.grafted.set(path, train);
    return made as unknown as Tensor<"f32", S>;
  }
}

const shared = (path: string, { adapter }: Owner, before: Known) =>
  diagnose("E132", {
    message: before.owner
      ? `the adapters ${[adapter.name, before.owner.adapter.name].sort().join(" and ")} both make the parameter ${path}`
      : `the adapter ${adapter.name} makes the parameter ${path}, which the model already has`,
    at: captureSpan(),
    labels: [[before.tensor.node.span, "made here first"]],
    help:
      before.owner?.adapter.name === adapter.name
        ? "bind the adapter once, to all of its places: adapt(model, adapter, { where: [...] })"
        : "two adapters that use the same names cannot share a place: bind them to different ones",
  });
