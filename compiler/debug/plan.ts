/** Prints a plan as tables: memory by role, and the steps with their traffic and work. */
import type { Compilation } from "../compile.ts";
import type { Region } from "../fuse/region.ts";
import { elements } from "../graph/tensor.ts";
import type { ElementOp, KernelOp } from "../op.ts";
import type { Plan, PlanStep, PlanTensor } from "../plan.ts";
import { columns, section } from "./names.ts";

/** `Compilation` of the plan; bytes are in MiB, work in millions of multiplications. */
export function printPlan({ plan, fusion }: Compilation): string {
  return `${[
    `plan ${plan.name} for ${plan.target}, profile ${plan.profile}`,
    "",
    ...section("buffers", bufferLines(plan)),
    "",
    ...section("memory", memoryLines(plan)),
    "",
    ...section(
      `steps (${plan.steps.length}, with ${plan.kernels.length} different kernels)`,
      stepLines(plan, fusion.regions),
    ),
  ].join("\n")}\n`;
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(3);

function bufferLines({ buffers, parameters, states, inputs, outputs }: Plan): string[] {
  const typed = (t: PlanTensor) => `${t.name} ${t.stored ?? t.dtype}[${t.shape.join(", ")}]`;
  const rows = buffers.map(({ role, bytes, name }, i) => {
    const here = (t: PlanTensor) => t.buffer === i;
    const words = {
      weights: `${parameters.filter(here).length} parameters`,
      arena: "results that live for a while",
      input: inputs.filter(here).map(typed).join(", "),
      output: outputs.filter(here).map(typed).join(", "),
      state: [name, ...[...parameters, ...states, ...outputs].filter(here).map(typed)].join(" "),
    }[role];
    return [String(i), role, mebibytes(bytes).padStart(10), words];
  });
  return columns([["", "role", "MiB".padStart(10), "holds"], ...rows]);
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

function stepLines(plan: Plan, regions: readonly Region[]): string[] {
  const heading = ["", "kernel", "groups", "reads MiB", "writes MiB", "Mmul", "makes"];
  const right = (cells: readonly string[]) =>
    cells.map((cell, i) => (i >= 3 && i <= 5 ? cell.padStart(heading[i]!.length) : cell));
  const rows = plan.steps.map((step, i) => {
    const traffic = bytesOf(plan, step);
    return right([
      String(i),
      plan.kernels[step.kernel]!.name,
      step.groups.join(" x "),
      mebibytes(traffic.read),
      mebibytes(traffic.written),
      (workOf(regions[i]!) / 1e6).toFixed(2),
      step.label,
    ]);
  });
  return columns([heading, ...rows]);
}

/** What a step binds: a kernel may read a tensor several times, mostly from a cache. */
function bytesOf(plan: Plan, step: PlanStep) {
  const { params } = plan.kernels[step.kernel]!;
  let [read, written] = [0, 0];
  step.bindings.forEach(({ bytes }, i) => {
    if (params[i]!.writes) written += bytes;
    else read += bytes;
  });
  return { read, written };
}

/** The anchor's own multiplications; for a map, those of everything that melted into it. */
function workOf({ anchor, nodes }: Region): number {
  if (anchor.op.kind === "kernel") {
    const types = anchor.inputs.map((x) => x.type);
    return (anchor.op as KernelOp).work(types, anchor.attrs);
  }
  const each = nodes.reduce((sum, { op, attrs }) => {
    if (op.kind !== "element") return sum;
    const { cost } = op as ElementOp;
    return sum + (typeof cost === "number" ? cost : cost(attrs));
  }, 0);
  return each * elements(anchor.types[0]!.shape);
}
