/**
 * One HTML page that shows what the compiler makes of a model: the graph, what melted into what,
 * kernels, work, bytes, memory, and measured times where a device is there.
 */
import { basename } from "node:path";
import { type LoadedModel, traceLoaded } from "../build/load-model.ts";
import { compileStagesAsync } from "../compiler/compile.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Node } from "../compiler/graph/tensor.ts";
import type { Profile } from "../compiler/profile.ts";
import { defaultTarget } from "../compiler/targets/find.ts";
import type { Target } from "../compiler/targets/target.ts";
import { InarchError } from "../diagnostics/index.ts";
import { isOwnFile } from "../diagnostics/span.ts";
import type { Device, Progress } from "../runtime/devices/device.ts";
import { openDevice } from "../runtime/node/device.ts";
import { gatherFacts, type ProgramFacts } from "./facts.ts";
import { measure } from "./measure.ts";
import { type ExplainedProgram, pageOf } from "./page.ts";
import { type Trace, traceOf } from "./trace.ts";

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
  /** Stops compiling. */
  readonly signal?: AbortSignal | undefined;
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
  const facts: ProgramFacts[] = [];
  for (const program of programs) facts.push(await factsOf(request, program));
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

async function factsOf({ loaded, dims, profile, others, signal }: ExplainRequest, program: string) {
  const placeOf = ({ span }: Node) => {
    const at = loaded.file === undefined ? undefined : span.resolve();
    return at && !isOwnFile(at.file) ? `${basename(at.file)}:${at.line}` : undefined;
  };
  const compilation = await compileStagesAsync(traceLoaded(loaded, program, dims), {
    name: `${loaded.model.name}.${program}`,
    profile,
    signal,
  });
  return gatherFacts({ program, compilation, profile, placeOf, others });
}

async function measureAll(
  { times, onProgress }: ExplainRequest,
  programs: readonly ProgramFacts[],
): Promise<ExplainedProgram[]> {
  const without = (reason: string) => programs.map((facts) => ({ facts, measured: { reason } }));
  if (times === "no") return without("--no-device was given");
  let device: Device | undefined;
  const explained: ExplainedProgram[] = [];
  try {
    ({ device } = await openDevice());
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
