/** `inarch explain MODEL`: one HTML page that shows what the compiler makes of a model. */
import { writeFile } from "node:fs/promises";
import { type ArgsDef, type BooleanArgDef, defineCommand } from "citty";
import { loadModel } from "../build/load-model.ts";
import { defaultTarget, targets } from "../compiler/targets/find.ts";
import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import { explain } from "../explain/explain.ts";
import type { ExplainedProgram } from "../explain/page.ts";
import { formatCount, formatTime } from "../explain/quantities.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { limitsFlag, profileOf } from "./arguments/limits.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";

/** A switch for each target but the one that is compiled for. */
const others = targets.filter((target) => target !== defaultTarget);
const otherFlags: Readonly<Record<string, BooleanArgDef>> = Object.fromEntries(
  others.map(({ name, title }) => [
    name,
    { type: "boolean", default: false, description: `show each kernel's ${title} too` },
  ]),
);

const args = {
  ...modelArguments,
  limits: limitsFlag,
  output: {
    type: "string",
    alias: "o",
    valueHint: "FILE.html",
    description: "the page to write, MODEL.explain.html unless told; -o for short",
  },
  ...otherFlags,
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
  json: { type: "boolean", default: false, description: "print the summary as JSON" },
} satisfies ArgsDef;

export const explainCommand = defineCommand({
  meta: {
    name: "explain",
    description: "write a page that shows what the compiler makes of a model",
  },
  args,
  async run({ args: given, rawArgs }) {
    if (given.trace !== undefined && !given.device)
      throw diagnose("E503", {
        message: "--trace writes what was measured, but --no-device forbids to measure",
        where: "inarch explain",
        help: "leave one of the two out",
      });
    const loaded = await loadModel(given.model, { config: given.config });
    const output = given.output ?? `${fileName(loaded.model.name)}.explain.html`;
    const progress = openProgress(progressStyle(given.json));
    try {
      const explained = await explain({
        loaded,
        programs: programsOf(loaded.model, repeated(rawArgs, "program", args)),
        dims: parseDims(repeated(rawArgs, "dim", args)),
        profile: await profileOf(given.limits),
        others: others.filter(({ name }) => Boolean(given[name])),
        times: given.trace !== undefined ? "must" : given.device ? "may" : "no",
        onProgress: progress.report,
      });
      await writeFile(output, explained.page);
      if (given.trace !== undefined)
        await writeFile(given.trace, `${JSON.stringify(explained.trace)}\n`);
      progress.end();
      const summary = summarise(explained.programs);
      const report = { model: loaded.model.name, output, trace: given.trace, programs: summary };
      process.stdout.write(
        given.json
          ? `${JSON.stringify(report, null, 2)}\n`
          : describe(output, given.trace, summary),
      );
    } finally {
      progress.end();
    }
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

function describe(
  output: string,
  trace: string | undefined,
  programs: Readonly<Record<string, Summary>>,
): string {
  const lines = Object.entries(programs).map(([program, s]) => {
    const time = s.milliseconds === undefined ? "not measured" : formatTime(s.milliseconds);
    return `${program}: ${s.dispatches} dispatches of ${s.kernels} kernels, ${formatCount(s.multiplications)} multiplications, ${formatBytes(s.bytes)} moved, ${formatBytes(s.arena)} of scratch memory, ${time}`;
  });
  const written = trace === undefined ? output : `${output} and ${trace}`;
  return `${[...lines, `written: ${written}`].join("\n")}\n`;
}
