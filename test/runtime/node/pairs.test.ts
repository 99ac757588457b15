/** Two vectors at once: kernels made for it compute the same, and V8 is believed only once it was tried. */
import { expect, test } from "vitest";
import { compile, input, trace } from "../../../compiler/index.ts";
import type { Tensor } from "../../../compiler/op-kit.ts";
import { deviceProfile } from "../../../compiler/profile.ts";
import { gelu, matmul } from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { multiplies, productModule } from "../../../runtime/node/pairs.ts";
import { createSession } from "../../../runtime/session.ts";
import { weightsOf } from "../../support/weights-of.ts";

const graph = trace(
  (p) => ({
    y: gelu(matmul(input("x", "f32", [30, 24]) as Tensor, p.f32("w", [24, 80]) as Tensor)),
  }),
  {},
);

async function computed(pairs: boolean) {
  const device = cpuDevice({ threads: 1, pairs });
  const { target, capabilities } = device;
  const plan = compile(graph, { target, profile: deviceProfile(capabilities) });
  const session = await createSession(plan, device, { weights: await weightsOf({ w: [24, 80] }) });
  const { y } = await session.run({
    x: Float32Array.from({ length: 720 }, (_, i) => (i % 7) / 64),
  });
  device.destroy();
  return { panel: plan.parameters[0]!.panels?.width, y: [...y!] };
}

test("kernels for pairs have wider blocks and the same results, bit for bit", async () => {
  const [single, paired] = [await computed(false), await computed(true)];
  expect([single.panel, paired.panel]).toEqual([4, 16]);
  expect(paired.y).toEqual(single.y);
});

test("there are pairs where the engine has them and was tried", async () => {
  const opened = await openDevice({ kind: "cpu", threads: 1, pairs: true });
  const isThere = process.arch === "x64" && Number.parseInt(process.versions.v8, 10) >= 13;
  expect(opened.device.capabilities.pairs ?? false).toBe(isThere);
  opened.device.destroy();
  expect((await openDevice({ kind: "cpu" })).device.capabilities.pairs).toBeUndefined();
});

test("an engine that adds wrongly is not believed", async () => {
  await openDevice({ kind: "cpu" });
  const bytes = productModule();
  expect(multiplies(bytes)).toBe(true);
  // The first sum behind the loop is a difference.
  const sum = bytes.findIndex((b, i) => b === 0xfd && bytes[i + 1] === 0xe4 && bytes[i + 2] === 1);
  expect(multiplies(bytes.with(sum + 1, 0xe5))).toBe(false);
  expect(multiplies(bytes.slice(0, -1))).toBe(false);
});
