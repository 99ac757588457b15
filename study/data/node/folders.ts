/** Pairs by folder: a target has the name of its picture, whatever the endings of their files. */
import { join } from "node:path";
import { diagnose } from "../../../diagnostics/index.ts";
import type { TaskFiles } from "../task-files.ts";
import { filesIn, isArray, isPicture, stemOf } from "./files.ts";
import { onlyTask, type RawItem, type RawSet, type Source } from "./raw.ts";

/** A folder, and what the names of its files have behind that of their picture: "_mask" for `a_mask.png`. */
export interface Folder {
  readonly folder: string;
  readonly suffix?: string | undefined;
}

/** Folders of pictures and targets; folders within them must be alike. */
export interface FolderSet {
  readonly format: "folders";
  readonly pictures: string | Folder;
  /** By task. With one task, every picture must have its target; of several, at least one. */
  readonly targets: Readonly<Record<string, TaskFiles & Folder>>;
}

/** Pictures without a target are a problem with "all", and left out with "some". Errors: E1003, E1004. */
export async function readFolders(
  { pictures, targets }: FolderSet,
  which: "all" | "some" = "all",
): Promise<RawSet> {
  const place: Folder = typeof pictures === "string" ? { folder: pictures } : pictures;
  checkApart(place, targets);
  const problems: string[] = [];
  const others = Object.values(targets).filter(
    ({ folder, suffix = "" }) => folder === place.folder && suffix !== (place.suffix ?? ""),
  );
  const isOther = (path: string) => others.some(({ suffix = "" }) => hasSuffix(path, suffix));
  const files = await filesIn(place.folder);
  const named = byStem(
    files.filter((path) => isPicture(path) && !isOther(path)),
    place,
    problems,
  );
  const items = new Map<string, RawItem & { targets: Record<string, Source> }>(
    [...named].map(([stem, path]) => [
      stem,
      { name: path, picture: join(place.folder, path), targets: {} },
    ]),
  );
  for (const [task, folder] of Object.entries(targets)) {
    const isTarget = (path: string) =>
      isPicture(path) || (isArray(path) && (folder.kind === "depth" || folder.kind === "normals"));
    const found = (await filesIn(folder.folder)).filter(
      (path) => isTarget(path) && hasSuffix(path, folder.suffix ?? ""),
    );
    for (const [stem, path] of byStem(found, folder, problems)) {
      const item = items.get(stem);
      if (item) item.targets[task] = { kind: "file", path: join(folder.folder, path) };
      else
        problems.push(
          `${join(folder.folder, path)}: there is no picture ${stem} in ${place.folder}`,
        );
    }
  }
  for (const { picture, targets: known } of items.values())
    if (which === "all" && Object.keys(known).length === 0)
      problems.push(`${picture}: ${missing(Object.entries(targets))}`);
  const usable = [...items.values()].filter(({ targets: known }) => Object.keys(known).length > 0);
  return { where: place.folder, tasks: targets, items: usable, problems };
}

const missing = (wanted: readonly (readonly [string, Folder])[]) =>
  `there is no target of this name in ${wanted
    .map(([task, { folder }]) => (task === onlyTask ? folder : `${folder} (${task})`))
    .join(", ")}`;

/** In one folder, without other suffixes, every picture would be its own target. */
function checkApart(pictures: Folder, targets: FolderSet["targets"]): void {
  for (const [task, { folder, suffix = "" }] of Object.entries(targets))
    if (folder === pictures.folder && suffix === (pictures.suffix ?? ""))
      throw diagnose("E1004", {
        message: `the pictures and the targets of ${task} are the same files of ${folder}`,
        help: 'give another folder, or what the names of targets end in: { suffix: "_mask" }',
      });
}

const hasSuffix = (path: string, suffix: string) => stemOf(path).endsWith(suffix);

/** Files by what they and their pictures have in common. */
function byStem(files: readonly string[], { folder, suffix = "" }: Folder, problems: string[]) {
  const found = new Map<string, string>();
  for (const path of files) {
    if (!hasSuffix(path, suffix)) continue;
    const stem = stemOf(path).slice(0, stemOf(path).length - suffix.length);
    const other = found.get(stem);
    if (other === undefined) found.set(stem, path);
    else problems.push(`${join(folder, path)}: ${other} has the same name`);
  }
  return found;
}
