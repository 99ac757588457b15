/** Imports a user's TypeScript: bundled by esbuild to one temporary module, which Node imports. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildFailure, Message, Plugin } from "esbuild";
import { diagnose, type Span, setSourceReader } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { brokenPackage, optionalPackage } from "../diagnostics/packages.ts";
import { saveTo } from "../runtime/node/save.ts";
import { removeAbandoned, temporaryFor } from "../runtime/node/temporary.ts";
import { userError } from "./user-error.ts";

/** What a user's module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** A user's module. */
export interface Imported {
  readonly exports: Exports;
  /** The user's files that it is made of, absolute. */
  readonly sources: readonly string[];
}

/**
 * What a file exports. `inarch` and its entries are this installation's, whatever the file's
 * own folder has: a tensor is one class. Stack traces point into the user's file from here on.
 * @throws E400 or E401 without the package esbuild, E510 when there is no such file, E511 when it
 * does not compile, whatever the file throws.
 */
export async function importGraphFile(file: string, name: string): Promise<Imported> {
  checkFile(file, name);
  // Blocks within blocks within ops: the user's line must still be in the stack.
  Error.stackTraceLimit = 50;
  // Lets messages show lines of the user's file.
  setSourceReader((file) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return undefined;
    }
  });
  await removeAbandoned(tmpdir());
  const folder = temporaryFor(join(tmpdir(), "inarch"));
  await mkdir(folder, { mode: 0o700 });
  try {
    // Sources in the map are relative to the module, so esbuild must know where it will be.
    const outfile = join(folder, "model.mjs");
    const bundled = await bundle(file, outfile);
    await saveTo(outfile, bundled.contents);
    process.setSourceMapsEnabled(true);
    return { exports: await load(outfile, file, bundled), sources: bundled.sources };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Errors: E510 for what cannot be a module of the user's. */
function checkFile(file: string, name: string): void {
  if (!existsSync(file)) {
    const near = ["ts", "graph.ts"].map((ending) => `${name}.${ending}`);
    const meantFile = near.find((path) => existsSync(resolve(path)));
    throw diagnose("E510", {
      message: `there is no file ${name}`,
      help: meantFile
        ? `did you mean ${meantFile}?`
        : "check the path, which starts at the folder that you are in; the name of a built-in model has no dot",
    });
  }
  if (statSync(file).isDirectory())
    throw diagnose("E510", {
      message: `${name} is a folder`,
      help: "give the path of a file in it, such as model.graph.ts",
    });
  if (/\.(?:safetensors|pth|pt|ckpt|onnx)$/.test(name))
    throw diagnose("E510", {
      message: `${name} holds weights, not a model`,
      help: `give the model, and this file with --weights ${name} where the command takes it`,
    });
}

interface Bundled {
  /** The module's text. */
  readonly contents: Uint8Array;
  /** The modules of inarch that it imports, with the names by which it does. */
  readonly own: ReadonlyMap<string, string>;
  /** The user's files that are in it. */
  readonly sources: readonly string[];
}

async function load(module: string, file: string, bundled: Bundled): Promise<Exports> {
  try {
    return await import(pathToFileURL(module).href);
  } catch (error) {
    throw (await missingExport(error, bundled)) ?? userError(file, error);
  }
}

async function bundle(file: string, outfile: string): Promise<Bundled> {
  const own = new Map<string, string>();
  const { build } = await optionalPackage("esbuild", () => import("esbuild"));
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [file],
      outfile,
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      format: "esm",
      target: "node20",
      sourcemap: "inline",
      conditions: ["node"],
      plugins: [ownEntries(own), packagesStay],
      logLevel: "silent",
    });
    // esbuild's paths are relative to the working directory.
    const sources = Object.keys(metafile.inputs).map((path) => resolve(path));
    return { contents: outputFiles[0]!.contents, own, sources };
  } catch (error) {
    throw buildError(file, error);
  }
}

/**
 * Node's complaint about a name that a module of inarch does not export, which says nothing of the
 * user's file: the error with the place of the import. Undefined for any other complaint.
 */
async function missingExport(error: unknown, { own, sources }: Bundled) {
  const match = /'(.*)' does not provide an export named '(.*)'/.exec(String(error));
  const entry = match ? own.get(match[1]!) : undefined;
  if (!(error instanceof SyntaxError) || !match || entry === undefined) return undefined;
  const name = match[2]!;
  const names = Object.keys(await import(match[1]!));
  const near = meant(name, names);
  const places = await Promise.all(sources.map((file) => importOf(file, entry, name)));
  const at = places.find((place) => place !== undefined);
  return diagnose("E511", {
    message: `${entry} exports no "${name}"`,
    at: at && { resolve: () => at },
    help: near === undefined ? `its exports are ${names.join(", ")}` : `did you mean ${near}?`,
  });
}

