/** `inarch explain MODEL`: one HTML page that shows what the compiler makes of a model. */

import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { ExplainedProgram } from "../explain/page.ts";
import { defineCommand, type Switch } from "./arguments/command.ts";
import { parseDims } from "./arguments/dims.ts";
import { limitsFlag } from "./arguments/limits.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";

async function allTargets() {
  const { targets } = await import("../compiler/targets/find.ts");
  return targets;
}

const args = {
  ...modelArguments,
  limits: limitsFlag,
  output: {
    type: "string",
    letter: "o",
    valueHint: "FILE.html",
    description: "the page to write, MODEL.explain.html unless told; -o for short",
  },
  device: {
    type: "boolean",
    default: true,
    description: "measure each step on this machine's device; --no-device leaves that out",
  },
  trace: {
    type: "string",
    valueHint: "FILE.json",
    description: "also write the measured steps as a Chrome trace, for Perfetto",
  },
} as const;

export const command = defineCommand({
  description: "write a page that shows what the compiler makes of a model, with measured times",
  async args() {
    const others = (await allTargets()).map(({ name, title }): [string, Switch] => [
      name,
      { type: "boolean", description: `show each kernel's ${title} too` },
    ]);
    return { ...args, ...Object.fromEntries(others) };
  },
  async run(given, { progress }) {
    if (given.trace !== undefined && !given.device)
      throw diagnose("E503", {
        message: "--trace writes what was measured, but --no-device forbids to measure",
        where: "inarch explain",
        help: "leave one of the two out",
      });
    const { explain } = await import("../explain/explain.ts");
    const loaded = await modelOf(given);
    const { output = `${fileName(loaded.model.name)}.explain.html`, trace } = given;
    const switches: Readonly<Record<string, unknown>> = given;
    const explained = await explain({
      loaded,
      programs: await programsOf(loaded.model, given.program),
      dims: parseDims(given.dim),
      limits: given.limits,
      others: (await allTargets()).filter(({ name }) => switches[name] === true),
      times: trace !== undefined ? "must" : given.device ? "may" : "no",
      onProgress: progress.report,
      onDevice: (words) => progress.note(`on ${words}`),
    });
    const { saveTo } = await import("../runtime/node/save.ts");
    await saveTo(output, explained.page);
    if (trace !== undefined) await saveTo(trace, `${JSON.stringify(explained.trace)}\n`);
    const programs = summarise(explained.programs);
    return {
      report: { model: loaded.model.name, output, trace, programs },
      text: await describe(output, trace, programs),
    };
  },
});

/** A model's name as a file's, whatever it holds. */
const fileName = (model: string): string => model.replace(/[^\w-]+/g, "-").slice(0, 80) || "model";

interface Summary {
  readonly dispatches: number;
  readonly kernels: number;
  readonly multiplications: number;
  readonly bytes: number;
  readonly arena: number;
  readonly arenaLowerBound: number;
  /** Undefined where nothing was measured. */
  readonly milliseconds: number | undefined;
}

const summarise = (programs: readonly ExplainedProgram[]): Readonly<Record<string, Summary>> =>
  Object.fromEntries(
    programs.map(({ facts, measured }) => {
      const { work, kernels, arena } = facts;
      const { dispatches, multiplications, bytes } = work;
      const milliseconds =
        "steps" in measured ? measured.steps.reduce((a, b) => a + b, 0) : undefined;
      const memory = { arena: arena.bytes, arenaLowerBound: arena.lowerBound };
      const counted = { dispatches, kernels: kernels.length, multiplications, bytes };
      return [facts.program, { ...counted, ...memory, milliseconds }];
    }),
  );

async function describe(
  output: string,
  trace: string | undefined,
  programs: Readonly<Record<string, Summary>>,
): Promise<string> {
  const { formatCount, formatTime } = await import("../explain/quantities.ts");
  const lines = Object.entries(programs).map(([program, s]) => {
    const time = s.milliseconds === undefined ? "not measured" : formatTime(s.milliseconds);
    return `${program}: ${s.dispatches} dispatches of ${s.kernels} kernels, ${formatCount(s.multiplications)} multiplications, ${formatBytes(s.bytes)} moved, ${formatBytes(s.arena)} of scratch memory, ${time}`;
  });
  const written = trace === undefined ? output : `${output} and ${trace}`;
  return `${[...lines, `written: ${written}`].join("\n")}\n`;
}
