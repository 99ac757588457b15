/** Models that an app imports: each is built into a folder of its own when it is first imported, and again when a file of it has changed. */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import type { Dims } from "../../compiler/graph/sources.ts";
import type { Precision } from "../../compiler/storage/formats.ts";
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import type { FloatName, WeightFormat } from "../../formats/index.ts";
import { build } from "../build.ts";
import { loadModel } from "../load-model.ts";
import { profilesNamed } from "../profiles.ts";
import { programsOf } from "../programs.ts";
import { usualProfiles } from "../usual-profiles.ts";

/** How models are built: what `inarch build` takes as flags. */
export interface GraphOptions {
  /** The path of a checkpoint, from the app's folder. Without one, whoever loads the model gives the weights. */
  readonly weights?: string;
  /** The kinds of devices, in the order in which a device prefers them: one module each. */
  readonly profiles?: readonly string[];
  /** Those of the model's programs that the app runs: all unless given. */
  readonly programs?: readonly string[];
  /** Sizes of the model's named dims. */
  readonly dims?: Dims;
  /** `f32` unless given; `mixed` stores large tensors as halves. */
  readonly precision?: Precision;
  /** What frozen parameters are stored in on the device. */
  readonly weightFormat?: WeightFormat;
  /** The format that the file of weights has them in: `f32` unless given. */
  readonly dtype?: FloatName;
  /** The most bytes that a file may have. */
  readonly split?: number;
}

export interface PluginOptions extends Omit<GraphOptions, "weights"> {
  /** What differs for a model, by the path of its file from the app's folder: its weights above all. */
  readonly models?: Readonly<Record<string, GraphOptions>>;
}

/** Files whose import is the import of a model. */
export const graphFile = /\.graph\.[cm]?[jt]s$/;

/** A model that was built. */
export interface Built {
  /** The path of the module whose default export is the bundle. */
  readonly module: string;
  /** The names of the files of weights, which lie beside it. */
  readonly weights: readonly string[];
  /** The files of the user's that it depends on, absolute. */
  readonly sources: readonly string[];
}

/** What building ended with: an error has files as well, whose change may mend it. */
export type Outcome = Built | { readonly error: unknown; readonly sources: readonly string[] };

const shared = {
  profiles: true,
  programs: true,
  dims: true,
  precision: true,
  weightFormat: true,
  dtype: true,
  split: true,
};

interface Known {
  readonly outcome: Outcome;
  /** What its sources were when it was built. */
  readonly state: string;
}

export class Graphs {
  private readonly known = new Map<string, Known>();
  private readonly atWork = new Map<string, Promise<Outcome>>();
  private readonly options: PluginOptions;
  /** The app's folder. */
  private readonly root: string;
  /** Where folders of models are made. */
  private readonly folder: string;
  private readonly say: (words: string) => void;

  /** @throws E460 for an option of no known name, E510 for a path of `models` that leads nowhere. */
  constructor(
    options: PluginOptions,
    root: string,
    folder: string,
    say: (words: string) => void = () => {},
  ) {
    checkOptions<PluginOptions>("the plugin inarch", options, { ...shared, models: true });
    for (const [path, own] of Object.entries(options.models ?? {})) {
      checkOptions<GraphOptions>(`the model ${path}`, own, { ...shared, weights: true });
      if (!existsSync(resolve(root, path)))
        throw diagnose("E510", {
          message: `there is no file ${path}, which the plugin's models name`,
          where: resolve(root, path),
          help: "name the model's file by its path from the app's folder, such as src/sam.graph.ts",
        });
    }
    this.options = options;
    this.root = root;
    this.folder = folder;
    this.say = say;
  }

  /** The model of a file, absolute. It is built where that has not been done, or ended badly, or a source has changed. */
  of(file: string): Promise<Outcome> {
    const known = this.known.get(file);
    if (known && !("error" in known.outcome) && stateOf(known.outcome.sources) === known.state)
      return Promise.resolve(known.outcome);
    let atWork = this.atWork.get(file);
    if (!atWork) {
      atWork = this.build(file).finally(() => this.atWork.delete(file));
      this.atWork.set(file, atWork);
    }
    return atWork;
  }

  /** The models that a file is part of. */
  madeOf(source: string): readonly string[] {
    return [...this.known]
      .filter(([, { outcome }]) => outcome.sources.includes(source))
      .map(([file]) => file);
  }

  /** Where the module of a model is or will be. */
  private folderOf(file: string): string {
    const hash = createHash("sha256").update(file).digest("hex").slice(0, 8);
    return join(this.folder, `${basename(file).replace(graphFile, "")}-${hash}`);
  }

  private async build(file: string): Promise<Outcome> {
    const before = Date.now();
    this.say(`building ${relative(this.root, file)}`);
    const outcome = await this.outcomeOf(file);
    const seconds = ((Date.now() - before) / 1000).toFixed(1);
    if (!("error" in outcome)) this.say(`built ${relative(this.root, file)} in ${seconds} s`);
    // What was written meanwhile may not have been read: it is built again.
    const isSettled = outcome.sources.every((source) => writtenAt(source) < before);
    this.known.set(file, { outcome, state: isSettled ? stateOf(outcome.sources) : "" });
    return outcome;
  }

  private async outcomeOf(file: string): Promise<Outcome> {
    const { models = {}, ...all } = this.options;
    const own = Object.entries(models).find(([path]) => resolve(this.root, path) === file)?.[1];
    const { weights, programs, profiles, dims, ...given } = { ...all, ...own };
    const checkpoint = weights === undefined ? [] : [resolve(this.root, weights)];
    let sources = [file, ...checkpoint];
    try {
      const loaded = await loadModel(file);
      sources = [...new Set([...loaded.sources, ...checkpoint])];
      const report = await build({
        ...given,
        loaded,
        out: this.folderOf(file),
        programs: programsOf(loaded.model, programs ?? []),
        dims: dims ?? {},
        profiles: await profilesNamed(profiles ?? usualProfiles.split(","), noDevice, "profiles"),
        weights: checkpoint[0],
        onProgress: () => {},
      });
      return {
        module: join(report.out, `${report.name}.mjs`),
        weights: report.weights?.files ?? [],
        sources,
      };
    } catch (error) {
      return { error, sources: [...sources, ...placeOf(error, this.root)] };
    }
  }
}

const noDevice = async (target: string) => {
  throw diagnose("E503", {
    message: `an app is for other machines than the one that builds it, whose device for ${target} is asked for`,
    where: "profiles",
    help: `leave device out, or build by hand: inarch build MODEL --profiles device; the usual ones are ${usualProfiles}`,
  });
};

/** The file that an error points at, which the model's own files need not name. */
function placeOf(error: unknown, root: string): readonly string[] {
  const span = error instanceof InarchError ? error.details.at?.resolve() : undefined;
  return span ? [resolve(root, span.file)] : [];
}

/** In milliseconds since 1970; 0 for a file that is gone. */
const writtenAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** When files were written last, and their lengths, as text: it changes with any of them. */
const stateOf = (files: readonly string[]): string =>
  files
    .map((file) => {
      const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {};
      return `${mtimeMs} ${size}`;
    })
    .join();
