/** Runs graphs on the reference device, and by oracles alone, from plain arrays. */
import { compile } from "../../compiler/compile.ts";
import type { Policy } from "../../compiler/fuse/region.ts";
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import { inputOp, type Source } from "../../compiler/graph/sources.ts";
import { apply, type Node, Tensor } from "../../compiler/graph/tensor.ts";
import type { KernelOp } from "../../compiler/op-kit.ts";
import { defaultProfile, type Profile } from "../../compiler/profile.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";

export type Arrays = Readonly<Record<string, readonly number[] | Float64Array>>;
export type Results = Record<string, number[]>;

export interface RunOptions {
  readonly policy?: Policy;
  readonly precision?: "single" | "double";
  readonly profile?: Profile;
}

/** Compiles a graph for the reference device and runs it there. Parameters are given as inputs. */
export async function runOnReference(
  graph: Graph,
  inputs: Arrays,
  { policy = "fused", precision = "single", profile = defaultProfile }: RunOptions = {},
): Promise<Results> {
  const plan = compile(graph, { target: "reference", policy, profile });
  const session = await createSession(plan, referenceDevice({ precision }));
  const doubles = Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => [name, Float64Array.from(values)]),
  );
  const results = await session.run(
    Object.fromEntries(
      plan.inputs.map((t) => [
        t.name,
        t.dtype === "f32" ? doubles[t.name]! : [...doubles[t.name]!],
      ]),
    ),
  );
  return Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
}

/**
 * Evaluates a graph node by node in double precision: anchors by their oracles, element ops one
 * node at a time on the reference device. Nothing is fused, no kernel of an anchor is used.
 */
export async function evaluate(graph: Graph, inputs: Arrays): Promise<Results> {
  const known = new Map<Tensor, Float64Array>();
  const numbersOf = (t: Tensor) =>
    [...known].find(([k]) => k.node === t.node && k.result === t.result)![1];
  for (const node of graph.nodes) {
    const tensors = node.types.map((_, i) => new Tensor(node, i));
    const values = await evaluateNode(node, node.inputs.map(numbersOf), inputs);
    tensors.forEach((t, i) => {
      known.set(t, values[i]!);
    });
  }
  return Object.fromEntries(graph.outputs.map((o) => [o.name, [...numbersOf(o.tensor)]]));
}

async function evaluateNode(
  node: Node,
  values: readonly Float64Array[],
  inputs: Arrays,
): Promise<readonly Float64Array[]> {
  const { op } = node;
  switch (op.kind) {
    case "input":
    case "parameter":
    case "state":
      return [Float64Array.from(inputs[(node.attrs as Source).name]!)];
    case "kernel": {
      const dense = node.inputs.map((x, i) => ({ shape: x.shape, data: values[i]! }));
      return (op as KernelOp).oracle(dense, node.attrs, node.types);
    }
    case "element": {
      const sources = node.inputs.map(
        (x, i) => apply(inputOp, [], { name: `x${i}`, type: x.type })[0]!,
      );
      const y = apply(op, sources, node.attrs)[0]!;
      const named = Object.fromEntries(values.map((v, i) => [`x${i}`, v]));
      const one = graphOf([{ name: "y", tensor: y }]);
      return [Float64Array.from((await runOnReference(one, named, { precision: "double" })).y!)];
    }
  }
}

/** Values that repeat from run to run, uniform in a range. */
export function randomNumbers(count: number, seed: number, [low, high] = [-1, 1]): number[] {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return low! + (((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * (high! - low!);
  });
}

/** ||a - b|| / ||b||, or ||a - b|| where b is zero. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(difference) / (size === 0 ? 1 : Math.sqrt(size));
}
