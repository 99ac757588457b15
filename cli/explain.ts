/**
 * `inarch explain MODEL`: one HTML page that shows what the compiler makes of a model: the graph,
 * what melted into what, kernels, work, bytes, memory, and measured times where a device is there.
 */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type ArgsDef, type BooleanArgDef, defineCommand } from "citty";
import { type LoadedModel, loadModel, traceLoaded } from "../build/load-model.ts";
import { compileStages } from "../compiler/compile.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Node } from "../compiler/graph/tensor.ts";
import type { Profile } from "../compiler/profile.ts";
import { defaultTarget, targets } from "../compiler/targets/find.ts";
import type { Target } from "../compiler/targets/target.ts";
import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose, InarchError } from "../diagnostics/index.ts";
import { isOwnFile } from "../diagnostics/span.ts";
import { gatherFacts } from "../explain/facts.ts";
import { measure } from "../explain/measure.ts";
import { type ExplainedProgram, pageOf } from "../explain/page.ts";
import { formatCount, formatTime } from "../explain/quantities.ts";
import { type Trace, traceOf } from "../explain/trace.ts";
import type { Device, Progress } from "../runtime/devices/device.ts";
import { openDevice } from "./arguments/device.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { limitsFlag, profileOf } from "./arguments/limits.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";
import { openProgress, progressStyle } from "./progress.ts";

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

export interface ExplainRequest {
  readonly loaded: LoadedModel;
  readonly programs: readonly string[];
  readonly dims: Dims;
  readonly profile: Profile;
  /** Targets whose text is shown beside that of the plan's. */
  readonly others: readonly Target[];
  /** Whether to measure: `may` leaves times out where no device is there. */
  readonly times: "no" | "may" | "must";
  readonly onProgress?: Progress;
}

export interface Explained {
  /** The HTML page. */
  readonly page: string;
  /** Of the programs that were measured. */
  readonly trace: Trace;
  readonly programs: readonly ExplainedProgram[];
}

/**
 * Compiles programs, measures them and writes the page.
 * @throws E400 to E426 where times must be and cannot; what tracing and compiling throw.
 */
export async function explain(request: ExplainRequest): Promise<Explained> {
  const { loaded, programs, profile, dims } = request;
  const { model, file } = loaded;
  const facts = programs.map((program) => factsOf(request, program));
  const explained = await measureAll(request, facts);
  const sizes = Object.entries({ ...model.dims, ...dims }).map(([name, size]) => `${name} ${size}`);
  const settings = [
    `Compiled for ${defaultTarget.title} with the profile “${profile.name}”`,
    ...(sizes.length > 0 ? [`dims: ${sizes.join(", ")}`] : []),
    ...(file === undefined ? [] : [`from ${basename(file)}`]),
  ];
  const trace = traceOf(
    model.name,
    explained.flatMap(({ facts, measured }) => ("steps" in measured ? [{ facts, measured }] : [])),
  );
  const text = `${settings.join("; ")}.`;
  const page = pageOf({ model: model.name, doc: model.doc, settings: text, programs: explained });
  return { page, trace, programs: explained };
}

function factsOf({ loaded, dims, profile, others }: ExplainRequest, program: string) {
  const placeOf = ({ span }: Node) => {
    const at = loaded.file === undefined ? undefined : span.resolve();
    return at && !isOwnFile(at.file) ? `${basename(at.file)}:${at.line}` : undefined;
  };
  const compilation = compileStages(traceLoaded(loaded, program, dims), {
    name: `${loaded.model.name}.${program}`,
    profile,
  });
  return gatherFacts({ program, compilation, profile, placeOf, others });
}

async function measureAll(
  { times, onProgress }: ExplainRequest,
  programs: readonly ReturnType<typeof factsOf>[],
): Promise<ExplainedProgram[]> {
  const without = (reason: string) => programs.map((facts) => ({ facts, measured: { reason } }));
  if (times === "no") return without("--no-device was given");
  let device: Device | undefined;
  const explained: ExplainedProgram[] = [];
  try {
    device = await openDevice("webgpu");
    for (const facts of programs) {
      const measured = await measure(device, facts.plan, onProgress).catch((error: unknown) =>
        reasonOf(error, times),
      );
      explained.push({ facts, measured });
    }
    return explained;
  } catch (error) {
    return without(reasonOf(error, times).reason);
  } finally {
    device?.destroy();
  }
}

/** Why there are no times, in the words of the error; any other error goes on. */
function reasonOf(error: unknown, times: ExplainRequest["times"]): { readonly reason: string } {
  if (times === "must" || !(error instanceof InarchError) || error.kind !== "environment")
    throw error;
  return { reason: error.details.message };
}

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
