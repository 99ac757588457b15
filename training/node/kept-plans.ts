/** Plans that were compiled once, in the folder of what can be made again. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CompileOptions, compileAsync } from "../../compiler/compile.ts";
import { describeGraph, type KeptPlans } from "../../compiler/graph/describe.ts";
import { fingerprint, isPlain } from "../../compiler/graph/fingerprint.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import * as sources from "../../compiler/graph/sources.ts";
import type { Op } from "../../compiler/graph/tensor.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { TurnOptions } from "../../compiler/turns.ts";
import { cacheFolder, findKept, keepFile, keptName } from "../../runtime/node/kept-files.ts";
import { bytesFromJson, bytesToJson } from "../../runtime/plan-json.ts";

/** Bytes that are kept; the plans that were used last. A training of ViT-B takes about 4 MiB. */
const mostBytes = 128 * 2 ** 20;

/** What plans are made by. Of adapters and models, as of everything else, graphs say all. */
const folders = ["diagnostics", "formats", "compiler", "ops", "runtime", "training"];

/**
 * Plans in `inarch/plans` of the user's cache (`XDG_CACHE_HOME`, else `~/.cache`). A plan is found by all that it
 * depends on, the code that compiles it included; graphs with ops of others are compiled each time, since nobody knows
 * their code. Undefined where this package's files are not where they belong: where a bundler has joined them.
 */
export async function keptPlans(
  env: NodeJS.ProcessEnv = process.env,
): Promise<KeptPlans | undefined> {
  own ??= readOwn();
  const found = await own.catch(() => undefined);
  if (!found) return undefined;
  const folder = join(cacheFolder(env), "plans");
  return {
    nameOf: (op) => found.names.get(op),
    async of<P extends object>(description: string, make: () => Promise<P>): Promise<P> {
      const key = `${found.code}\n${description}`;
      const kept = await findKept(folder, key, ending, "remove");
      if (kept) return JSON.parse(new TextDecoder().decode(kept.bytes), bytesFromJson) as P;
      const made = await make();
      const bytes = new TextEncoder().encode(JSON.stringify(made, bytesToJson));
      // Where nothing can be kept it is compiled each time.
      await keepFile(folder, keptName(key, bytes, ending), bytes, mostBytes).catch(() => {});
      return made;
    },
  };
}

const ending = ".json";

/** As `compileAsync`, unless the plan is kept. */
export async function compileKept(
  graph: Graph,
  { signal, plans, ...options }: KeptOptions,
): Promise<Plan> {
  const make = () => compileAsync(graph, { ...options, ...(signal ? { signal } : {}) });
  const text = plans && isPlain(options) ? describeGraph(graph, plans.nameOf) : undefined;
  if (!plans || text === undefined) return make();
  return plans.of(`${fingerprint(options)}\n\n${text}`, make);
}

export interface KeptOptions extends Pick<CompileOptions, "target" | "profile">, TurnOptions {
  readonly plans: KeptPlans | undefined;
}

interface Own {
  /** Of all files by which plans are made. */
  readonly code: string;
  readonly names: ReadonlyMap<Op, string>;
}

let own: Promise<Own | undefined> | undefined;

/** The package's own code and ops: sources in a checkout, or what they were compiled to. */
async function readOwn(): Promise<Own | undefined> {
  const here = fileURLToPath(import.meta.url);
  const type = extname(here);
  const suffix = join("training", "node", `kept-plans${type}`);
  if (!here.endsWith(suffix)) return undefined;
  const root = here.slice(0, -suffix.length);
  const paths = await Promise.all(folders.map((folder) => filesIn(root, folder, type)));
  const files = paths.flat().sort();
  const hash = createHash("sha256");
  const texts = await Promise.all(files.map((file) => readFile(join(root, file))));
  for (const [i, file] of files.entries())
    hash.update(`${file} ${texts[i]!.length}\n`).update(texts[i]!);
  return { code: hash.digest("hex"), names: await opsOf(files) };
}

async function filesIn(root: string, folder: string, type: string): Promise<string[]> {
  const found = await readdir(join(root, folder), { recursive: true });
  return found
    .filter((file) => file.endsWith(type) && !file.endsWith(`.d${type}`))
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
}

/** Every op that a file of ops exports, by the file and its name there. */
async function opsOf(files: readonly string[]): Promise<Map<Op, string>> {
  const names = new Map<Op, string>();
  const add = (file: string, exported: object) => {
    for (const [name, value] of Object.entries(exported))
      if (isOp(value)) names.set(value, `${file}:${name}`);
  };
  add("sources", sources);
  for (const file of files)
    if (file.startsWith("ops/"))
      add(file, (await import(new URL(`../../${file}`, import.meta.url).href)) as object);
  return names;
}

const isOp = (value: unknown): value is Op =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Op).name === "string" &&
  typeof (value as Op).kind === "string" &&
  typeof (value as Op).type === "function";
