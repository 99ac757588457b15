/**
 * Finds every op and makes its samples and cases programs with inputs.
 * A file in ops/ is an op (`op`, and `adjoint` where two ops are each other's derivative), a
 * composition (`tests`), or part of one; anything else is reported.
 */
import { readdirSync } from "node:fs";
import { extname } from "node:path";
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { elements, type Tensor, type Type } from "../../compiler/graph/tensor.ts";
import type { ElementOp, Op, Tests } from "../../compiler/op-kit.ts";
import type { Case, Nested, Sample, SampleTensor } from "../../compiler/sample.ts";
import { type Arrays, randomNumbers } from "./evaluate.ts";

/** A program of an op with its inputs, and what it gives where that is known. */
export interface Example {
  readonly claim: string;
  readonly smooth: boolean;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly graph: Graph;
  readonly arrays: Arrays;
  /** Types and values of a literal sample's results. */
  readonly known?: readonly { readonly type: Type; readonly values: readonly number[] }[];
}

export interface Subject {
  /** The file without its ending, and which of its ops where it has two. */
  readonly name: string;
  /** Undefined for compositions. */
  readonly op: Op | undefined;
  readonly examples: readonly (() => Example)[];
  readonly claims: readonly string[];
}

export interface OpFile {
  readonly op?: Op;
  readonly adjoint?: Op;
  readonly tests?: Tests;
}

/** What ops/ holds. */
export interface Ops {
  readonly subjects: readonly Subject[];
  /** Files that are none of what a file in ops/ may be. */
  readonly strangers: readonly string[];
}

/** Reads the folder ops/ beside this one: sources in a checkout, or what they were compiled to. */
export async function findOps(): Promise<Ops> {
  const folder = new URL("../../ops/", import.meta.url);
  const ending = extname(import.meta.url);
  const paths = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(new URL(`${name}/`, folder))
        .filter((file) => file.endsWith(ending) && !file.endsWith(`.d${ending}`))
        .map((file) => `${name}/${file}`),
    )
    .sort();
  const files = new Map<string, OpFile>();
  for (const path of paths) files.set(path, await import(new URL(path, folder).href));
  return { subjects: subjectsOf(files), strangers: strangersOf(files) };
}

export type OpFiles = ReadonlyMap<string, OpFile>;

const stem = (path: string) => path.replace(/^.*\//, "").replace(/\.[jt]s$/, "");

/** Files that hold no op by design: how ops are made. */
const machinery: ReadonlySet<string> = new Set([
  ...["elementwise", "axes", "line-kernel", "line-forms", "line-sharing"],
]);

/** Ops and compositions of files, each with its samples as programs. */
export const subjectsOf = (files: OpFiles): readonly Subject[] =>
  [...files].flatMap(([path, { op, adjoint, tests }]) => {
    const name = stem(path);
    return [
      ...(op ? [subjectOf(name, op, testsOf(op))] : []),
      ...(adjoint ? [subjectOf(`${name}: ${adjoint.name}`, adjoint, testsOf(adjoint))] : []),
      ...(tests ? [subjectOf(name, undefined, tests)] : []),
    ];
  });

function strangersOf(files: OpFiles): readonly string[] {
  const names = new Set([...files.keys()].map(stem));
  /** matmul/tiled.ts is part of matmul, convolution/scaled-convolution-axis.ts of scaled-convolution. */
  const isPart = (path: string) =>
    names.has(path.split("/").at(-2)!) ||
    stem(path)
      .split("-")
      .some((_, i, words) => i > 0 && names.has(words.slice(0, i).join("-")));
  return [...files]
    .filter(([path, { op, tests }]) => !(op || tests || machinery.has(stem(path)) || isPart(path)))
    .map(([path]) => path);
}

function testsOf(op: Op): Tests | undefined {
  return (op as Partial<ElementOp>).tests;
}

/** An op, or a composition where `op` is undefined, with its samples as programs. */
export function subjectOf(name: string, op: Op | undefined, tests: Tests | undefined): Subject {
  const { samples = [], cases = [] } = tests ?? {};
  return {
    name,
    op,
    claims: [
      ...samples.map((s, i) => s.claim ?? `sample ${i + 1}`),
      ...cases.map((c) => `at random: ${c.claim}`),
    ],
    examples: [
      ...samples.map((s) => () => fromSample(s)),
      ...cases.map((c, i) => () => fromCase(c, i + 1)),
    ],
  };
}

function fromSample(sample: Sample): Example {
  const given = sample.inputs.map(literalOf);
  return {
    ...program(
      given.map((g) => g.type),
      given.map((g) => g.values),
      sample.call,
    ),
    claim: sample.claim ?? "",
    // Literal inputs like to stand on corners, where there is no derivative.
    smooth: false,
    known: sample.outputs.map(literalOf),
  };
}

function fromCase({ claim, inputs, call, smooth }: Case, seed: number): Example {
  const types = inputs.map(({ shape, dtype = "f32" }): Type => ({ dtype, shape }));
  const values = inputs.map(({ range = [-1, 1] }, i) => {
    const { dtype, shape } = types[i]!;
    const count = elements(shape);
    const [low, high] = range;
    if (dtype === "f32") return randomNumbers(count, 100 * seed + i, [low, high]);
    if (dtype === "bool") return randomNumbers(count, 100 * seed + i, [0, 2]).map(Math.floor);
    return randomNumbers(count, 100 * seed + i, [low, high + 1]).map(Math.floor);
  });
  return { ...program(types, values, call), claim, smooth };
}

function program(
  types: readonly Type[],
  values: readonly (readonly number[])[],
  call: Sample["call"],
): Pick<Example, "inputs" | "outputs" | "graph" | "arrays"> {
  const inputs: Tensor[] = types.map((t, i) => input(`x${i}`, t.dtype, t.shape));
  const result = call(...inputs);
  const outputs: readonly Tensor[] = Array.isArray(result) ? result : [result];
  const graph = graphOf(outputs.map((tensor, i) => ({ name: `y${i}`, tensor })));
  const arrays = Object.fromEntries(values.map((v, i) => [`x${i}`, v]));
  return { inputs, outputs, graph, arrays };
}

function literalOf(x: SampleTensor): { type: Type; values: readonly number[] } {
  const typed = typeof x === "object" && "dtype" in x;
  const data: Nested = typed ? x.data : (x as Nested);
  return {
    type: { dtype: typed ? x.dtype : "f32", shape: shapeOf(data) },
    values: flat(data),
  };
}

const shapeOf = (data: Nested): number[] =>
  typeof data === "number" ? [] : [data.length, ...shapeOf(data[0]!)];

const flat = (data: Nested): number[] => (typeof data === "number" ? [data] : data.flatMap(flat));
