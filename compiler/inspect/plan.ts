/** Prints a plan as tables: memory by role, and the steps with their traffic and work. */
import type { Compilation } from "../compile.ts";
import type { Plan, PlanTensor } from "../plan.ts";
import { countWork, type RegionWork } from "./count.ts";
import { columns, section } from "./names.ts";

/** Bytes are in MiB, work in millions of multiplications: as `countWork` counts them. */
export function printPlan(compilation: Compilation): string {
  const { plan } = compilation;
  return `${[
    `plan ${plan.name} for ${plan.target}, profile ${plan.profile}`,
    "",
    ...section("buffers", bufferLines(plan)),
    "",
    ...section("memory", memoryLines(plan)),
    "",
    ...section(
      `steps (${plan.steps.length}, with ${plan.kernels.length} different kernels)`,
      stepLines(plan, countWork(compilation).regions),
    ),
  ].join("\n")}\n`;
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(3);

function bufferLines({ buffers, parameters, states, inputs, outputs }: Plan): string[] {
  const typed = (t: PlanTensor) => `${t.name} ${t.stored ?? t.dtype}[${t.shape.join(", ")}]`;
  const rows = buffers.map(({ role, bytes, name }, i) => {
    const here = (t: PlanTensor) => t.buffer === i;
    const words = {
      weights: parametersIn(parameters.filter(here)),
      arena: "results that live for a while",
      input: inputs.filter(here).map(typed).join(", "),
      output: outputs.filter(here).map(typed).join(", "),
      state: [name, ...[...parameters, ...states, ...outputs].filter(here).map(typed)].join(" "),
    }[role];
    return [String(i), role, mebibytes(bytes).padStart(10), words];
  });
  return columns([["", "role", "MiB".padStart(10), "holds"], ...rows]);
}

function parametersIn(all: readonly PlanTensor[]): string {
  const laid = all.filter(({ panels }) => panels).length;
  return `${all.length} parameters${laid > 0 ? `, ${laid} of them in panels` : ""}`;
}

function memoryLines({ buffers, arenaLowerBound }: Plan): string[] {
  const sums = new Map<string, number>();
  for (const { role, bytes } of buffers) sums.set(role, (sums.get(role) ?? 0) + bytes);
  const arena = sums.get("arena") ?? 0;
  const rows = [...sums].map(([role, bytes]) => [
    role,
    mebibytes(bytes).padStart(10),
    role === "arena" && arena > 0
      ? `${mebibytes(arenaLowerBound)} live at one step: ${Math.round((100 * arenaLowerBound) / arena)} % of the arena`
      : "",
  ]);
  const total = buffers.reduce((sum, b) => sum + b.bytes, 0);
  return columns([...rows, ["total", mebibytes(total).padStart(10), ""]]);
}

function stepLines(plan: Plan, work: readonly RegionWork[]): string[] {
  const heading = ["", "kernel", "groups", "reads MiB", "writes MiB", "Mmul", "makes"];
  const right = (cells: readonly string[]) =>
    cells.map((cell, i) => (i >= 3 && i <= 5 ? cell.padStart(heading[i]!.length) : cell));
  const rows = plan.steps.map((step, i) => {
    const { read, written, multiplications } = work[i]!;
    return right([
      String(i),
      plan.kernels[step.kernel]!.name,
      step.groups.join(" x "),
      mebibytes(read),
      mebibytes(written),
      (multiplications / 1e6).toFixed(2),
      step.label,
    ]);
  });
  return columns([heading, ...rows]);
}
