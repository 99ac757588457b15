/** Runs adapted graphs in double precision, and compares their derivatives with differences. */
import { expect } from "vitest";
import { inputOp, parameterOp, type Source } from "../../compiler/graph/sources.ts";
import {
  type Adapter,
  apply,
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
import { add, full, mul, sum } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { type Arrays, type Results, randomNumbers } from "../../verify/ops/evaluate.ts";

/** A scope with an adapter everywhere, whose noise is given: inputs `noise.PATH.NAME`. */
export const scopeWith = (adapter: Adapter, training = false): Scope =>
  emptyScope({
    bindings: [{ adapter, where: ["**"], train: [] }],
    training,
    random: (_distribution, name, shape) => input(`noise.${name}`, "f32", shape),
  });

/** Compiles a graph once, to be run with several values. Parameters are given as inputs. */
export async function openGraph(graph: Graph): Promise<(given: Arrays) => Promise<Results>> {
  const plan = compile(withInputs(graph), { target: "reference", profile: narrow });
  const session = await createSession(plan, referenceDevice({ precision: "double" }));
  return async (given) => {
    const arrays = plan.inputs.map((t) => [t.name, Float64Array.from(given[t.name]!)] as const);
    const results = await session.run(Object.fromEntries(arrays));
    return Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
  };
}

/** Subgroups of eight: these graphs are small, and wide workgroups would mostly idle. */
export const narrow: Profile = { ...defaultProfile, name: "subgroups", subgroup: 8 };

/** Random values for every input and parameter of a graph. */
export const randomArrays = (graph: Graph): Record<string, number[]> =>
  Object.fromEntries(
    [...inputsOf(graph), ...parametersOf(graph)].map(({ name, type }, i) => {
      const count = (type.shape as number[]).reduce((a, b) => a * b, 1);
      // Noise that is uniform lies between 0 and 1; for what is normal that is as good as any.
      return [name, randomNumbers(count, 100 + i, name.startsWith("noise.") ? [0, 1] : [-1, 1])];
    }),
  );

/**
 * The derivative of a program's results and terms along one direction of the adapter's parameters
 * (and others that `also` picks): by vjp, and by central differences.
 */
export async function checkAdapterDerivative(
  adapter: Adapter,
  program: (p: Parameters) => readonly Tensor<"f32">[],
  arrays: (graph: Graph) => Arrays = randomArrays,
  also: (path: string) => boolean = () => false,
): Promise<void> {
  const scope = scopeWith(adapter, true);
  const names: string[] = [];
  const graph = trace(
    (p) => {
      const results = [...program(p), ...[...scope.terms.values()].flat()];
      const loss = results.map(weighted).reduce((a, b) => add(a, b));
      const all = parametersOf(graphOf([{ name: "loss", tensor: loss }]));
      const trained = all.filter(({ name }) => scope.grafted.get(name) || also(name));
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
  expect(names.length).toBeGreaterThan(0);
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
  expect(length).toBeGreaterThan(0);
  if (!(Math.abs(numeric - exact) <= 1e-5 * length + 1e-7))
    expect.fail(`the derivative is ${exact}, but differences give ${numeric}`);
}

/** The sum of a tensor's elements, each with a weight of its own. */
function weighted(x: Tensor<"f32">, index: number): Tensor<"f32"> {
  return sum(
    mul(x, input(`cotangent.${index}`, "f32", x.shape as readonly number[])),
  ) as Tensor<"f32">;
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
