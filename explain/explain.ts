/**
 * One HTML page that shows what the compiler makes of a model: the graph, what melted into what,
 * kernels, work, bytes, memory, and measured times where a device is there.
 */
import { basename } from "node:path";
import { type LoadedModel, traceLoaded } from "../build/load-model.ts";
import { compileStagesAsync } from "../compiler/compile.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Node } from "../compiler/graph/tensor.ts";
import { defaultProfile, deviceProfile, type Profile } from "../compiler/profile.ts";
import { defaultTarget, targetNamed } from "../compiler/targets/find.ts";
import type { Target } from "../compiler/targets/target.ts";
import { InarchError } from "../diagnostics/index.ts";
import { isOwnFile } from "../diagnostics/span.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { everywhere, openDevice } from "../runtime/node/device.ts";
import { deviceWords, type OpenedDevice } from "../runtime/node/opened.ts";
import { gatherFacts, type ProgramFacts } from "./facts.ts";
import { measure } from "./measure.ts";
import { type ExplainedProgram, pageOf } from "./page.ts";
import { type Trace, traceOf } from "./trace.ts";

export interface ExplainRequest {
  readonly loaded: LoadedModel;
  readonly programs: readonly string[];
  readonly dims: Dims;
  /**
   * The limits that are compiled for: those that every device of the target has, or this machine's device's. The
   * target is that of the device which measures; that of WebGPU where none does.
   */
  readonly limits: "default" | "device";
  /** Targets whose text is shown beside that of the plan's. */
  readonly others: readonly Target[];
  /** Whether to measure: `may` leaves times out where no device is there. */
  readonly times: "no" | "may" | "must";
  readonly onProgress?: Progress;
  /** Which device is used, and why. */
  readonly onDevice?: ((words: string) => void) | undefined;
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
 * @throws E400 to E426 where times must be and cannot, or the limits of a device are asked for and there is none; what
 * tracing and compiling throw.
 */
export async function explain(request: ExplainRequest): Promise<Explained> {
  const { onDevice } = request;
  const found = await deviceFor(request);
  if ("reason" in found) return explainOn(request, found);
  try {
    onDevice?.(deviceWords(found));
    return await explainOn(request, found);
  } finally {
    found.device.destroy();
  }
}

type Found = OpenedDevice | { readonly reason: string };

async function deviceFor({ times, limits }: ExplainRequest): Promise<Found> {
  if (times === "no" && limits === "default") return { reason: "--no-device was given" };
  try {
    return await openDevice();
  } catch (error) {
    return reasonOf(error, limits === "device" ? "must" : times);
  }
}

async function explainOn(request: ExplainRequest, found: Found): Promise<Explained> {
  const { loaded, programs, dims } = request;
  const { model, file } = loaded;
  const aim = aimOf(request, found);
  const facts: ProgramFacts[] = [];
  for (const program of programs) facts.push(await factsOf(request, aim, program));
  const explained = await measureAll(request, found, facts);
  const sizes = Object.entries({ ...model.dims, ...dims }).map(([name, size]) => `${name} ${size}`);
  const settings = [
    `Compiled for ${aim.target.title} with the profile “${aim.profile.name}”`,
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

/** What is compiled for. */
interface Aim {
  readonly target: Target;
  readonly profile: Profile;
}

function aimOf({ limits }: ExplainRequest, found: Found): Aim {
  if ("reason" in found) return { target: defaultTarget, profile: defaultProfile };
  const { capabilities, target: name } = found.device;
  const target = targetNamed(name);
  if (limits === "device") return { target, profile: deviceProfile(capabilities) };
  const known = everywhere.find((one) => one.target === name);
  return { target, profile: known ? deviceProfile(known.capabilities) : defaultProfile };
}

async function factsOf(
  { loaded, dims, others, signal }: ExplainRequest,
  { target, profile }: Aim,
  program: string,
) {
  const placeOf = ({ span }: Node) => {
    const at = loaded.file === undefined ? undefined : span.resolve();
    return at && !isOwnFile(at.file) ? `${basename(at.file)}:${at.line}` : undefined;
  };
  const compilation = await compileStagesAsync(traceLoaded(loaded, program, dims), {
    name: `${loaded.model.name}.${program}`,
    target: target.name,
    profile,
    signal,
  });
  const beside = others.filter((other) => other !== target);
  return gatherFacts({ program, compilation, profile, placeOf, others: beside });
}

async function measureAll(
  { times, onProgress }: ExplainRequest,
  found: Found,
  programs: readonly ProgramFacts[],
): Promise<ExplainedProgram[]> {
  const without = (reason: string) => programs.map((facts) => ({ facts, measured: { reason } }));
  if (times === "no") return without("--no-device was given");
  if ("reason" in found) return without(found.reason);
  const explained: ExplainedProgram[] = [];
  for (const facts of programs) {
    const measured = await measure(found.device, facts.plan, onProgress).catch((error: unknown) =>
      reasonOf(error, times),
    );
    explained.push({ facts, measured });
  }
  return explained;
}

/** Why there are no times, in the words of the error; any other error goes on. */
function reasonOf(error: unknown, times: ExplainRequest["times"]): { readonly reason: string } {
  if (times === "must" || !(error instanceof InarchError) || error.kind !== "environment")
    throw error;
  return { reason: error.details.message };
}
