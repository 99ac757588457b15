/**
 * `inarch plan MODEL [--train] [--budget 4GiB]`: how much memory a model takes to run or to train,
 * before anything runs. No device is needed and no weights are read.
 */
import { type ArgsDef, defineCommand } from "citty";
import { loadModel } from "../build/load-model.ts";
import { inUsersWords } from "../build/user-error.ts";
import { formatBytes, parseBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import { type MethodName, methodNames } from "../training/forecast/method.ts";
import { type ProgramsForecast, planPrograms } from "../training/forecast/programs.ts";
import {
  type OptimiserName,
  optimiserNames,
  planTraining,
  type TrainingForecast,
} from "../training/forecast/training.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { limitsFlag, profileOf } from "./arguments/limits.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";
import { precisionFlag } from "./arguments/precision.ts";

const args = {
  ...modelArguments,
  train: {
    type: "boolean",
    default: false,
    description: "plan a training step instead of running the programs",
  },
  budget: {
    type: "string",
    valueHint: "SIZE",
    description:
      "the memory there is, such as 4GiB; training then computes again what does not fit",
  },
  method: {
    type: "enum",
    options: [...methodNames] as MethodName[],
    description:
      "with --train, what is grafted on a SAM, conv-lora unless told; a file brings its own adapters",
  },
  optimiser: {
    type: "enum",
    options: [...optimiserNames] as OptimiserName[],
    description: "with --train, the optimiser, adamW unless told",
  },
  limits: limitsFlag,
  precision: precisionFlag,
  json: { type: "boolean", default: false, description: "print the forecast as JSON" },
} satisfies ArgsDef;

export const planCommand = defineCommand({
  meta: { name: "plan", description: "forecast the memory that a model takes" },
  args,
  async run({ args: given, rawArgs }) {
    const budget = given.budget === undefined ? undefined : parseBytes(given.budget);
    if (!given.train && (given.method ?? given.optimiser) !== undefined)
      throw diagnose("E503", {
        message: `--${given.method ? "method" : "optimiser"} goes with --train`,
        where: "inarch plan",
        help: "add --train, or leave it out",
      });
    const loaded = await loadModel(given.model, { config: given.config });
    const wanted = repeated(rawArgs, "program", args);
    const dims = parseDims(repeated(rawArgs, "dim", args));
    const profile = await profileOf(given.limits);
    const { method, optimiser, precision } = given;
    const request = { model: loaded.model, dims, profile, precision, budget };
    const chosen = {
      ...(method ? { method } : {}),
      ...(optimiser ? { optimiser } : {}),
      ...oneProgram(given.train, wanted),
    };
    const forecast = inUsersWords(loaded.file, () =>
      given.train
        ? planTraining({ ...request, ...chosen })
        : planPrograms({ ...request, programs: programsOf(loaded.model, wanted) }),
    );
    const describe = () =>
      "programs" in forecast ? describePrograms(forecast) : describeTraining(forecast);
    process.stdout.write(given.json ? `${JSON.stringify(forecast, null, 2)}\n` : describe());
  },
});

/** A training step runs one program: the model's first unless given. Errors: E503. */
function oneProgram(train: boolean, [program, surplus]: readonly string[]) {
  if (!train || program === undefined) return {};
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
