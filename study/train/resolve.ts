/** What is asked of a run becomes its settings: with its preset, what is usual, and what the set says. */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { checkValues } from "../../diagnostics/values.ts";
import {
  belowOne,
  check,
  count,
  countFromZero,
  fromZero,
  positive,
} from "../../training/settings.ts";
import { classesOf, type TaskKind } from "./model.ts";
import { presetNamed } from "./presets.ts";
import {
  type AskedSettings,
  type LossName,
  type MetricName,
  type RunSettings,
  settingWants,
  usualSettings,
} from "./settings.ts";
import type { Tasks } from "./targets.ts";

/** All settings that do not depend on the set, and those of the others that were asked for. */
export type CheckedSettings = Omit<RunSettings, Open | "ranks"> &
  Pick<AskedSettings, Open | "epochs">;
type Open = "loss" | "metric" | "steps" | "validateEvery";

/**
 * What is asked for, with its preset and what is usual. `of` is what messages call it.
 * @throws E460 and E465 for names and values that settings do not have, E720 for numbers out of range, E1106 for a
 * preset that there is not, and for settings that exclude each other.
 */
export function settingsFrom(given: AskedSettings, of = "a run"): CheckedSettings {
  checkOptions<AskedSettings>(of, given, settingWants);
  checkValues<AskedSettings>(of, given, settingWants);
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const preset = given.preset === undefined ? {} : presetNamed(given.preset).settings;
  const { steps: _, validateEvery: __, ...usual } = usualSettings;
  const known: AskedSettings = { ...preset, ...said };
  const both = given.steps !== undefined && given.epochs !== undefined;
  const once = given.steps === undefined ? known : { ...known, epochs: given.epochs };
  const all = { ...usual, ...once } as CheckedSettings;
  if (both)
    throw diagnose("E1106", {
      message: `${of} has ${given.steps} steps and ${given.epochs} epochs`,
      help: "give one of them",
    });
  checkNumbers(of, all);
  return all;
}

function checkNumbers(of: string, all: CheckedSettings): void {
  const { steps = 1, validateEvery = 1, epochs = 1, classWeights } = all;
  check(of, {
    steps: [steps, count],
    epochs: [epochs, positive],
    batch: [all.batch, count],
    micro: [all.micro, count],
    maskTokens: [all.maskTokens, count],
    rate: [all.rate, positive],
    warmup: [all.warmup, belowOne],
    decay: [all.decay, fromZero],
    clip: [all.clip, fromZero],
    validateEvery: [validateEvery, count],
    patience: [all.patience, fromZero],
    size: [all.size, fromZero],
    seed: [all.seed, countFromZero],
  });
  for (const [name, weight] of Object.entries(all.taskWeights))
    check(of, { [`the weight of the task ${name}`]: [weight, fromZero] });
  if (Array.isArray(classWeights))
    classWeights.forEach((weight: number, label) => {
      check(of, { [`the weight of class ${label}`]: [weight, fromZero] });
    });
  if (all.batch % all.micro === 0) return;
  throw diagnose("E1106", {
    message: `${of} has ${all.micro} micro-steps of a batch of ${all.batch}`,
    help: "give as many micro-steps as divide the batch",
  });
}

/** What the settings are for. */
export interface SettingsTarget {
  readonly kind: TaskKind;
  readonly tasks: Tasks;
  /** Pictures to train on. */
  readonly pictures: number;
  /** Processes that share each step; 1 unless given. */
  readonly ranks?: number | undefined;
}

/**
 * The settings of a run on a set: nothing is left open.
 * @throws E1106 for a loss, a metric or weights that the set's task does not have.
 */