/** Where a file imports a name from an entry. */
async function importOf(file: string, entry: string, name: string): Promise<Span | undefined> {
  const text = await readFile(file, "utf8");
  const quoted = entry.replace("/", "\\/");
  const statement = new RegExp(
    `(import\\s*\\{[^}]*?)\\b${name}\\b[^}]*\\}\\s*from\\s*["']${quoted}["']`,
  );
  const found = statement.exec(text);
  if (!found) return undefined;
  const before = text.slice(0, found.index + found[1]!.length).split("\n");
  return { file, line: before.length, column: before.at(-1)!.length + 1 };
}

const folderOfEntries = new URL("../entries/", import.meta.url);
/** .ts while it runs from sources, .js in the package. */
const ending = extname(import.meta.url);

/** What users import: a module of entries/ for each name, `index` for `inarch` itself. */
export const entries: ReadonlyMap<string, URL> = new Map(
  readdirSync(folderOfEntries)
    .filter((file) => file.endsWith(ending) && !file.endsWith(".d.ts"))
    .map((file) => {
      const name = basename(file, ending);
      return [name === "index" ? "inarch" : `inarch/${name}`, new URL(file, folderOfEntries)];
    }),
);

/** Resolves `inarch` to this installation, and notes what was found. */
const ownEntries = (found: Map<string, string>): Plugin => ({
  name: "own-entries",
  setup(build) {
    build.onResolve({ filter: /^inarch(?:\/|$)/ }, ({ path }) => {
      const module = entries.get(path);
      if (module === undefined) {
        const text = `inarch has no entry "${path}"; its entries are ${[...entries.keys()].join(", ")}`;
        const near = meant(path, entries.keys());
        return {
          errors: [{ text, notes: near === undefined ? [] : [{ text: `did you mean ${near}?` }] }],
        };
      }
      found.set(module.href, path);
      return { path: module.href, external: true };
    });
  },
});

/**
 * Leaves installed packages where they are, found from the user's file: the bundle lies elsewhere.
 * Packages of TypeScript, as in a workspace, are bundled.
 */
const packagesStay: Plugin = {
  name: "packages-stay",
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async (args) => {
      // `build.resolve` comes here again: the mark ends it.
      if (args.pluginData === "seen" || args.kind === "entry-point") return undefined;
      const { path, kind, importer, resolveDir, namespace } = args;
      const found = await build.resolve(path, {
        kind,
        importer,
        resolveDir,
        namespace,
        pluginData: "seen",
      });
      const isPackage =
        found.errors.length === 0 && !found.external && /\.(?:[cm]?js|node)$/.test(found.path);
      return isPackage && found.path.includes("node_modules")
        ? { path: pathToFileURL(found.path).href, external: true }
        : found;
    });
  },
};

function helpFor(first: Message | undefined): string {
  // What esbuild advises there goes with a bundler, which is not what the user has called.
  const [, missing] = /^Could not resolve "(.*)"/.exec(first?.text ?? "") ?? [];
  if (missing === undefined) return first?.notes[0]?.text ?? "correct the file at this place";
  if (/^[./]/.test(missing)) return "check the path, which starts at the folder of this file";
  return `install it beside this file: npm install ${missing}`;
}

/** What esbuild throws: E511 for what is wrong in the user's files, E401 where the package fails. */
export function buildError(file: string, error: unknown) {
  const failure = error as Partial<BuildFailure>;
  if (!Array.isArray(failure.errors)) return brokenPackage("esbuild", error);
  const [first, ...others] = failure.errors as readonly Message[];
  const location = first?.location;
  const more = others.map(({ text, location: at }) => (at ? `${text} (line ${at.line})` : text));
  return diagnose("E511", {
    message: [first?.text ?? "esbuild failed", ...more].join("; "),
    at: location
      ? {
          resolve: () => ({
            // esbuild's paths are relative to the working directory, its columns begin at 0.
            file:
              location.namespace === "file" ? join(process.cwd(), location.file) : location.file,
            line: location.line,
            column: location.column + 1,
          }),
        }
      : undefined,
    where: location ? undefined : dirname(file),
    help: helpFor(first),
  });
}
