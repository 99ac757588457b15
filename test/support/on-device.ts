/** Runs graphs on the WebGPU device, from plain arrays. */
import { compile } from "../../compiler/compile.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { defaultProfile, deviceProfile } from "../../compiler/profile.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { createSession } from "../../runtime/session.ts";
import type { Arrays, Results } from "../../verify/ops/evaluate.ts";

/** Compiles a graph for the device that is there, and runs it once. */
export async function runOnDevice(graph: Graph, inputs: Arrays): Promise<Results> {
  const { device } = await openDevice({ kind: "webgpu" });
  try {
    const { subgroup, slowBarriers } = deviceProfile(device.capabilities);
    const plan = compile(graph, {
      target: device.target,
      profile: { ...defaultProfile, subgroup, slowBarriers },
    });
    const session = await createSession(plan, device);
    const given = plan.inputs.map((t) => {
      const values = [...inputs[t.name]!];
      return [t.name, t.dtype === "f32" ? Float32Array.from(values) : values] as const;
    });
    const results = await session.run(Object.fromEntries(given));
    return Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
  } finally {
    device.destroy();
  }
}