export function resolveSettings(
  { epochs, ...checked }: CheckedSettings,
  { kind, tasks, pictures, ranks = 1 }: SettingsTarget,
): RunSettings {
  const classes = classesOf(tasks, kind);
  const losses = lossesOf[kind];
  const metrics = metricsOf[kind];
  const { loss = losses[0]!, metric = metrics[0]!, classWeights, batch } = checked;
  const task = wordsOf[kind](classes);
  const refuse = (what: string, given: string, others: readonly string[]) =>
    diagnose("E1106", {
      message: `the ${what} ${given} is none of ${task}`,
      help: `give ${others.map((name) => `"${name}"`).join(" or ")}`,
    });
  if (!losses.includes(loss)) throw refuse("loss", `"${loss}"`, losses);
  if (!metrics.includes(metric)) throw refuse("metric", `"${metric}"`, metrics);
  if (batch % (ranks * checked.micro) !== 0)
    throw diagnose("E1106", {
      message: `${ranks} processes with ${checked.micro} micro-steps each cannot share a batch of ${batch}`,
      help: "give a batch that they divide: --batch counts the pictures of all of them",
    });
  checkTaskWeights(checked, kind, tasks);
  checkClassWeights(classWeights, tasks);
  const epoch = Math.max(1, Math.ceil(pictures / batch));
  const { steps = epochs === undefined ? usualSettings.steps : undefined } = checked;
  const usualEvery = steps === undefined ? epoch : usualSettings.validateEvery;
  return {
    ...{ ...checked, loss, metric, ranks },
    steps: steps ?? Math.max(1, Math.ceil((epochs! * pictures) / batch)),
    validateEvery: checked.validateEvery ?? usualEvery,
  };
}

/** The first is usual. */
const lossesOf: Readonly<Record<TaskKind, readonly LossName[]>> = {
  mask: ["structure", "balanced-bce"],
  classes: ["entropy-dice", "set"],
  dense: ["multi-task"],
};

const wordsOf: Readonly<Record<TaskKind, (classes: readonly string[]) => string>> = {
  mask: () => "one mask",
  classes: ({ length }) => `${length} classes`,
  dense: () => "several tasks",
};

const metricsOf: Readonly<Record<TaskKind, readonly MetricName[]>> = {
  mask: ["iou", "pictureIou", "ber", "sMeasure", "loss"],
  classes: ["iou", "loss"],
  dense: ["loss"],
};

/** @throws E1106 for weights of classes that no task has, or of which it is not known whose they are. */
function checkClassWeights(weights: CheckedSettings["classWeights"], tasks: Tasks): void {
  if (weights === "none") return;
  const refuse = (message: string, help: string) => diagnose("E1106", { message, help });
  const ofLabels = Object.entries(tasks).filter(([, task]) => task.kind === "labels");
  const [[, { classes = [] }] = ["", {}], ...others] = ofLabels as [[string, Tasks[string]]];
  if (ofLabels.length === 0) throw refuse("no task has classes to weigh", "leave classWeights out");
  if (!Array.isArray(weights)) return;
  if (others.length > 0)
    throw refuse(
      `weights of classes are given, and ${ofLabels.map(([name]) => name).join(" and ")} have classes`,
      'give classWeights: "auto"',
    );
  if (weights.length !== classes.length)
    throw refuse(
      `${weights.length} weights are given for ${classes.length} classes`,
      `give one for each, in this order: ${classes.join(", ")}`,
    );
}

/** @throws E1106 for weights that no task of the set has. */
function checkTaskWeights({ taskWeights }: CheckedSettings, kind: TaskKind, tasks: Tasks): void {
  const names = [...Object.keys(tasks), ...Object.values(tasks).map((task) => task.kind)];
  const refuse = (message: string, help: string) => diagnose("E1106", { message, help });
  const given = Object.keys(taskWeights);
  if (given.length > 0 && kind !== "dense")
    throw refuse("a set of one task of labels has no weights of tasks", "leave taskWeights out");
  const sum = Object.entries(tasks).reduce(
    (all, [name, task]) => all + (taskWeights[name] ?? taskWeights[task.kind] ?? 1),
    0,
  );
  if (!(sum > 0)) throw refuse("no task has a weight", "give one of them more than 0");
  // A preset names kinds that a set need not have.
  const strange = given.find((name) => !names.includes(name) && !isKind(name));
  if (strange === undefined) return;
  const near = meant(strange, names);
  throw refuse(
    `taskWeights names "${strange}", and the tasks are ${Object.keys(tasks).join(", ")}`,
    near === undefined ? "name a task, or a kind of task" : `write "${near}"`,
  );
}

const isKind = (name: string) => ["labels", "depth", "normals"].includes(name);
