/** Sets in files. */
export type { CocoSet } from "./coco.ts";
export type { Folder, FolderSet } from "./folders.ts";
export type { LabelmeSet } from "./labelme.ts";
export { type DataSet, type OpenOptions, openSet, type SetDescription } from "./open.ts";
export type { CsvSet, HuggingFaceSet, TaskColumn } from "./tables.ts";
export { type VocSet, vocClasses } from "./voc.ts";
export type { YoloSet } from "./yolo.ts";
