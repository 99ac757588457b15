/**
 * Vectors of processors: which the machine has, and how a compiler is told of them. A library is compiled for
 * vectors and not for one processor, so that it serves on every machine that has them.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Numbers of 32 bits of a vector. */
export type Lanes = 4 | 8 | 16;

/** The widest first. */
export const allLanes: readonly Lanes[] = [16, 8, 4];

/** What a processor of x64 must have for vectors of so many numbers, in the words of Linux and of compilers. */
const features: Readonly<Record<Lanes, readonly (readonly [processor: string, flag: string])[]>> = {
  4: [],
  8: [
    ...([
      ["avx2", "-mavx2"],
      ["fma", "-mfma"],
      ["f16c", "-mf16c"],
      ["bmi1", "-mbmi"],
    ] as const),
    ...([
      ["bmi2", "-mbmi2"],
      ["abm", "-mlzcnt"],
      ["movbe", "-mmovbe"],
    ] as const),
  ],
  16: [
    ...([
      ["avx512f", "-mavx512f"],
      ["avx512bw", "-mavx512bw"],
      ["avx512cd", "-mavx512cd"],
    ] as const),
    ...([
      ["avx512dq", "-mavx512dq"],
      ["avx512vl", "-mavx512vl"],
    ] as const),
  ],
};

/** Widths up to one. */
const upTo = (lanes: Lanes): readonly Lanes[] => allLanes.filter((one) => one <= lanes);

/** What tells a compiler which vectors there are, on a processor of this kind. */
export function vectorFlags(lanes: Lanes): readonly string[] {
  if (process.arch !== "x64") return [];
  const all = upTo(lanes).flatMap((one) => features[one].map(([, flag]) => flag));
  return ["-mtune=native", ...all, ...(lanes === 16 ? ["-mprefer-vector-width=512"] : [])];
}

export const registersOf = (lanes: Lanes): 16 | 32 =>
  lanes === 16 || process.arch === "arm64" ? 32 : 16;

/** What the processor says of itself, once: its model, and on Linux all that it can. */
let said: { readonly model: string; readonly features: ReadonlySet<string> } | undefined;

function processorWords() {
  if (said) return said;
  const model = cpus()[0]?.model.trim() ?? "";
  let all: readonly string[] = [];
  try {
    const text = process.platform === "linux" ? readFileSync("/proc/cpuinfo", "utf8") : "";
    const [, own = ""] = /^(?:flags|Features)\s*:(.*)$/m.exec(text) ?? [];
    all = own.split(" ").filter((word) => word !== "");
  } catch {
    // A machine that does not say is one of which nothing is known.
  }
  said = { model, features: new Set(all) };
  return said;
}

/** The widest vectors that the machine is known to have; undefined where only a compiler can tell. */
export function machineLanes(): Lanes | undefined {
  if (process.arch === "arm64") return 4;
  const own = processorWords().features;
  if (process.arch !== "x64" || own.size === 0) return undefined;
  return allLanes.find((lanes) =>
    upTo(lanes).every((one) => features[one].every(([name]) => own.has(name))),
  );
}

/** Equal for machines on which a timing means the same. */
export function machineKey(): string {
  const { model, features: all } = processorWords();
  return JSON.stringify([process.platform, process.arch, model, cpus().length, [...all].sort()]);
}
