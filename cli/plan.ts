/**
 * `inarch plan MODEL [--train] [--budget 4GiB]`: how much memory a model takes to run or to train,
 * before anything runs. No device is needed and no weights are read.
 */

import { formatBytes, parseBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { ProgramsForecast } from "../training/forecast/programs.ts";
import type { TrainingForecast } from "../training/forecast/training.ts";
import { defineCommand } from "./arguments/command.ts";
import { parseDims } from "./arguments/dims.ts";
import { limitsFlag, profileOf, targetFlag } from "./arguments/limits.ts";
import { methodFlag } from "./arguments/method.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";
import { precisionFlags, precisionOf } from "./arguments/precision.ts";

export const command = defineCommand({
  description: "forecast the memory that a model takes to run or to train",
  async args() {
    const { optimiserNames } = await import("../training/forecast/training.ts");
    return {
      ...modelArguments,
      train: {
        type: "boolean",
        description: "plan a training step instead of running the programs",
      },
      budget: {
        type: "string",
        valueHint: "SIZE",
        description:
          "the memory there is, such as 4GiB; training then computes again what does not fit",
      },
      method: {
        ...(await methodFlag()),
        description:
          "with --train, what is grafted on a SAM, conv-lora unless told; a file brings its own adapters",
      },
      optimiser: {
        type: "enum",
        options: optimiserNames,
        description: "with --train, the optimiser, adamW unless told",
      },
      target: { ...(await targetFlag()), description: "the target that the plans are for" },
      limits: limitsFlag,
      ...precisionFlags,
    } as const;
  },
  async run(given) {
    const budget = given.budget === undefined ? undefined : parseBytes(given.budget);
    const { train, method, optimiser, target } = given;
    if (!train && (method ?? optimiser) !== undefined)
      throw diagnose("E503", {
        message: `--${method ? "method" : "optimiser"} goes with --train`,
        where: "inarch plan",
        help: "add --train, or leave it out",
      });
    const { inUsersWords } = await import("../build/user-error.ts");
    const { model, file } = await modelOf(given);
    const dims = parseDims(given.dim);
    const profile = await profileOf(given.limits, target);
    const request = { model, dims, target, profile, budget, ...precisionOf(given) };
    if (train) {
      const { planTraining } = await import("../training/forecast/training.ts");
      const chosen = { ...(method ? { method } : {}), ...(optimiser ? { optimiser } : {}) };
      const program = oneProgram(given.program);
      const forecast = inUsersWords(file, () =>
        planTraining({ ...request, ...chosen, ...program }),
      );
      return { report: forecast, text: describeTraining(forecast) };
    }
    const { planPrograms } = await import("../training/forecast/programs.ts");
    const programs = await programsOf(model, given.program);
    const forecast = inUsersWords(file, () => planPrograms({ ...request, programs }));
    return { report: forecast, text: describePrograms(forecast) };
  },
});

/** A training step runs one program: the model's first unless given. Errors: E503. */
function oneProgram([program, surplus]: readonly string[]) {
  if (program === undefined) return {};
  if (surplus === undefined) return { program };
  throw diagnose("E503", {
    message: "--program is given several times, but a training step runs one",
    where: "inarch plan",
    help: `leave --program ${surplus} out`,
  });
}

function describePrograms({ programs, budget }: ProgramsForecast): string {
  return Object.entries(programs)
    .map(([program, { weights, activations, inputsAndOutputs, total, steps, kernels }]) =>
      lines([
        `running program ${program}`,
        row("weights", weights),
        row("activations", activations),
        row("inputs and outputs", inputsAndOutputs),
        row("in all", total, budget),
        ...counts(steps, kernels),
      ]),
    )
    .join("\n");
}

function describeTraining(forecast: TrainingForecast): string {
  const { bytes, budget, recomputed, parameters } = forecast;
  const share = ((100 * parameters.trained) / parameters.all).toFixed(2);
  const trained = `${parameters.trained.toLocaleString("en-US")} parameters train, ${share} % of all`;
  const again = `${(100 * recomputed).toFixed(1)} % of the work is done twice to stay within the budget`;
  return lines([
    `training ${forecast.model}, program ${forecast.program}`,
    `  ${[forecast.method, forecast.optimiser, forecast.loss].filter(Boolean).join(", ")}`,
    `  ${trained}`,
    row("frozen base", bytes.frozen),
    row("trained parameters", bytes.trained),
    row("gradients", bytes.gradients),
    ...(bytes.states > 0 ? [row("states", bytes.states)] : []),
    row("optimiser", bytes.optimiser),
    row("activations", bytes.activations),
    row("inputs and outputs", bytes.inputsAndOutputs),
    row("in all, at the peak", bytes.total, budget),
    ...(recomputed > 0 ? [`  ${again}`] : []),
    ...counts(forecast.steps, forecast.kernels),
  ]);
}

const lines = (text: readonly string[]) => `${text.join("\n")}\n`;

/** The right edge is that of the bytes' numbers. */
const counts = (steps: number, kernels: number): string[] =>
  Object.entries({ steps, "different kernels": kernels }).map(
    ([what, count]) => `  ${what.padEnd(22)}${count.toLocaleString("en-US").padStart(8)}`,
  );

const row = (what: string, bytes: number, budget?: number) =>
  `  ${what.padEnd(22)}${formatBytes(bytes).padStart(12)}${budget === undefined ? "" : `  of ${formatBytes(budget)}`}`;
