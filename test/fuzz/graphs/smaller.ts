/** Smaller programs: fewer results, calls that become sources, sources that are plainer. */

import { exactly } from "./arithmetic.ts";
import type { Dense } from "./dense.ts";
import type { Arg, Ref } from "./known.ts";
import { evaluate, isLeaf, live, type Program, replaced, type Statement } from "./program.ts";

export function* smallerPrograms(program: Program): Iterable<Program> {
  const { outputs, commits } = program;
  if (outputs.length > 1) for (const r of outputs) yield { ...program, outputs: [r] };
  for (const [i] of commits.entries())
    yield { ...program, commits: commits.filter((_, j) => j !== i) };
  const made = kinds(program);
  const calls = live(program).filter((at) => !isLeaf(program.statements[at]!));
  // An output earlier than the last call cuts away all behind it.
  for (const at of calls)
    if (made.has(at) && outputs[0]!.at !== at)
      yield { ...program, outputs: [{ at, result: 0 }], commits: [] };
  for (const at of calls) {
    const results = made.get(at);
    if (results) yield asSources(program, at, results);
  }
  for (const at of live(program)) {
    const s = program.statements[at]!;
    if (!isLeaf(s)) continue;
    const put = (x: Statement) => ({
      ...program,
      statements: program.statements.map((y, i) => (i === at ? x : y)),
    });
    if (s.source === "parameter") yield put({ ...s, source: "input" });
    if (s.fill === "extreme" || s.fill === "masked") yield put({ ...s, fill: "ordinary" });
  }
}

function kinds(program: Program): ReadonlyMap<number, readonly Dense[]> {
  try {
    return evaluate(program, exactly);
  } catch {
    return new Map();
  }
}

/** A call's results as sources of their own. */
function asSources(program: Program, at: number, results: readonly Dense[]): Program {
  const statements = [...program.statements];
  const first = statements.length;
  const leaves = results.map(
    ({ dtype, shape }, i) =>
      ({ source: "input", dtype, shape, fill: "ordinary", seed: at * 7 + i }) as const,
  );
  // Sources stand where the call stood: statements read only what is before them.
  const order = [...statements.slice(0, at), ...leaves, ...statements.slice(at + 1)];
  const shift = leaves.length - 1;
  const own = (r: Ref): Ref =>
    r.at === at ? { at: at + r.result, result: 0 } : r.at > at ? { ...r, at: r.at + shift } : r;
  if (first === 0) return program;
  return {
    statements: order.map((s) =>
      isLeaf(s) ? s : { op: s.op, args: s.args.map((x) => replaced(x, own) as Arg) },
    ),
    outputs: program.outputs.map(own),
    commits: program.commits.map(([s, r]) => [own({ at: s, result: 0 }).at, own(r)]),
  };
}
