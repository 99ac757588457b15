/** Adapted programs in double precision, and their derivatives against differences. */
import { inputOp, parameterOp, type Source } from "../../compiler/graph/sources.ts";
import { apply } from "../../compiler/graph/tensor.ts";
import {
  type Binding,
  compile,
  defaultProfile,
  emptyScope,
  type Graph,
  gradient,
  graphOf,
  input,
  inputsOf,
  type Parameters,
  type Profile,
  parametersOf,
  type Scope,
  type Tensor,
  trace,
} from "../../compiler/index.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { add, full, mul, sum } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { type Arrays, type Results, randomNumbers } from "../ops/evaluate.ts";

/** Subgroups of eight: these graphs are small, and wide workgroups would mostly idle. */
export const narrow: Profile = { ...defaultProfile, name: "subgroups", subgroup: 8 };

/** A scope whose noise is given: inputs `noise.PATH.NAME`. */
export const scopeOf = (bindings: readonly Binding[], training = false): Scope =>
  emptyScope({
    bindings,
    training,
    random: (_distribution, name, shape) => input(`noise.${name}`, "f32", shape),
  });

/**
 * Compiles a graph once for the reference device in double precision, to be run with several values.
 * Parameters are given as inputs.
 */
export async function openGraph(graph: Graph): Promise<(given: Arrays) => Promise<Results>> {
  const plan = compile(withInputs(graph), { target: "reference", profile: narrow });
  const session = await createSession(plan, referenceDevice({ precision: "double" }));
  return async (given) => {
    const arrays = plan.inputs.map((t) => [t.name, Float64Array.from(given[t.name]!)] as const);
    const results = await session.run(Object.fromEntries(arrays));
    return Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
  };
}

/** Random values for every input and parameter of a graph. */
export const randomArrays = (graph: Graph): Record<string, number[]> =>
  Object.fromEntries(
    [...inputsOf(graph), ...parametersOf(graph)].map(({ name, type }, i) => {
      const count = (type.shape as number[]).reduce((a, b) => a * b, 1);
      // Noise that is uniform lies between 0 and 1; for what is normal that is as good as any.
      return [name, randomNumbers(count, 100 + i, name.startsWith("noise.") ? [0, 1] : [-1, 1])];
    }),
  );

export interface Adapted {
  readonly program: (p: Parameters) => readonly Tensor<"f32">[];
  readonly bindings: readonly Binding[];
  /** Values at which the derivative is taken: random ones unless given. */
  readonly arrays?: (graph: Graph) => Arrays;
  /** Parameters whose derivative is checked: those that adapters make to train unless given. */
  readonly trains?: (path: string, own: boolean) => boolean;
}

/**
 * Compares the derivative of a program's results and terms along one direction of what trains: by vjp,
 * and by central differences.
 * @throws E170 where they differ, or nothing has a derivative.
 */
export async function checkDerivative(adapted: Adapted): Promise<void> {
  const { graph, names } = withGradients(adapted);
  const { arrays = randomArrays } = adapted;
  const given = arrays(graph);
  const run = await openGraph(graph);
  const directions = new Map(names.map((n, i) => [n, randomNumbers(given[n]!.length, 7000 + i)]));
  const moved = (by: number): Arrays => ({
    ...given,
    ...Object.fromEntries(
      [...directions].map(([n, d]) => [n, [...given[n]!].map((v, i) => v + by * d[i]!)]),
    ),
  });
  const step = 1e-5;
  const [here, ahead, behind] = [await run(given), await run(moved(step)), await run(moved(-step))];
  const numeric = (ahead.loss![0]! - behind.loss![0]!) / (2 * step);
  const dot = (n: string, d: readonly number[]) =>
    here[`grad.${n}`]!.reduce((total, v, i) => total + v * d[i]!, 0);
  const exact = [...directions].reduce((total, [n, d]) => total + dot(n, d), 0);
  const length = Math.hypot(...names.map((n) => Math.hypot(...here[`grad.${n}`]!)));
  if (!(length > 0)) throw failed("no parameter that trains has a derivative");
  if (!(Math.abs(numeric - exact) <= 1e-5 * length + 1e-7))
    throw failed(`the derivative is ${exact}, but differences give ${numeric}`);
}

const failed = (message: string) =>
  diagnose("E170", { message, help: "look for an op that stops the gradient, or for a corner" });

/** The loss, a sum of everything with random weights, and its gradients `grad.PATH`. */
function withGradients({ program, bindings, trains = (_, own) => own }: Adapted) {
  const scope = scopeOf(bindings, true);
  const names: string[] = [];
  const graph = trace(
    (p) => {
      const results = [...program(p), ...[...scope.terms.values()].flat()];
      const loss = results.map(weighted).reduce((a, b) => add(a, b));
      const all = parametersOf(graphOf([{ name: "loss", tensor: loss }]));
      const trained = all.filter(({ name }) => trains(name, scope.grafted.get(name) === true));
      const wrt: Tensor[] = trained.map(({ name, type }) => p.f32(name, type.shape));
      const reached = gradient([loss], [full(1, [])], wrt);
      const found = trained.flatMap(({ name }, i) => {
        const g = reached[i];
        return g ? [[name, g] as const] : [];
      });
      names.push(...found.map(([name]) => name));
      return { loss, ...Object.fromEntries(found.map(([name, g]) => [`grad.${name}`, g])) };
    },
    {},
    scope,
  );
  return { graph, names };
}

/** The sum of a tensor's elements, each with a weight of its own. */
function weighted(x: Tensor<"f32">, index: number): Tensor<"f32"> {
  const weights = input(`cotangent.${index}`, "f32", x.shape as readonly number[]);
  return sum(mul(x, weights)) as Tensor<"f32">;
}

/** The same graph with an input in the place of every parameter. */
function withInputs(graph: Graph): Graph {
  const made = new Map<unknown, readonly Tensor[]>();
  const found = (t: Tensor) => made.get(t.node)![t.result]!;
  for (const node of graph.nodes) {
    const op = (node.op as unknown) === parameterOp ? inputOp : node.op;
    made.set(node, apply(op, node.inputs.map(found), node.attrs as Source));
  }
  return graphOf(graph.outputs.map(({ name, tensor }) => ({ name, tensor: found(tensor) })));
}
