/** Training where no buffer holds all that trains: in parts, with the results that it has whole. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, defineModel, input, type Tensor } from "../../compiler/index.ts";
import { defaultProfile, type Profile } from "../../compiler/profile.ts";
import { linear } from "../../models/layers.ts";
import { hashedTensor } from "../../models/sam/hashed.ts";
import { mean, mul, relu, sub } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { plansOf } from "../../runtime/training/plan.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { compileTraining } from "../../training/compile.ts";
import { adamW } from "../../training/optimisers/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { openBytes } from "../support/weights-files.ts";

const [batch, width, layers] = [4, 16, 4];

const model = defineModel({
  name: "deep",
  build(p) {
    let h = input("x", "f32", [batch, width]) as Tensor<"f32">;
    for (let i = 0; i < layers; i++) h = relu(linear(p.at("layers", i), h, width, width));
    return { y: h };
  },
});

/** Some of the base trains, some does not; in the default limits all of it is in one part. */
const adapted = adapt(model, lora(), {
  where: "layers.*",
  train: ["layers.*.bias", "layers.2.**"],
});

/** The largest tensor fills a buffer. */
const tiny: Profile = { ...defaultProfile, maxBindingBytes: 1024, maxBufferBytes: 1024 };

const weights = () =>
  openBytes(
    writeSafetensors(
      new Map(
        Array.from({ length: layers }, (_, i) => i).flatMap((i) =>
          (
            [
              ["weight", [width, width]],
              ["bias", [width]],
            ] as const
          ).map(([name, shape]) => {
            const path = `layers.${i}.${name}`;
            const data = new Uint8Array(hashedTensor("parts", path, shape).buffer);
            return [path, { dtype: "f32", shape, data }] as const;
          }),
        ),
      ),
      {},
    ),
  );

const compiled = (device: Device, profile: Profile) =>
  compileTraining(adapted, {
    target: device.target,
    profile,
    loss: ({ y }) => {
      const difference = sub(y!, input("target", "f32", [batch, width]));
      return { square: mean(mul(difference, difference)) };
    },
    optimiser: adamW({ decay: 0.01 }),
    clip: 0.1,
    micro: 2,
    programs: { forward: {} },
  });

const inputs = (seed: number) => ({
  x: randomNumbers(batch * width, seed),
  target: randomNumbers(batch * width, seed + 1),
});

/** Three steps, the second of which goes on from a file, and everything that one can read. */
async function trained(device: Device, profile: Profile) {
  const plan = compiled(device, profile);
  const options = { weights: await weights(), rate: 0.05, seed: 4 };
  const first = await createTrainingSession(plan, device, options);
  const reports = [await first.step(inputs(10), inputs(20))];
  const resume = await openBytes(await first.save());
  const second = await createTrainingSession(plan, device, { ...options, resume });
  for (const seed of [30, 50]) reports.push(await second.step(inputs(seed), inputs(seed + 10)));
  const values: Record<string, number[]> = {};
  for (const { name } of plan.tensors) {
    values[name] = [...(await second.parameter(name))];
    values[`gradient.${name}`] = [...(await second.gradient(name))];
  }
  const third = await createTrainingSession(plan, device, { ...options, seed: 5 });
  await third.loadAdapter(await openBytes(await second.saveAdapter()));
  const run = async (session: typeof third) => [
    ...(await session.run("forward", { x: inputs(1).x })).y!,
  ];
  const outputs = await run(third);
  expect(outputs).toEqual(await run(second));
  const bytes = second.memory();
  for (const session of [first, second, third]) session.close();
  return { plan, reports, values, outputs, bytes };
}

describe("what trains is in as many buffers as the limits demand", () => {
  test("with the same results to the bit", async () => {
    const device = referenceDevice();
    const [whole, parts] = [await trained(device, defaultProfile), await trained(device, tiny)];
    expect(parts.reports).toEqual(whole.reports);
    expect(parts.values).toEqual(whole.values);
    expect(parts.outputs).toEqual(whole.outputs);
    for (const what of ["trained", "gradients"] as const)
      expect(parts.bytes[what]).toBe(whole.bytes[what]);
  });

  test("and no buffer is larger than they are", () => {
    const plan = compiled(referenceDevice(), tiny);
    const states = (of: typeof plan, name: string) =>
      new Set(
        plansOf(of).flatMap(({ buffers }) =>
          buffers.flatMap((b) => (b.name?.startsWith(name) ? [b.name] : [])),
        ),
      );
    for (const { buffers, steps } of plansOf(plan)) {
      for (const { bytes } of buffers) expect(bytes).toBeLessThanOrEqual(1024);
      for (const b of steps.flatMap((s) => s.bindings)) expect(b.bytes).toBeLessThanOrEqual(1024);
    }
    expect(states(plan, "parameters").size).toBeGreaterThan(3);
    expect(states(plan, "moment.mean").size).toBe(states(plan, "parameters").size);
    expect([...states(compiled(referenceDevice(), defaultProfile), "parameters")]).toEqual([
      "parameters",
    ]);
  });
});
