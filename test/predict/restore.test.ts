/** A SAM whose device is lost goes on on another: with its weights, and the picture that it had. */
import { describe, expect, test } from "vitest";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { Sam } from "../../models/sam/sam.ts";
import { image } from "../../predict/vision/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

const weights = hashedWeights(tinySam, "test");
const noise = (width: number, height: number, seed: number) =>
  image(width, height, Uint8Array.from(randomNumbers(width * height * 3, seed, [0, 255])));
const open = () => cpuDevice({ threads: 1 });
const load = (device: Device) => Sam.load(weights, { device, config: tinySam });
const click = { points: [[7, 9]] } as const;

describe("a SAM whose device is lost", () => {
  test("predicts on the same picture as before, and takes others", async () => {
    const device = open();
    const sam = await load(device);
    await sam.setImage(noise(45, 31, 1));
    const wanted = await sam.predict(click);
    device.destroy();
    expect((await refusal(() => sam.predict(click))).code).toBe("E422");
    await sam.restore(open());
    expect(await sam.predict(click)).toEqual(wanted);
    await sam.setImage(noise(20, 40, 2));
    expect(await sam.predict(click)).not.toEqual(wanted);
    await sam.close();
  });

  test("has the picture before, where it is lost while another is encoded", async () => {
    let device = open();
    const sam = await load(device);
    await sam.setImage(noise(45, 31, 1));
    const wanted = await sam.predict(click);
    for (let time = 0; time < 3; time++) {
      const set = refusal(() => sam.setImage(noise(20, 40, 2)));
      device.destroy();
      expect((await set).code).toBe("E422");
      device = open();
      await sam.restore(device);
      expect(sam.frame()!.originalSize.width).toBe(45);
      expect(await sam.predict(click)).toEqual(wanted);
    }
    await sam.close();
  });

  test("without a picture asks for one (E350)", async () => {
    const device = open();
    const sam = await load(device);
    device.destroy();
    await sam.restore(open());
    expect((await refusal(() => sam.predict(click))).code).toBe("E350");
    await sam.close();
  });

  test("may be restored again where that failed or was aborted, but not after close (E351)", async () => {
    const sam = await load(open());
    await sam.setImage(noise(45, 31, 1));
    const wanted = await sam.predict(click);
    const gone = open();
    gone.destroy();
    expect((await refusal(() => sam.restore(gone))).code).toBe("E422");
    const controller = new AbortController();
    const restoring = sam.restore(open(), { signal: controller.signal });
    controller.abort(new RangeError("enough"));
    await expect(restoring).rejects.toThrow("enough");
    expect(await sam.predict(click)).toEqual(wanted);
    await sam.restore(open());
    expect(await sam.predict(click)).toEqual(wanted);
    await sam.close();
    expect((await refusal(() => sam.restore(open()))).code).toBe("E351");
  });

  test("calls that were made meanwhile have their turns after it", async () => {
    const sam = await load(open());
    await sam.setImage(noise(45, 31, 1));
    const wanted = await sam.predict(click);
    const restoring = sam.restore(open());
    const after = sam.predict(click);
    await restoring;
    expect(await after).toEqual(wanted);
    await sam.close();
  });
});
