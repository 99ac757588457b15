/** The forms of an op that is a tile program: one for each lowering. */
import type { Form, KernelSite, Problem } from "../op.ts";
import type { Sizes, Work } from "./lowering.ts";
import { lowerings } from "./lowerings.ts";
import type { TileProgram } from "./program.ts";

/** An op's tile program, whoever computes its tiles. */
export interface Programmed<A> {
  work(problem: Problem<A>): Work;
  /** How often the program with these sizes reads each element of an input. */
  reads(sizes: Sizes, input: number, problem: Problem<A>): number;
  program(site: KernelSite<A>, sizes: Sizes): TileProgram;
  /** Whether an input is a matrix that is nothing but a right operand. */
  isRight?(input: number, problem: Problem<A>): boolean;
}

export const tileForms = <A>(of: Programmed<A>): readonly Form<A>[] =>
  lowerings.map(({ blockings, ...asked }) => ({
    ...asked,
    variants: (problem) =>
      blockings(of.work(problem), problem.profile).map(({ tile, sizes, panel, lower }) => ({
        ...{ form: asked.name, tile },
        reads: (input) => of.reads(sizes, input, problem),
        panel: (input) => (of.isRight?.(input, problem) ? panel : undefined),
        kernel(ports) {
          const sized = (s: Sizes) => of.program({ ...problem, ...ports }, s);
          return lower(ports.k, sized(sizes), sized);
        },
      })),
  }));
