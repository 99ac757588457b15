/**
 * A program as data: statements, of which each is a source or a call of an op, and what is returned.
 * It is traced with inarch, evaluated by the oracle, and printed as code to paste into a test.
 */
import { type Graph, trace } from "../../../compiler/graph/graph.ts";
import type { Parameters } from "../../../compiler/graph/parameters.ts";
import { input, state } from "../../../compiler/graph/sources.ts";
import { Tensor } from "../../../compiler/graph/tensor.ts";
import * as ops from "../../../ops/index.ts";
import type { Arithmetic } from "./arithmetic.ts";
import type { Dense } from "./dense.ts";
import { type Arg, type Fill, isRef, type Kind, type Ref } from "./known.ts";
import { table } from "./table.ts";
import { valuesOf } from "./values.ts";

export interface Leaf extends Kind {
  readonly source: "input" | "parameter" | "state";
  readonly fill: Fill;
  readonly seed: number;
}

export interface Call {
  readonly op: string;
  readonly args: readonly Arg[];
}

export type Statement = Leaf | Call;

export interface Program {
  readonly statements: readonly Statement[];
  /** What is returned, and for each state that is written what is written to it. */
  readonly outputs: readonly Ref[];
  readonly commits: readonly (readonly [state: number, value: Ref])[];
}

export const isLeaf = (s: Statement): s is Leaf => "source" in s;

export const nameOf = (statement: Statement, at: number): string =>
  isLeaf(statement)
    ? `${{ input: "x", parameter: "w", state: "s" }[statement.source]}${at}`
    : `v${at}`;

export function refsIn(arg: unknown): Ref[] {
  if (isRef(arg)) return [arg];
  if (Array.isArray(arg)) return arg.flatMap(refsIn);
  return typeof arg === "object" && arg !== null ? Object.values(arg).flatMap(refsIn) : [];
}

const refsOf = (s: Statement): Ref[] => (isLeaf(s) ? [] : s.args.flatMap(refsIn));

/** The statements that the results need, in order. Written states are declared, read or not. */
export function live({ statements, outputs, commits }: Program): number[] {
  const needed = new Set<number>(commits.map(([at]) => at));
  const stack = [...outputs, ...commits.map(([, value]) => value)].map((r) => r.at);
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (needed.has(at) && isLeaf(statements[at]!)) continue;
    needed.add(at);
    for (const r of refsOf(statements[at]!)) stack.push(r.at);
  }
  return [...needed].sort((a, b) => a - b);
}

/** An argument with something else in the place of each reference. */
export function replaced<T>(arg: Arg, of: (ref: Ref) => T): unknown {
  if (isRef(arg)) return of(arg);
  if (Array.isArray(arg)) return arg.map((x: Arg) => replaced(x, of));
  if (typeof arg !== "object" || arg === null) return arg;
  return Object.fromEntries(Object.entries(arg).map(([k, x]) => [k, replaced(x as Arg, of)]));
}

/** A call's results: ops return one tensor, a list, or an object of tensors. */
export const resultsOf = (y: unknown): Tensor[] =>
  y instanceof Tensor ? [y] : (Object.values(y as object) as Tensor[]);

export type Calls = Readonly<Record<string, (...args: unknown[]) => unknown>>;

export const called = ops as unknown as Calls;

const declared = (p: Parameters, leaf: Leaf, name: string): Tensor => {
  const { dtype, shape } = leaf;
  if (leaf.source === "parameter") return p.f32(name, shape) as Tensor;
  const made = leaf.source === "input" ? input : state;
  return made(name, dtype, shape) as unknown as Tensor;
};

/** The tensors of every live statement; `p` makes parameters. */
export function build(program: Program, p: Parameters): Map<number, Tensor[]> {
  const made = new Map<number, Tensor[]>();
  for (const at of live(program)) {
    const s = program.statements[at]!;
    const find = (r: Ref) => made.get(r.at)![r.result]!;
    made.set(
      at,
      isLeaf(s)
        ? [declared(p, s, nameOf(s, at))]
        : resultsOf(called[s.op]!(...s.args.map((x) => replaced(x, find)))),
    );
  }
  return made;
}

