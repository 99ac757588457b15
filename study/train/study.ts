/** A study in a file: what is trained on what, and how, in one object. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import {
  anything,
  checkValues,
  list,
  number,
  object,
  text,
  type Wants,
} from "../../diagnostics/values.ts";
import type { DeviceKind } from "../../runtime/node/device.ts";
import type { SetDescription } from "../data/node/open.ts";
import { type AskedSettings, settingWants } from "./settings.ts";

/** Settings of a run, and what they are for. Paths in a file are relative to its folder. */
export interface Study extends AskedSettings {
  readonly set?: SetDescription | undefined;
  /** Another set to validate on. */
  readonly validation?: SetDescription | undefined;
  /** The part of the set that is held out where there is no other; 0.2 unless given. */
  readonly part?: number | undefined;
  /** The part of the pictures to train on that is taken, drawn by the seed; all unless given. */
  readonly share?: number | undefined;
  readonly weights?: string | undefined;
  readonly config?: string | undefined;
  readonly out?: string | undefined;
  readonly device?: DeviceKind | undefined;
  /** Ends a run after so many seconds of steps. */
  readonly seconds?: number | undefined;
  /** The most bytes of device memory. */
  readonly budget?: number | undefined;
  /** So many runs, of which each holds out another part. */
  readonly folds?: number | undefined;
  /**
   * Of `inarch study`: values by the name of a setting, of a setting of a method's adapter, or "share". All combinations
   * run; what a method does not have does not apply to it.
   */
  readonly grid?: Readonly<Record<string, readonly unknown[]>> | undefined;
  /** Of `inarch study`: each combination runs once with each; 1, 2 and 3 unless given. */
  readonly seeds?: readonly number[] | undefined;
}

const wants: Wants<Study> = {
  ...settingWants,
  set: object('an object: { format: "folders", pictures: "images", targets: { … } }'),
  validation: object('an object: { format: "folders", pictures: "images", targets: { … } }'),
  part: number,
  share: number,
  weights: text,
  config: text,
  out: text,
  device: text,
  seconds: number,
  budget: number,
  folds: anything,
  grid: object('an object of lists: { method: ["lora", "conv-lora"], rank: [3, 8] }'),
  seeds: list("a list of whole numbers"),
};

/**
 * Checks the names and values of a study, which it returns: what `export default` of a file has.
 * @throws E460 for a name that a study does not have, with the nearest, E465 for a value that it cannot have.
 */
export function defineStudy<S extends Study>(study: S, of = "a study"): S {
  checkOptions<Study>(of, study, wants);
  checkValues<Study>(of, study, wants);
  return study;
}

/** The settings of a study, and everything else of it. */
export function partsOf<S extends Study>(study: S) {
  const entries = Object.entries(study).filter(([, value]) => value !== undefined);
  const isSetting = ([name]: readonly [string, unknown]) => Object.hasOwn(settingWants, name);
  const settings: AskedSettings = Object.fromEntries(entries.filter(isSetting));
  const others = Object.fromEntries(entries.filter((entry) => !isSetting(entry)));
  return { settings, others: others as Omit<S, keyof AskedSettings> };
}

const paths = ["weights", "config", "out"];
const setPaths = ["pictures", "folder", "file"];

/** A study of a file, with paths relative to the folder of the file made so by `resolve`. */
export function withPaths(study: Study, resolve: (path: string) => string): Study {
  const inSet = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const fields = Object.entries(value).map(([name, field]) => [
      name,
      typeof field === "string" && setPaths.includes(name) ? resolve(field) : inSet(field),
    ]);
    return Object.fromEntries(fields);
  };
  const fields = Object.entries(study).map(([name, field]) => {
    if (typeof field === "string" && paths.includes(name)) return [name, resolve(field)];
    return [name, name === "set" || name === "validation" ? inSet(field) : field];
  });
  return Object.fromEntries(fields);
}

/** @throws E1106 for what a file has in place of a study. */
export function studyFrom(content: unknown, file: string): Study {
  if (typeof content === "object" && content !== null && !Array.isArray(content))
    return defineStudy(content as Study, `the study ${file}`);
  throw diagnose("E1106", {
    message: `the file holds ${shown(content)}, not a study`,
    where: file,
    help: "write settings by name, steps: 300, or in TypeScript export default defineStudy({ … })",
  });
}
