/** The settings of a run: plain data, kept beside its results, and compared when it goes on. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  anything,
  checkValues,
  object,
  oneOf,
  text,
  type Wants,
} from "../../diagnostics/values.ts";
import type { MethodSettings } from "../../models/sam/presets/published.ts";
import { check, count, fromZero, positive } from "../../training/settings.ts";
import type { Augmentation, Fit } from "../data/view.ts";

export interface RunSettings {
  /** The method's published name: "conv-lora". */
  readonly method: string;
  /** Settings of its adapter that are not the published ones. */
  readonly methodSettings: MethodSettings;
  readonly steps: number;
  /** Pictures of a step. */
  readonly batch: number;
  /** Falls to 0 in a straight line. */
  readonly rate: number;
  readonly decay: number;
  /** The most that the norm of all gradients may be. */
  readonly clip: number;
  readonly seed: number;
  readonly fit: Fit;
  readonly augment: Augmentation;
  /** Steps between validations; the last step has one, too. */
  readonly validateEvery: number;
}

export const usualSettings: RunSettings = {
  method: "conv-lora",
  methodSettings: {},
  steps: 300,
  batch: 4,
  rate: 2e-3,
  decay: 0.01,
  clip: 1,
  seed: 1,
  fit: "square",
  augment: { mirror: 0.5 },
  validateEvery: 50,
};

const wants: Wants<RunSettings> = {
  method: text,
  methodSettings: object("settings by name"),
  steps: anything,
  batch: anything,
  rate: anything,
  decay: anything,
  clip: anything,
  seed: anything,
  fit: oneOf("square", "longest"),
  augment: object("an object of augmentations"),
  validateEvery: anything,
};

/** @throws E460 and E465 for names and values that settings do not have, E720 for numbers out of range. */
export function settingsFrom(given: Partial<RunSettings>): RunSettings {
  checkOptions<Partial<RunSettings>>("the settings of a run", given, wants);
  checkValues<Partial<RunSettings>>("the settings of a run", given, wants);
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const all: RunSettings = { ...usualSettings, ...said };
  check("the settings of a run", {
    steps: [all.steps, count],
    batch: [all.batch, count],
    rate: [all.rate, positive],
    decay: [all.decay, fromZero],
    clip: [all.clip, positive],
    validateEvery: [all.validateEvery, count],
  });
  return all;
}

/** What a run must go on with: its settings, and the items of its sets. */
export interface RunIdentity {
  readonly settings: RunSettings;
  readonly classes: readonly string[];
  readonly train: readonly string[];
  readonly validation: readonly string[];
}

/** @throws E1102 naming the first setting that differs. */
export function checkSame(before: RunIdentity, now: RunIdentity, where: string): void {
  const flat = ({ settings, ...sets }: RunIdentity) => ({ ...settings, ...sets });
  const [old, asked] = [flat(before), flat(now)] as Readonly<Record<string, unknown>>[];
  for (const name of Object.keys({ ...old, ...asked })) {
    const [was, is] = [old![name], asked![name]].map((value) => JSON.stringify(value) ?? "nothing");
    if (was === is) continue;
    const short = (value: string) => (value.length > 60 ? `${value.slice(0, 57)}…` : value);
    throw diagnose("E1102", {
      message: `the run was begun with ${name} ${short(was!)}, and is to go on with ${short(is!)}`,
      where,
      help: "give what it was begun with, or another folder",
    });
  }
}
