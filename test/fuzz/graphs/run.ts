/** Runs a program on a device, as often as its states change, with its own weights. */
import { type CompileOptions, compile } from "../../../compiler/compile.ts";
import type { Graph } from "../../../compiler/graph/graph.ts";
import type { Plan } from "../../../compiler/plan.ts";
import type { Device, Numbers } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { bytesSource, openWeights, writeSafetensors } from "../../../runtime/weights/index.ts";
import { isLeaf, live, nameOf, type Program } from "./program.ts";
import { valuesOf } from "./values.ts";

export type Outputs = Record<string, Numbers>;

export interface Ran {
  readonly plan: Plan;
  readonly runs: readonly Outputs[];
}

/** Compiles for the device and runs `times` times; states go on from run to run. */
export async function runOn(
  device: Device,
  { graph, program, times }: { graph: Graph; program: Program; times: number },
  options: CompileOptions,
  more: Readonly<Record<string, Numbers>> = {},
): Promise<Ran> {
  const plan = compile(graph, { ...options, target: device.target });
  const inputs: Record<string, Numbers> = { ...more };
  const weights = new Map<
    string,
    { dtype: "f32"; shape: readonly number[]; data: Uint8Array<ArrayBuffer> }
  >();
  for (const at of live(program)) {
    const leaf = program.statements[at]!;
    if (!isLeaf(leaf) || leaf.source === "state") continue;
    const { data, dtype, shape } = valuesOf(leaf);
    const name = nameOf(leaf, at);
    if (leaf.source === "parameter")
      weights.set(name, {
        dtype: "f32",
        shape,
        data: new Uint8Array(Float32Array.from(data).buffer),
      });
    else
      inputs[name] =
        dtype === "f32"
          ? Float32Array.from(data)
          : dtype === "i32"
            ? Int32Array.from(data)
            : Uint32Array.from(data);
  }
  const wanted = new Set(plan.parameters.map((p) => p.name));
  const own = new Map([...weights].filter(([name]) => wanted.has(name)));
  const opened =
    own.size > 0 ? { weights: await openWeights(bytesSource("drawn", writeSafetensors(own))) } : {};
  const session = await createSession(plan, device, opened);
  try {
    const asked = new Set(plan.inputs.map((t) => t.name));
    const given = Object.fromEntries(Object.entries(inputs).filter(([name]) => asked.has(name)));
    const runs: Outputs[] = [];
    const written = times === 1 ? [] : plan.states.map((t) => t.name);
    for (let i = 0; i < times; i++) {
      const outputs = await session.run(i === 0 ? given : {});
      // States that no output reads count too.
      runs.push({ ...outputs, ...(await session.read(written)) });
    }
    return { plan, runs };
  } finally {
    session.close();
  }
}
