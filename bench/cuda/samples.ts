/** Every op's samples and cases, with the oracles' values. */
import { compile } from "../../compiler/compile.ts";
import type { CompileOptions } from "../../compiler/options.ts";
import { evaluate } from "../../verify/ops/evaluate.ts";
import { findOps } from "../../verify/ops/programs.ts";
import type { Case } from "./cases.ts";
import { caseOf } from "./plans.ts";

/** A way of compiling samples, and how far results may be off, relative to the largest element. */
export interface Way extends Pick<CompileOptions, "profile" | "policy"> {
  readonly name: string;
  readonly tolerance: number;
}

export async function sampleCases(ways: readonly Way[]): Promise<readonly Case[]> {
  const { subjects } = await findOps();
  const cases: Case[] = [];
  for (const { name, examples, claims } of subjects)
    for (const [i, make] of examples.entries()) {
      const { graph, arrays } = make();
      const wanted = await evaluate(graph, arrays);
      for (const { name: way, tolerance, ...options } of ways) {
        const plan = compile(graph, { target: "cuda", ...options });
        const called = `${name}: ${claims[i]} (${way})`;
        cases.push(caseOf({ name: called, plan, given: arrays, wanted, tolerance }));
      }
    }
  return cases;
}
