/** Work that need not be done: what is written twice costs once, and what is in memory is not copied. */
import { compile, compileStages } from "../../../compiler/compile.ts";
import type { Graph } from "../../../compiler/graph/graph.ts";
import type { Arg, Ref } from "./known.ts";
import { isLeaf, live, type Program, replaced, traced } from "./program.ts";

/** What memory holds is read from there, whatever its shape: no kernel writes it to scratch again. */
export function copied(graph: Graph): string | undefined {
  const { fusion, rewritten } = compileStages(graph);
  const own = new Set(rewritten.outputs.map(({ tensor }) => tensor));
  for (const { anchor, nodes, reads, writes } of fusion.regions)
    if (anchor.op.name === "reshape" && nodes.length === 1 && !writes.some((t) => own.has(t)))
      return `${reads.map(({ node }) => node.op.name)} is copied to be reshaped`;
  return undefined;
}

export function sameWorkTwice(program: Program): string | undefined {
  if (program.commits.length > 0) return undefined;
  const once = compile(traced(merged(program)));
  const twice = compile(traced(doubled(program)));
  if (twice.steps.length > once.steps.length + program.outputs.length)
    return `written twice, the program takes ${twice.steps.length} kernels instead of ${once.steps.length}`;
  return undefined;
}

/** Equal calls are one statement. */
function merged(program: Program): Program {
  const first = new Map<string, number>();
  const place = new Map<number, number>();
  const own = (r: Ref): Ref => ({ ...r, at: place.get(r.at) ?? r.at });
  const statements = program.statements.map((s, at) => {
    if (isLeaf(s)) return s;
    const one = { op: s.op, args: s.args.map((x) => replaced(x, own) as Arg) };
    const key = JSON.stringify(one, (_k, v) =>
      typeof v === "number" && !Number.isFinite(v) ? String(v) : Object.is(v, -0) ? "-0" : v,
    );
    const before = first.get(key);
    if (before === undefined) first.set(key, at);
    else place.set(at, before);
    return one;
  });
  return { ...program, statements, outputs: program.outputs.map(own) };
}

/** Every call once more, behind the others; the copies' results are added to the outputs. */
function doubled(program: Program): Program {
  const statements = [...program.statements];
  const copy = new Map<number, number>();
  const own = (r: Ref): Ref => ({ ...r, at: copy.get(r.at) ?? r.at });
  for (const at of live(program)) {
    const s = statements[at]!;
    if (isLeaf(s)) continue;
    statements.push({ op: s.op, args: s.args.map((x) => replaced(x, own) as Arg) });
    copy.set(at, statements.length - 1);
  }
  return { ...program, statements, outputs: [...program.outputs, ...program.outputs.map(own)] };
}
