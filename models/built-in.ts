/** The models that have names of their own on the command line: a further one is a line here. */
import type { Model } from "../compiler/index.ts";
import type { Weights } from "../runtime/weights/index.ts";
import { samModels } from "./sam/built-in.ts";

export type BuiltInModel = PublishedModel | ConfiguredModel;

/** A model as it was published, which needs no file. */
export interface PublishedModel {
  readonly name: string;
  readonly make: () => Model;
}

/** A model of any size. */
export interface ConfiguredModel {
  readonly name: string;
  /** By the text of a configuration; `file` is what messages call it. */
  readonly fromConfig: (text: string, file: string) => Model;
  /** By the shapes of a checkpoint's tensors. */
  readonly fromWeights: (weights: Weights) => Model;
}

export const builtInModels: readonly BuiltInModel[] = [...samModels];
