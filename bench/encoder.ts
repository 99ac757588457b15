/**
 * `npm run bench -- encoder [--size 224] [--runs 9] [--kernels]`: how long the image encoder of a
 * 224-pixel SAM takes (dim 384, depth 6, 6 heads, global blocks 2 and 5, window 14), whole runs with
 * the result read back, and the time of each kind of step where the device can tell.
 */
import { parseArgs } from "node:util";
import { compile, traceProgram } from "../compiler/index.ts";
import { deviceProfile } from "../compiler/profile.ts";
import { samModel } from "../models/index.ts";
import { hashedImage, hashedWeights } from "../models/sam/hashed.ts";
import { createSession, type StepTime } from "../runtime/index.ts";
import { openDevice } from "../runtime/node/index.ts";
import { smallSam } from "./problems/small-sam.ts";
import { byKernel } from "./report/kernels.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "224" },
    runs: { type: "string", default: "9" },
    kernels: { type: "boolean", default: false },
  },
});

const size = Number(values.size);
const config = smallSam(size);

const { device } = await openDevice();
const start = performance.now();
const plan = compile(traceProgram(samModel(config), "encode"), {
  name: "encode",
  target: device.target,
  profile: deviceProfile(device.capabilities),
});
const compiled = performance.now();
const session = await createSession(plan, device, { weights: hashedWeights(config, "bench") });
const image = hashedImage("bench", size);
await session.run({ image });
const first = performance.now();

const times: number[] = [];
for (let i = 0; i < Number(values.runs); i++) {
  const from = performance.now();
  await session.run({});
  times.push(performance.now() - from);
}
times.sort((a, b) => a - b);
const median = times[times.length >> 1]!;

console.log(`device            ${device.capabilities.name}`);
console.log(
  `encoder           ${size} px, dim 384, depth 6, ${plan.steps.length} dispatches, ${plan.kernels.length} kernels`,
);
console.log(`trace to plan     ${(compiled - start).toFixed(0)} ms`);
console.log(`to the first run  ${(first - compiled).toFixed(0)} ms (pipelines, weights)`);
console.log(
  `run               median ${median.toFixed(0)} ms, fastest ${times[0]!.toFixed(0)} ms of ${times.length}`,
);
if (values.kernels) printKernels(await session.profile());
session.close();
device.destroy();

function printKernels(steps: readonly StepTime[]): void {
  for (const { kernel, count, milliseconds } of byKernel(steps))
    console.log(
      `  ${milliseconds.toFixed(1).padStart(8)} ms  ${String(count).padStart(3)} x ${kernel}`,
    );
}