export const traced = (program: Program): Graph =>
  trace((p) => {
    const made = build(program, p);
    const find = (r: Ref) => made.get(r.at)![r.result]!;
    return {
      ...Object.fromEntries(program.outputs.map((r, i) => [`y${i}`, find(r)])),
      ...Object.fromEntries(
        program.commits.map(([at, value]) => [nameOf(program.statements[at]!, at), find(value)]),
      ),
    };
  }, {});

export type Held = ReadonlyMap<number, readonly Dense[]>;

/**
 * The values of every live statement. `given` holds sources that are not as they begin; `still` what
 * ops gave that no derivative goes through.
 */
export function evaluate(
  program: Program,
  f: Arithmetic,
  given: Held = new Map(),
  still?: Held,
): Map<number, readonly Dense[]> {
  const made = new Map<number, readonly Dense[]>();
  for (const at of live(program)) {
    const s = program.statements[at]!;
    if (isLeaf(s)) {
      const [x] = given.get(at) ?? [valuesOf(s)];
      const data = x!.dtype === "f32" ? x!.data.map(f.stored) : x!.data;
      made.set(at, [{ ...x!, data }]);
      continue;
    }
    const { plain, still: isStill = false } = table[s.op]!;
    const find = (r: Ref) => made.get(r.at)![r.result]!;
    const args = s.args.map((x) => replaced(x, find));
    const own = (typeof isStill === "function" ? isStill(args) : isStill) && still?.get(at);
    made.set(at, own || plain(f, args));
  }
  return made;
}

/** The program as code. */
export function show(program: Program): string {
  const { statements } = program;
  const own = live(program);
  const used = new Map<number, number>();
  for (const r of [
    ...own.flatMap((at) => refsOf(statements[at]!)),
    ...program.outputs,
    ...program.commits.map(([, r]) => r),
  ])
    used.set(r.at, Math.max(used.get(r.at) ?? 0, r.result));
  const several = (at: number) =>
    isLeaf(statements[at]!) ? false : (used.get(at) ?? 0) > 0 || isMany(statements[at] as Call);
  const ref = (r: Ref) =>
    `${nameOf(statements[r.at]!, r.at)}${several(r.at) ? `[${r.result}]` : ""}`;
  const text = (x: unknown): string => {
    if (isRef(x)) return ref(x);
    if (Array.isArray(x)) return `[${x.map(text).join(", ")}]`;
    if (typeof x === "object" && x !== null)
      return `{ ${Object.entries(x)
        .map(([k, v]) => `${k}: ${text(v)}`)
        .join(", ")} }`;
    return Object.is(x, -0) ? "-0" : typeof x === "string" ? JSON.stringify(x) : String(x);
  };
  const line = (at: number) => {
    const s = statements[at]!;
    const name = nameOf(s, at);
    if (!isLeaf(s)) {
      const call = `${s.op}(${s.args.map(text).join(", ")})`;
      return `const ${name} = ${several(at) ? `Object.values(${call})` : call};`;
    }
    const { data } = valuesOf(s);
    const held =
      data.length <= 12
        ? `[${[...data].map(text).join(", ")}]`
        : `${s.fill} numbers, seed ${s.seed}`;
    const made =
      s.source === "parameter"
        ? `p.f32("${name}", ${text(s.shape)})`
        : `${s.source}("${name}", "${s.dtype}", ${text(s.shape)})`;
    return `const ${name} = ${made}; // ${held}`;
  };
  const returned = [
    ...program.outputs.map((r, i) => `y${i}: ${ref(r)}`),
    ...program.commits.map(([at, r]) => `${nameOf(statements[at]!, at)}: ${ref(r)}`),
  ];
  return [...own.map(line), `return { ${returned.join(", ")} };`].join("\n");
}

const isMany = ({ op }: Call) =>
  ["topK", "assignment", "computeTogether", "attentionWithStatistics"].includes(op);
