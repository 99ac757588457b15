/** The kernels of a folder for CUDA: one file of PTX for all programs, and what ptxas makes of it for each architecture. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Plan, PlanKernel } from "../compiler/plan.ts";
import { bug } from "../diagnostics/index.ts";
import { kernelText, type Progress } from "../runtime/devices/device.ts";
import { saveTo } from "../runtime/node/save.ts";

/** Of every kind of GPU since 2020: what is assembled for one runs on those of its number alone. */
export const architectures = ["sm_80", "sm_86", "sm_89", "sm_90a", "sm_120"] as const;

export interface PtxModule {
  readonly text: string;
  /** The name that a kernel of one of the plans has in the text. */
  entryOf(kernel: PlanKernel): string;
}

/** Kernels of equal text stand there once; of other kernels with an equal name the second gets a number. */
export function ptxModule(plans: Iterable<Plan>): PtxModule {
  /** Lines that all kernels begin with, or some. */
  const heads = new Set<string>();
  const bodies: string[] = [];
  /** By text. */
  const entries = new Map<string, string>();
  const used = new Set<string>();
  for (const { kernels } of plans)
    for (const kernel of kernels) {
      const text = kernelText(kernel);
      if (entries.has(text)) continue;
      let entry = kernel.entry;
      for (let i = 2; used.has(entry); i++) entry = `${kernel.entry}_${i}`;
      used.add(entry);
      entries.set(text, entry);
      const start = text.indexOf(".visible");
      for (const line of text.slice(0, start).trimEnd().split("\n")) heads.add(line);
      bodies.push(text.slice(start).replace(` ${kernel.entry}(`, ` ${entry}(`));
    }
  const directives = new Set([...heads].map((line) => line.split(" ")[0]));
  if (directives.size < heads.size)
    bug(`kernels of one file begin otherwise: ${[...heads].join("; ")}`);
  return {
    text: [...[...heads].map((line) => `${line}\n`), ...bodies].join(""),
    entryOf: (kernel) => entries.get(kernelText(kernel)) ?? bug(`${kernel.name} is in no plan`),
  };
}

export interface Cubins {
  /** By architecture. */
  readonly made: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Why there is none, by architecture. */
  readonly without: Readonly<Record<string, string>>;
}

/** Assembles a text for all architectures, two at a time. */
export async function assemble(
  text: string,
  onProgress: Progress,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Cubins> {
  const ptxas = findPtxas(env);
  if (ptxas === undefined) {
    const reason = "there is no ptxas, which comes with CUDA's nvcc, in PATH or in CUDA_HOME/bin";
    const without = Object.fromEntries(architectures.map((name) => [name, reason]));
    return { made: new Map(), without };
  }
  const folder = await mkdtemp(join(tmpdir(), "inarch-ptxas-"));
  try {
    const source = join(folder, "kernels.ptx");
    await saveTo(source, text);
    const made = new Map<string, Uint8Array<ArrayBuffer>>();
    const without: Record<string, string> = {};
    const waiting = [...architectures];
    let done = 0;
    const work = async () => {
      for (let name = waiting.shift(); name; name = waiting.shift()) {
        const to = join(folder, name);
        try {
          await promisify(execFile)(ptxas, [`-arch=${name}`, "-o", to, source]);
          made.set(name, await readFile(to));
        } catch (cause) {
          const { stderr, message } = cause as Error & { readonly stderr?: string };
          without[name] = (stderr?.trim() || message).split("\n")[0]!;
        }
        onProgress(++done, architectures.length, "architectures");
      }
    };
    await Promise.all([work(), work()]);
    // In the order of the list, whichever came first.
    const inOrder = architectures.flatMap((name) => {
      const cubin = made.get(name);
      return cubin ? [[name, cubin] as const] : [];
    });
    return { made: new Map(inOrder), without };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function findPtxas({ PATH = "", CUDA_HOME, CUDA_PATH }: NodeJS.ProcessEnv): string | undefined {
  const roots = [CUDA_HOME, CUDA_PATH, "/usr/local/cuda"].flatMap((root) => root || []);
  const folders = [...PATH.split(delimiter), ...roots.map((root) => join(root, "bin"))];
  const name = process.platform === "win32" ? "ptxas.exe" : "ptxas";
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
