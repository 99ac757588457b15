/** Whether adapters are those that a file was trained with: their settings, and where they work. */
import type { PlanAdapter } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import type { AdapterFile, FileAdapter } from "./adapter-file.ts";

/** What a file says, and what it is called. */
export interface Described extends Pick<AdapterFile, "adapters"> {
  readonly source: string;
}

export interface Here {
  readonly adapters: readonly PlanAdapter[];
  /** Paths of all parameters that are read. */
  readonly parameters: Iterable<string>;
  /** Whether training goes on: then what matters in training alone counts too. */
  readonly training?: boolean;
}

/**
 * Compares the adapters here with those of one or several files.
 * @throws E435 for a setting or a place that differs, E436 for a setting that a file does not say,
 * no shape tells and nobody gave.
 */
export function checkAdapters(here: Here, files: readonly Described[]): void {
  const left = [...here.adapters];
  for (const { adapters = [], source } of files)
    for (const theirs of adapters) {
      const mine = takeSame(left, theirs);
      if (mine) checkSettings(mine, theirs.settings, here, source);
      checkPlaces(mine, theirs, here, source);
    }
  // A file of the first version says nothing of its adapters: they are among those that are left.
  const silent = files.find(({ adapters }) => adapters === undefined);
  if (silent) for (const mine of left) checkSettings(mine, {}, here, silent.source);
}

/**
 * Requires that files say the settings of every adapter here, where tensors of all adapters are taken
 * from files, `sources`. @throws E436
 */
export function checkAllSaid(here: Here, files: readonly Described[], sources: string): void {
  const left = [...here.adapters];
  for (const theirs of files.flatMap(({ adapters = [] }) => adapters)) takeSame(left, theirs);
  for (const mine of left) checkSettings(mine, {}, here, sources);
}

/** Takes the adapter that a file means off a list: of its name, and at its places where there are several. */
function takeSame(left: PlanAdapter[], theirs: FileAdapter): PlanAdapter | undefined {
  const named = left.filter(({ name }) => name === theirs.name);
  const mine = named.find((one) => one.places.some((p) => theirs.places.includes(p))) ?? named[0];
  if (mine) left.splice(left.indexOf(mine), 1);
  return mine;
}

type Settings = FileAdapter["settings"];

function checkSettings(
  { name: adapter, settings, assumed, trainingOnly }: PlanAdapter,
  theirs: Settings,
  { training = false }: Here,
  source: string,
): void {
  const counts = (name: string) => training || !trainingOnly.includes(name);
  const said = (of: Settings) => (name: string) => `${name}: ${JSON.stringify(of[name] ?? null)}`;
  const unsaid = assumed.filter((name) => counts(name) && !(name in theirs));
  if (unsaid.length > 0)
    throw diagnose("E436", {
      message: `the file does not say with which ${unsaid.join(", ")} ${adapter} was trained`,
      where: source,
      help: `give it where ${adapter} is made, or as inarch merge --setting ${unsaid[0]}=…; unless given it is { ${unsaid.map(said(settings)).join(", ")} }`,
    });
  const other = Object.keys(theirs).filter(
    (name) => counts(name) && said(theirs)(name) !== said(settings)(name),
  );
  if (other.length === 0) return;
  const [there, here] = [theirs, settings].map((of) => `{ ${other.map(said(of)).join(", ")} }`);
  throw diagnose("E435", {
    message: `${adapter} was trained with ${there}, but here it has ${here}`,
    where: source,
    help: `make ${adapter} with ${there}`,
  });
}

/** A place that nothing passes here is no matter. */
function checkPlaces(
  mine: PlanAdapter | undefined,
  { name, places }: FileAdapter,
  { parameters }: Here,
  source: string,
): void {
  const read = [...parameters];
  const isPassed = (place: string) => place === "" || read.some((p) => p.startsWith(`${place}.`));
  const bare = places.find((place) => !mine?.places.includes(place) && isPassed(place));
  const more = mine?.places.find((place) => !places.includes(place));
  const words = (place: string) => place || "the top of the model";
  if (bare === undefined && more === undefined) return;
  throw diagnose("E435", {
    message:
      bare === undefined
        ? `${name} works at ${words(more!)}, where it was not trained`
        : `${name} was trained at ${words(bare)}, but does not work there`,
    where: source,
    help: `graft it on the ${places.length} places where it was trained, from ${words(places[0] ?? "")} on`,
  });
}
