/** What the device is, what it offers to whom, and whether it computes at all. */
import { input, trace } from "../../../compiler/index.ts";
import { diagnose } from "../../../diagnostics/index.ts";
import { add } from "../../../ops/index.ts";
import { openDevice, requestGpu } from "../../../runtime/node/index.ts";
import { examineMachine } from "../../../verify/machine.ts";
import type { Part, Setting } from "../part.ts";
import { openProgram } from "../programs.ts";
import { timeRuns } from "../timing.ts";
import { f32, openVariant } from "../variants.ts";

export const device: Part = {
  name: "device",
  about: "what the device is and offers, and whether it computes right",
  seconds: { full: [60, 30], small: [120, 60] },
  items: async (setting) => [
    { name: "doctor", run: () => askDoctor(setting) },
    ...toggles.map((names) => ({
      name: names.length === 0 ? "features" : `features with ${names.join(", ")}`,
      run: () => listFeatures(names, setting),
    })),
    { name: "dispatch and wait", run: () => timeNothing(setting) },
  ],
};

const toggles = [
  [],
  ["vulkan_enable_f16_on_nvidia"],
  ["vulkan_enable_f16_on_nvidia", "allow_unsafe_apis"],
] as const;

async function askDoctor({ tell }: Setting): Promise<void> {
  const report = await examineMachine();
  const { adapter, kernel, problems } = report;
  if (adapter) {
    const name = adapter.description || adapter.device;
    tell({ type: "device", name, kind: adapter.kind, facts: { ...report } });
  }
  for (const { code, message } of problems)
    tell({ type: "check", what: "doctor", passed: false, found: `${code}: ${message}` });
  if (kernel?.ok)
    tell({
      ...{ type: "check", what: "doctor's kernel", passed: true },
      found: `off by ${kernel.maxError.toExponential(1)}`,
    });
}

async function listFeatures(names: readonly string[], { tell }: Setting): Promise<void> {
  const { device: gpu, summary, destroy } = await requestGpu({ toggles: names });
  const { subgroupMinSize: least, subgroupMaxSize: most } = gpu.adapterInfo;
  const matrices = summary.matrices.map(
    ({ M, N, K, componentType, resultComponentType }) =>
      `${M} x ${N} x ${K} ${componentType} to ${resultComponentType}`,
  );
  tell({
    type: "note",
    text: [
      `features: ${[...gpu.features].sort().join(", ")}`,
      `subgroups of ${least === most ? least : `${least} to ${most}`}`,
      `fragments: ${matrices.join("; ") || "none"}`,
    ].join(". "),
  });
  destroy();
}

/** What a run costs that computes next to nothing. */
async function timeNothing({ tell }: Setting): Promise<void> {
  const graph = trace(() => ({ y: add(input("x", "f32", [256]), 1) }), {});
  const inputs = { x: new Float32Array(256) };
  const polling = await openVariant(f32);
  if (typeof polling === "string") throw diagnose("E406", { message: polling });
  const watched = await openProgram({ graph, inputs }, polling);
  await watched.run();
  const submitted = await timeRuns(watched);
  tell({
    type: "time",
    what: "a dispatch, one after another",
    system: "inarch",
    how: "f32",
    ...submitted,
  });
  const opened = await openDevice({ kind: "webgpu" });
  const slept = await openProgram({ graph, inputs }, { ...polling, device: opened.device });
  for (const [how, program] of [
    ["looking all the time", watched],
    ["sleeping between looks", slept],
  ] as const) {
    await program.run();
    const whole = await timeRuns({ ...program, submit: program.run, wait: async () => {} });
    tell({ type: "time", what: "256 numbers there and back", system: "inarch", how, ...whole });
    program.close();
  }
  opened.device.destroy();
}
