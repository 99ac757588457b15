/**
 * Where the libraries of kernels come from: beside a bundle that was built for such a machine, else from the cache,
 * else from the compiler, which is asked for nothing before.
 */
import { fileURLToPath } from "node:url";
import type { PlanKernel } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { kernelText } from "../devices/device.ts";
import {
  cachedLibrary,
  findLibrary,
  keptLibrary,
  type LibraryFile,
  libraryName,
} from "./native-cache.ts";
import { type Compiler, compileLibrary, flagsFor, type Vectors } from "./native-compiler.ts";
import { teamText } from "./native-team.ts";
import { allLanes, type Lanes } from "./native-vectors.ts";

export interface Libraries {
  /** Of the machine's vectors. */
  readonly lanes: Lanes;
  /** That of memory and threads. @throws as `ofKernels` */
  ofTeam(): Promise<LibraryFile>;
  /**
   * That of kernels whose names differ.
   * @throws E482 and E483 where it must be compiled and cannot, E486 where it must not be.
   */
  ofKernels(kernels: readonly PlanKernel[]): Promise<LibraryFile>;
}

export interface LibrariesOptions {
  readonly lanes: Lanes;
  /** Asked where no bundle brings what is needed. @throws E482, E483 */
  readonly compiler: () => Promise<Compiler>;
  /**
   * `always`: what is not kept is compiled. `later`: a start does not wait for that, so the first kernels must be
   * there.
   */
  readonly compiles: "always" | "later";
}

export function librariesOf({ lanes, compiler, compiles }: LibrariesOptions): Libraries {
  let mayCompile = compiles === "always";
  const library = async (text: string, vectors: readonly Vectors[]): Promise<LibraryFile> => {
    const built = await offeredLibrary(text, vectors);
    if (built) return built;
    const [own] = vectors as [Vectors];
    const found = await compiler();
    const key = JSON.stringify([found.command, found.id, flagsFor(found, own), text]);
    if (mayCompile) return cachedLibrary(key, () => compileLibrary(found, text, own));
    return (await keptLibrary(key)) ?? notKept();
  };
  return {
    lanes,
    ofTeam: () => library(teamText, [baseline]),
    async ofKernels(kernels) {
      const file = await library(joined(kernels), vectorsFor(kernels, lanes));
      mayCompile = true;
      return file;
    },
  };
}

const notKept = (): never => {
  throw diagnose("E486", {
    message: "the device native has no build of this program, and unasked none is made",
    help: "ask for it once: --device native, or INARCH_DEVICE=native; what it compiles is kept",
  });
};

/** Entries of a plan have names of their own. */
const joined = (kernels: readonly PlanKernel[]): string => kernels.map(kernelText).join("\n");

/** What every machine has. */
const baseline: Vectors = { width: 4, lanes: 4 };

/**
 * Vectors that kernels may be compiled for on a machine, the best first. Kernels of subgroups are written for one
 * width, and compilers make vectors wider than the machine's out of several.
 */
function vectorsFor(kernels: readonly PlanKernel[], lanes: Lanes): readonly Vectors[] {
  const own = allLanes.filter((one) => one <= lanes);
  const width = allLanes.find((one) => kernels.some(({ subgroup }) => subgroup === one));
  if (width === undefined) return own.map((one) => ({ width: one, lanes: one }));
  return [{ width, lanes: own.find((one) => one <= width)! }];
}

/** Folders of libraries that lie beside bundles, in which is looked first. */
const offered = new Set<string>();

/**
 * Offers a folder of libraries to devices of the kind `native` that are opened or given programs later: `native/` of a
 * bundle for the target `c`, whose module does that itself. Its files are native code, which then runs here.
 */
export function offerBuilds(folder: string | URL): void {
  if (typeof folder === "string") offered.add(folder);
  else if (folder.protocol === "file:") offered.add(fileURLToPath(folder));
}

async function offeredLibrary(
  text: string,
  all: readonly Vectors[],
): Promise<LibraryFile | undefined> {
  for (const vectors of all)
    for (const folder of offered) {
      const found = await findLibrary(folder, buildKey(text, vectors), "keep");
      if (found) return found;
    }
  return undefined;
}

/** A build serves wherever the system, the processor's kind and its vectors are the same. */
const buildKey = (text: string, vectors: Vectors): string =>
  JSON.stringify([process.platform, process.arch, vectors, text]);

/**
 * The libraries that a bundle brings, by file name: one for each list of kernels, and that of memory and threads.
 * @throws E483
 */
export async function buildLibraries(
  compiler: Compiler,
  lanes: Lanes,
  programs: readonly (readonly PlanKernel[])[],
): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const texts = new Map<string, Vectors>([[teamText, baseline]]);
  for (const kernels of programs) texts.set(joined(kernels), vectorsFor(kernels, lanes)[0]!);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [text, vectors] of texts) {
    const bytes = await compileLibrary(compiler, text, vectors);
    files.set(libraryName(buildKey(text, vectors), bytes), bytes);
  }
  return files;
}
