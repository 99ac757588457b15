/** What a run will take, said before its first step, against what is then taken. */
import { expect, test } from "vitest";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { type OpenedDevice, openDevice } from "../../../runtime/node/index.ts";
import { createTrainingSession } from "../../../runtime/training/session.ts";
import { taskFor } from "../../../study/train/model.ts";
import { forecastOf, planWithin } from "../../../study/train/node/forecast.ts";
import { resolveSettings, settingsFrom } from "../../../study/train/resolve.ts";
import { deviceTest } from "../../support/device.ts";
import { tinySam } from "../../support/sam-small.ts";
import { refusal } from "../../support/weights-files.ts";

const tasks = { object: { kind: "labels", classes: ["background", "object"] } } as const;
const settings = resolveSettings(settingsFrom({ method: "lora", batch: 4 }), {
  ...{ kind: "mask", tasks, pictures: 8 },
});
const task = taskFor(tinySam, { ...settings, settings: {}, tasks, weights: undefined });

const summary = { items: 8, width: [24, 24], height: [20, 20], tasks: {} } as const;
const hostOf = (opened: OpenedDevice) => ({
  ...{ opened, summary, pictures: 8, kept: 2 ** 20, side: tinySam.imageSize },
});

/** What a session of training allocates, against what was forecast of it. */
async function expectForecast(opened: OpenedDevice) {
  const whole = await planWithin(opened, { task, settings }, { isBegun: false });
  const forecast = forecastOf(whole, hostOf(opened));
  let taken = 0;
  const counting: Device = Object.assign(Object.create(opened.device) as Device, {
    allocate(buffers: Parameters<Device["allocate"]>[0]) {
      for (const { bytes } of buffers) taken += bytes;
      return opened.device.allocate(buffers);
    },
  });
  const weights = hashedWeights(tinySam, "train");
  const session = await createTrainingSession(whole.plan, counting, { weights, rate: 1 });
  expect(Math.abs(taken / forecast.device.total - 1)).toBeLessThan(0.02);
  await session.close();
  return forecast;
}

deviceTest("a forecast has the bytes of a GPU, validation included", async () => {
  const opened = (await openDevice({ kind: "webgpu" })) as OpenedDevice;
  await expectForecast(opened);
  opened.device.destroy();
});

test("a forecast has the bytes of the device, validation included, and a budget is kept", async () => {
  const opened = (await openDevice({ kind: "reference" })) as OpenedDevice;
  const forecast = await expectForecast(opened);
  const within = (budget: number) =>
    planWithin(opened, { task, settings }, { budget, isBegun: false });
  expect((await within(forecast.device.total)).settings.micro).toBe(1);
  const halved = await within(forecast.device.total - 1);
  expect(halved.settings.micro).toBe(2);
  const fewer = forecastOf(halved, hostOf(opened));
  expect(fewer.device.total).toBeLessThan(forecast.device.total);
  expect((await refusal(() => within(10_000))).code).toBe("E140");
  opened.device.destroy();
});
