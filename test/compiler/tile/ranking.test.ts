/**
 * The models that rank tiles, against the time that tiles take on the device at hand, for sizes of SAM's and of
 * ViT's: a model that is wrong about a device costs more there than any kernel gains.
 */
import { expect } from "vitest";
import { compileAlone, compileStages } from "../../../compiler/compile.ts";
import { candidatesOf } from "../../../compiler/forms/pick.ts";
import type { Region } from "../../../compiler/fuse/region.ts";
import { graphOf, input } from "../../../compiler/index.ts";
import type { Variant } from "../../../compiler/op.ts";
import { gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import { takeOut } from "../../../compiler/tuning/alone.ts";
import { showTile } from "../../../compiler/tuning/tuning.ts";
import { attention, matmul } from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { deviceTest } from "../../support/device.ts";

const f32 = (name: string, shape: readonly number[]) => input(name, "f32", shape);
const attend = (heads: number, queries: number, keys: number, depth: number) =>
  attention(
    f32("q", [1, heads, queries, depth]),
    f32("k", [1, heads, keys, depth]),
    f32("v", [1, heads, keys, depth]),
  );

/** Gradients of attention that store no scores; those that the kernel gives are asked for. */
function gradientsOf(heads: number, tokens: number, depth: number, asked: readonly number[]) {
  const [q, k, v, g] = ["q", "k", "v", "g"].map((name) => f32(name, [1, heads, tokens, depth]));
  const found = gradient([attention(q!, k!, v!)], [g!], [q!, k!, v!]);
  return asked.map((i) => found[i]!);
}

const kernels: Readonly<Record<string, () => Tensor | readonly Tensor[]>> = {
  "attention in a window of SAM's, and of a ViT": () => attend(2, 196, 196, 64),
  "attention of a decoder's tokens to an image": () => attend(4, 7, 1024, 16),
  "attention of an image to a decoder's tokens": () => attend(4, 1024, 7, 16),
  "the gradient of attention's queries": () => gradientsOf(2, 256, 64, [0]),
  "the gradients of attention's keys and values": () => gradientsOf(2, 256, 64, [1, 2]),
  "a product of a window's rows": () => matmul(f32("a", [196, 192]), f32("b", [192, 384])),
  "a product of a decoder's tokens": () => matmul(f32("a", [7, 256]), f32("b", [256, 512])),
};

/** Where in the ranking tiles are taken from: the first, one that is near it, and the last. */
const places = [0, 0.2, 1];
const rounds = 7;

/** Of all processors together: other programs on the machine take none of it. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of each variant: the least of several runs, which take turns. */
async function timesOf(
  device: Device,
  region: Region,
  profile: Profile,
  variants: readonly Variant[],
): Promise<readonly number[]> {
  const { target, capabilities } = device;
  const clock = capabilities.deviceClass === "software" ? processorTime : () => performance.now();
  const alone = takeOut(region);
  const loading = variants.map(async (variant) => {
    const plan = compileAlone(alone.graph, { ...alone.region, variant }, { target, profile });
    const buffers = await device.allocate(plan.buffers);
    const program = await device.load(plan, buffers);
    const { buffer, offset } = plan.outputs[0]!;
    return async () => {
      const start = clock();
      await program.run();
      await device.read(buffers[buffer]!, offset, 1, "f32");
      return clock() - start;
    };
  });
  const runs = await Promise.all(loading);
  for (const run of runs) await run();
  const least = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++)
    for (const [i, run] of runs.entries()) least[i] = Math.min(least[i]!, await run());
  return least;
}

/** The variants at those places of the ranking of a kernel, the last of the graph's, and their times. */
async function ranked(
  make: () => Tensor | readonly Tensor[],
  profileOf: (own: Profile) => Profile,
) {
  const { device } = await openDevice({ kind: "webgpu" });
  const profile = profileOf(deviceProfile(device.capabilities));
  const tensors = [make()].flat();
  const graph = graphOf(tensors.map((tensor, i) => ({ name: `y${i}`, tensor })));
  const { regions } = compileStages(graph, { profile, target: device.target }).fusion;
  const region = regions.findLast(({ variant }) => variant)!;
  const { variants } = candidatesOf(region.anchor, profile);
  const sample = places.map((place) => variants[Math.round(place * (variants.length - 1))]!);
  const times = await timesOf(device, region, profile, sample);
  device.destroy();
  const words = sample.map(({ tile }, i) => `${showTile(tile)}: ${times[i]!.toFixed(2)} ms`);
  return { times, words: words.join("; ") };
}

for (const [name, make] of Object.entries(kernels)) {
  deviceTest(
    `${name}: what is ranked first is about the fastest, what is ranked last is slow`,
    async () => {
      const { times, words } = await ranked(make, (own) => ({ ...own, subgroup: 0 }));
      expect(times[0], words).toBeLessThan(1.3 * Math.min(...times));
      expect(times.at(-1), words).toBeGreaterThan(1.5 * times[0]!);
    },
  );

  deviceTest(`${name}: what is used where nothing is known is about the fastest`, async () => {
    const { times, words } = await ranked(make, () => defaultProfile);
    expect(times[0], words).toBeLessThan(1.3 * Math.min(...times));
  });
}
