/** A bundle as generated modules hold it, and plans of whoever means ill. */
import { profileEntry } from "../../../build/bundle-content.ts";
import { compile, type Plan, traceProgram } from "../../../compiler/index.ts";
import { type Bundle, openBundle } from "../../../runtime/bundle/bundle.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSessions } from "../../../runtime/programs.ts";
import { writeWithChecksums } from "../../../runtime/weights/index.ts";
import { bundleOf, weightsOf } from "../../support/bundles.ts";
import { openBytes } from "../../support/weights-files.ts";
import { smallModel } from "./model.ts";
import { base, digest, type Files, type Format, once, readTensors } from "./whole.ts";

const plainModel = smallModel("plain");
const plans = new Map<string, Plan>(
  ["forward", "twice"].map((program) => [program, compile(traceProgram(plainModel, program), {})]),
);
const weights = writeWithChecksums(base);
const whole = bundleOf({ name: "plain", plans, weights });
const separator = "\n\0\n";

/** What the module of the profile holds, and the weights beside it. */
const built = once(async (): Promise<Files> => {
  const { content } = profileEntry({ name: "only", plans });
  return new Map([
    ["plans", encode(content.plans)],
    ["kernels", encode(content.kernels.join(separator))],
    ["weights", weights],
  ]);
});

const encode = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
const decode = (bytes: Uint8Array | undefined) => new TextDecoder("latin1").decode(bytes);

/** The bundle with what the files hold, under its own hash. */
async function bundleIn(files: Files): Promise<Bundle> {
  const bundle = await whole;
  const held = {
    plans: decode(files.get("plans")),
    kernels: decode(files.get("kernels")).split(separator),
  };
  return {
    ...bundle,
    profiles: [{ ...bundle.profiles[0]!, load: async () => held }],
    weights: await weightsOf(weights, Uint8Array.from(files.get("weights") ?? [])),
  };
}

/** Stands in where there is no GPU: a bundle is opened for a target. */
const anyGpu: Device = { ...referenceDevice(), target: "wgsl" };

async function readBundle(files: Files, gpu: Device | undefined) {
  const { plans, openWeights } = await openBundle(await bundleIn(files), gpu ?? anyGpu);
  const weights = await openWeights();
  const read = await readTensors(weights);
  await weights.close();
  return digest(read, JSON.stringify(plans));
}

/** Plans that come from anywhere, with the kernels of the bundle. */
async function runPlans(files: Files, gpu: Device | undefined) {
  const texts = decode(files.get("kernels")).split(separator);
  const plans = JSON.parse(decode(files.get("plans"))) as Readonly<Record<string, Plan>>;
  for (const plan of Object.values(Object(plans)) as { kernels?: unknown }[])
    if (Array.isArray(plan?.kernels))
      plan.kernels = plan.kernels.map((kernel) =>
        typeof kernel === "object" && kernel ? { ...kernel, source: texts[kernel.text] } : kernel,
      );
  const weights = await openBytes(Uint8Array.from(files.get("weights") ?? []));
  const sessions = await createSessions(Object(plans), gpu ?? anyGpu, { weights });
  for (const { plan, run, close } of Object.values(sessions)) {
    const sizes = plan.inputs.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    const ones = plan.inputs.map(({ name: of }, n) => [of, Array(sizes[n]).fill(1)] as const);
    // Inputs that nobody could give, and devices that only look at plans.
    if (gpu && sizes.every((n) => n < 1e6)) await run(Object.fromEntries(ones));
    await close();
  }
  return digest(JSON.stringify(plans));
}

export const bundleFormats = (gpu: Device | undefined): Readonly<Record<string, Format>> => ({
  bundle: {
    files: built,
    read: (files) => readBundle(files, gpu),
    own: true,
    share: 0.6,
  },
  "plans of any origin": {
    files: built,
    read: (files) => runPlans(files, gpu),
    share: 1,
    json: {
      of: (files) => JSON.parse(decode(files.get("plans"))),
      put: (files, json) => new Map([...files, ["plans", encode(JSON.stringify(json) ?? "")]]),
    },
  },
});
