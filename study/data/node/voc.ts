/** Sets in the folders of PASCAL VOC: photographs, and palette pictures whose indices are classes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ClassFiles } from "../task-files.ts";
import { textOf } from "./files.ts";
import { readFolders } from "./folders.ts";
import { onlyTask, type RawItem, type RawSet } from "./raw.ts";

export interface VocSet {
  readonly format: "voc";
  /** Has JPEGImages, SegmentationClass and ImageSets/Segmentation. */
  readonly folder: string;
  /** A list of ImageSets/Segmentation, such as "train"; all pictures that have a target unless given. */
  readonly split?: string | undefined;
  /** VOC's 21 unless given. */
  readonly classes?: ClassFiles["classes"] | undefined;
  /** 255 unless given. */
  readonly ignore?: ClassFiles["ignore"];
}

export const vocClasses: readonly string[] = [
  ...["background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair"],
  ...["cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"],
  ...["train", "tvmonitor"],
];

/** Errors: E1003. */
export async function readVoc({ folder, split, classes, ignore }: VocSet): Promise<RawSet> {
  const pictures = join(folder, "JPEGImages");
  const targets = join(folder, "SegmentationClass");
  const files = { kind: "classes", classes: classes ?? vocClasses, ignore: ignore ?? 255 } as const;
  if (split === undefined) {
    const found = { [onlyTask]: { ...files, folder: targets } };
    // Most photographs of VOC are not segmented.
    return readFolders({ format: "folders", pictures, targets: found }, "some");
  }
  const list = join(folder, "ImageSets", "Segmentation", `${split}.txt`);
  const names = (await textOf(list)).split(/\r?\n/).map((line) => line.trim());
  const items = names
    .filter((name) => name !== "")
    .map((name): RawItem => {
      const endings = [".jpg", ".jpeg", ".png"].map((ending) => `${name}${ending}`);
      const file = endings.find((one) => existsSync(join(pictures, one))) ?? endings[0]!;
      return {
        name: file,
        picture: join(pictures, file),
        targets: { [onlyTask]: { kind: "file", path: join(targets, `${name}.png`) } },
      };
    });
  return { where: list, tasks: { [onlyTask]: files }, items, problems: [] };
}
