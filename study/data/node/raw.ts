/** A set as its files describe it, before any picture is read: what every format is brought to. */
import type { Size } from "../../../predict/vision/image.ts";
import type { Rle } from "../../../predict/vision/rle.ts";
import type { TaskFiles } from "../task-files.ts";

/** An outlined thing of one class; later ones lie over earlier ones. */
export interface Shape {
  /** A class, or -1 for what does not count. */
  readonly label: number;
  /** x and y in turn; together they are one thing. In pixels, or in parts of the picture's sides. */
  readonly polygons?: readonly (readonly number[])[] | undefined;
  readonly unit?: "pixels" | "sides" | undefined;
  readonly runs?: Rle | undefined;
  /** A picture of a part: what is not 0 in it is inside. */
  readonly patch?:
    | { readonly x: number; readonly y: number; readonly bytes: Uint8Array }
    | undefined;
}

export type Source =
  | { readonly kind: "file"; readonly path: string }
  | {
      readonly kind: "shapes";
      readonly shapes: readonly Shape[];
      /** Of the picture that was outlined, where the file says it. */
      readonly size?: Size | undefined;
      /** The file that holds them. */
      readonly path: string;
    };

export interface RawItem {
  /** How the set calls it; items stand in the order of their names. */
  readonly name: string;
  readonly picture: string | Uint8Array;
  readonly targets: Readonly<Record<string, Source>>;
}

export interface RawSet {
  /** The file or the folder that describes it. */
  readonly where: string;
  readonly tasks: Readonly<Record<string, TaskFiles>>;
  readonly items: readonly RawItem[];
  /** What is wrong with single items, each in a line. */
  readonly problems: readonly string[];
}

/** The task of formats that have one. */
export const onlyTask = "labels";

/** The class of what nothing outlines. */
export const background = "background";
