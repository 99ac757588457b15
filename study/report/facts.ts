/** What a report says of a run: collected first, then written as a page. */
import type { Image } from "../../predict/vision/image.ts";
import type { LogLine } from "../train/log.ts";
import type { Validation } from "../train/scores.ts";
import type { RunSettings } from "../train/settings.ts";

/** A picture that was held out, as the model sees it. */
export interface ShownPicture {
  readonly name: string;
  /** What `rank` names; undefined where nothing is known. */
  readonly score: number | undefined;
  /** By place of a gate: of each expert, which part of the maps chose it. */
  readonly experts: Readonly<Record<string, readonly number[]>>;
}

/** One that is shown, beside what is true. Pictures are JPEG files. */
export interface DrawnPicture {
  readonly name: string;
  readonly score: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly pairs: readonly Pair<Uint8Array>[];
}

/** What is true of a task, and what was found. */
export interface Pair<Picture> {
  readonly task: string;
  readonly truth: Picture;
  readonly found: Picture;
}

/** A picture before it is encoded: of the model's square, to be shown in its own proportions. */
export interface Drawing {
  readonly name: string;
  readonly score: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly pairs: readonly Pair<Image>[];
}

/** Of an attention layer, for each head: how far what it attends to is, in pixels of the model's input. */
export interface LayerDistances {
  readonly layer: string;
  readonly heads: readonly number[];
}

/** What a start of the run took. */
export interface StartFacts {
  readonly device: string;
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
  readonly setUp: number;
  /** Bytes. */
  readonly memory: number;
}

export interface ReportFacts {
  readonly settings: RunSettings;
  /** Of a run of masks or classes. */
  readonly classes: readonly string[];
  readonly pictures: { readonly train: number; readonly validation: number };
  readonly log: readonly LogLine[];
  readonly before: Validation;
  readonly best: Validation & { readonly step: number };
  readonly last: Validation;
  readonly ended: "steps" | "patience" | "time";
  readonly device: string;
  /** Of device memory. */
  readonly bytes: number;
  readonly parameters: { readonly trained: number; readonly all: number };
  /** Numbers that train, by the part of the model. */
  readonly parts: Readonly<Record<string, number>>;
  readonly starts: readonly StartFacts[];
  /** All that were looked at, of those that are held out. */
  readonly looked: readonly ShownPicture[];
  readonly drawn: {
    readonly best: readonly DrawnPicture[];
    readonly worst: readonly DrawnPicture[];
  };
  /** What their scores are, in words. */
  readonly rank: string;
  readonly distances: readonly LayerDistances[];
}
