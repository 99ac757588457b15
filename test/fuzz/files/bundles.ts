/** A bundle as generated modules hold it, and plans of whoever means ill. */
import { profileEntry } from "../../../build/bundle-content.ts";
import { compile, type Plan, traceProgram } from "../../../compiler/index.ts";
import { type Bundle, contentHash, openBundle } from "../../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { writeWithChecksums } from "../../../runtime/weights/index.ts";
import { bundleOf, weightsOf } from "../../support/bundles.ts";
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

/** The bundle with what the files hold, under its own hash or under one that is right for it. */
async function bundleIn(files: Files, isRight: boolean): Promise<Bundle> {
  const bundle = await whole;
  const held = {
    plans: decode(files.get("plans")),
    kernels: decode(files.get("kernels")).split(separator),
  };
  const hash = isRight ? contentHash(held) : bundle.profiles[0]!.hash;
  return {
    ...bundle,
    profiles: [{ ...bundle.profiles[0]!, hash, load: async () => held }],
    weights: await weightsOf(weights, Uint8Array.from(files.get("weights") ?? [])),
  };
}

/** Stands in where there is no GPU: a bundle is opened for a target. */
const anyGpu: Device = { ...referenceDevice(), target: "wgsl" };

async function readBundle(files: Files, gpu: Device | undefined, isRight: boolean) {
  const bundle = await bundleIn(files, isRight);
  const { plans, openWeights } = await openBundle(bundle, gpu ?? anyGpu);
  const weights = await openWeights();
  const read = await readTensors(weights);
  await weights.close();
  if (isRight && gpu) {
    const placed = await loadBundle(bundle, gpu);
    for (const [program, plan] of Object.entries(plans)) {
      const sizes = plan.inputs.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
      // Inputs that nobody could give.
      if (sizes.some((n) => !(n < 1e6))) continue;
      const ones = plan.inputs.map(({ name: of }, n) => [of, Array(sizes[n]).fill(1)] as const);
      await placed.run(program, Object.fromEntries(ones));
    }
    await placed.close();
  }
  return digest(read, JSON.stringify(plans));
}

export const bundleFormats = (gpu: Device | undefined): Readonly<Record<string, Format>> => ({
  bundle: {
    files: built,
    read: (files) => readBundle(files, gpu, false),
    own: true,
    share: 0.6,
  },
  "plans under a right hash": {
    files: built,
    read: (files) => readBundle(files, gpu, true),
    share: 1,
    json: {
      of: (files) => JSON.parse(decode(files.get("plans"))),
      put: (files, json) => new Map([...files, ["plans", encode(JSON.stringify(json) ?? "")]]),
    },
  },
});
