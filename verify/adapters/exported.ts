/**
 * Finds every adapter that `inarch/adapters` exports, with its samples, and what files lack: an adapter
 * is a file of its own and a line of the folder's index.
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import * as adapters from "../../adapters/index.ts";
import type { AdapterSample, AdapterTests } from "../../adapters/samples.ts";
import * as presets from "../../models/sam/presets/index.ts";

/** A file that defines adapters, and what it exports. */
export interface AdapterSource {
  /** From the top of the repository. */
  readonly path: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface Adapters {
  /** Samples with the names under which their adapters are exported. */
  readonly samples: readonly (readonly [name: string, sample: AdapterSample])[];
  /** What files lack, each with what to add. */
  readonly missing: readonly string[];
}

/** Reads the folders that hold adapters: sources in a checkout, or what they were compiled to. */
export async function findAdapters(): Promise<Adapters> {
  const sources = [
    ...(await readSources("adapters/")),
    ...(await readSources("models/sam/presets/")),
  ];
  return samplesOf(sources, { ...adapters, ...presets });
}

async function readSources(path: string): Promise<AdapterSource[]> {
  const folder = new URL(`../../${path}`, import.meta.url);
  const ending = extname(import.meta.url);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(ending) && !file.endsWith(`.d${ending}`))
    // It says what defining an adapter is, and defines none.
    .filter((file) => file !== `adapter${ending}`)
    .filter((file) => readFileSync(new URL(file, folder), "utf8").includes("defineAdapter("));
  const read = async (file: string) => {
    const exports = await import(/* @vite-ignore */ new URL(file, folder).href);
    return { path: `${path}${file}`, exports };
  };
  return Promise.all(files.map(read));
}

/** The samples of files that define adapters, of which `exported` is what users see. */
export function samplesOf(
  sources: readonly AdapterSource[],
  exported: Readonly<Record<string, unknown>>,
): Adapters {
  const samples: (readonly [string, AdapterSample])[] = [];
  const missing: string[] = [];
  for (const { path, exports } of sources) {
    const tests = (exports.tests ?? {}) as AdapterTests;
    const names = Object.keys(exports).filter((name) => typeof exports[name] === "function");
    if (names.length === 0) missing.push(`${path}: it defines an adapter, but exports none`);
    for (const name of names) {
      if (exported[name] !== exports[name])
        missing.push(`${path}: ${name} is not exported: add it to ${indexOf(path)}`);
      if (!tests[name])
        missing.push(
          `${path}: ${name} has no sample: export const tests: AdapterTests = { ${name}: [{ adapter: () => ${name}() }] }`,
        );
      for (const sample of tests[name] ?? [])
        samples.push([sample.claim ? `${name}, ${sample.claim}` : name, sample]);
    }
    for (const name of Object.keys(tests).filter((one) => !names.includes(one)))
      missing.push(`${path}: it has samples of ${name}, which it does not export`);
  }
  return { samples, missing };
}

const indexOf = (path: string) => path.replace(/[^/]*(?=\.\w+$)/, "index");
