/** The memory that programs take to run: weights, activations, inputs and outputs. */
import { compile } from "../../compiler/compile.ts";
import { type Model, traceProgram } from "../../compiler/graph/model.ts";
import type { Dims } from "../../compiler/graph/sources.ts";
import type { Profile } from "../../compiler/profile.ts";
import type { Precision } from "../../compiler/storage/formats.ts";
import { formatBytes } from "../../diagnostics/bytes.ts";
import { diagnose } from "../../diagnostics/index.ts";
import type { WeightFormat } from "../../formats/index.ts";

/** Bytes, steps and kernels of each program by itself. */
export interface ProgramsForecast {
  readonly model: string;
  readonly budget?: number | undefined;
  readonly programs: Readonly<Record<string, ProgramForecast>>;
}

interface ProgramForecast {
  readonly weights: number;
  readonly activations: number;
  readonly inputsAndOutputs: number;
  readonly total: number;
  /** Dispatches of one run. */
  readonly steps: number;
  /** Kernels that a device compiles for them: steps share them. */
  readonly kernels: number;
}

export interface ProgramsRequest {
  readonly model: Model;
  readonly programs: readonly string[];
  readonly dims: Dims;
  readonly profile: Profile;
  /** `wgsl` unless given. */
  readonly target?: string;
  /** `f32` unless given. */
  readonly precision?: Precision;
  /** Of frozen parameters; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  /** In bytes, for each program. */
  readonly budget?: number | undefined;
}

/** @throws E140 for a program that takes more than the budget, and what compiling throws. */
export function planPrograms(request: ProgramsRequest): ProgramsForecast {
  const { model, programs, dims, budget, ...options } = request;
  const { name } = model;
  const forecasts = programs.map((program) => {
    const sums = { weights: 0, activations: 0, inputsAndOutputs: 0 };
    const graph = traceProgram(model, program, dims);
    const { buffers, ...plan } = compile(graph, options);
    for (const { role, bytes } of buffers) {
      if (role === "weights") sums.weights += bytes;
      else if (role === "arena") sums.activations += bytes;
      else sums.inputsAndOutputs += bytes;
    }
    const total = sums.weights + sums.activations + sums.inputsAndOutputs;
    if (budget !== undefined && total > budget)
      throw diagnose("E140", {
        message: `program ${program} of ${name} takes ${formatBytes(total)} (${total} bytes), but the budget is ${formatBytes(budget)} (${budget} bytes)`,
        help: `a budget of ${Math.ceil(total / 2 ** 20)}MiB would do; a smaller batch or a smaller image needs less`,
      });
    const [steps, kernels] = [plan.steps.length, plan.kernels.length];
    return [program, { ...sums, total, steps, kernels }] as const;
  });
  return { model: name, budget, programs: Object.fromEntries(forecasts) };
}
