/** One item of a set: a picture and what is true of it, whatever files it came from. */
import type { Image } from "../../predict/vision/image.ts";
import type { ViewRequest } from "./view.ts";

/** What a task's targets say of a pixel. */
export type TargetKind = "labels" | "depth" | "normals";

/**
 * What is true of every pixel. `data` is `[height, width]`, of normals `[height, width, 3]`.
 * Labels: i32, the number of a class; -1 does not count. Depth: f32; 0 is not known. Normals: f32 of length 1, x to
 * the right and y down; 0, 0, 0 is not known.
 */
export type Target =
  | { readonly kind: "labels"; readonly data: Int32Array }
  | { readonly kind: "depth" | "normals"; readonly data: Float32Array };

export interface Sample {
  readonly image: Image;
  /** By task. A task of which nothing is known for this picture is not there. */
  readonly targets: Readonly<Record<string, Target>>;
}

/** The label of pixels that do not count. */
export const ignored = -1;

/** Numbers of a pixel. */
export const channelsOf = (kind: TargetKind): number => (kind === "normals" ? 3 : 1);

/** What is known of a task before any picture is read. */
export interface Task {
  readonly kind: TargetKind;
  /** Of labels: the classes' names, by label. */
  readonly classes?: readonly string[] | undefined;
  /** Of depth: what a value of its files is multiplied by. */
  readonly scale?: number | undefined;
}

/** An item as the model sees it: everything is `side` pixels wide and high. */
export interface Viewed {
  /** `[3, side, side]`; 0 where there is no picture. */
  readonly image: Uint8Array;
  /** `[side, side]`: 1 where there is a picture, 0 where the square is padded. */
  readonly valid: Uint8Array;
  /** By task, as `Target` has them, but `[side, side]`, and normals `[3, side, side]`. */
  readonly targets: Readonly<Record<string, Target>>;
}

/** What batches are made of. */
export interface Samples {
  readonly size: number;
  readonly tasks: Readonly<Record<string, Task>>;
  /** One item, from 0. */
  read(item: number): Promise<Sample>;
  /** One item as it is seen, where that is not made of `read` in this thread. */
  view?(item: number, request: ViewRequest): Promise<Viewed>;
}
