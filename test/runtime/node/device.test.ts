/** Which device is opened, why, and what every kind of device gives. */
import { afterEach, describe, expect, test } from "vitest";
import { type DeviceKind, deviceKinds, openDevice } from "../../../runtime/node/device.ts";
import { requestHardware } from "../../../runtime/node/gpu.ts";
import { deviceWords } from "../../../runtime/node/opened.ts";
import { describeOnDevice, withoutWebGpu } from "../../support/device.ts";

const names = [
  ...(["INARCH_DEVICE", "INARCH_GPU", "INARCH_ADAPTER"] as const),
  ...(["INARCH_CUDA", "VK_DRIVER_FILES"] as const),
] as const;
const before = names.map((name) => [name, process.env[name]] as const);
const noDriver = "/no/such/driver.json";

/** Sets these variables, and no other of those that choose a device. */
function given(variables: Partial<Record<(typeof names)[number], string>>) {
  for (const name of names) set(name, variables[name]);
}

function set(name: string, value: string | undefined) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

afterEach(() => {
  for (const [name, value] of before) set(name, value);
});

describe("files tell that there is no GPU", () => {
  const nothing = { loaders: [], drivers: [], software: undefined, gpuNodes: [] };

  test("and nothing is loaded to find that out", async () => {
    expect(await requestHardware(nothing, "linux")).toBe("there is no hardware GPU");
    // Dawn brings it.
    expect("GPUBufferUsage" in globalThis).toBe(false);
  });

  test("and what the software GPU is asked for with, where there is one", async () => {
    const found = { ...nothing, software: "lvp_icd.json" };
    expect(await requestHardware(found, "linux")).toMatch(/; INARCH_DEVICE=webgpu takes/);
  });
});

describe("where no kind is asked for", () => {
  test("a machine whose GPU has no driver computes on the processor, and says why", async () => {
    given({ VK_DRIVER_FILES: noDriver, INARCH_CUDA: "/no/such/libcuda.so.1" });
    const opened = await openDevice();
    expect(opened).toMatchObject({ kind: "cpu", summary: { kind: "processor" } });
    expect(deviceWords(opened)).toMatch(
      /^cpu \(processor.*\): cuda cannot be used: .*, and (?:there is no hardware GPU|the GPU cannot be used: .*\()/,
    );
    opened.device.destroy();
  });

  test("INARCH_DEVICE is followed", async () => {
    given({ INARCH_DEVICE: "reference" });
    const { device, kind, why } = await openDevice({});
    expect({ kind, why }).toEqual({ kind: "reference", why: "INARCH_DEVICE asks for it" });
    device.destroy();
  });

  test("E470: INARCH_DEVICE with a kind that there is not", async () => {
    given({ INARCH_DEVICE: "refrence" });
    await expect(openDevice()).rejects.toThrow(
      /E470.*in INARCH_DEVICE.*write INARCH_DEVICE=reference/s,
    );
  });

  test.each([
    ["INARCH_GPU", () => openDevice()],
    ["an option of webgpu", () => openDevice({ limits: "default" })],
  ])("%s asks for webgpu, which is not replaced where it fails", async (_, open) => {
    given({ INARCH_GPU: "no such thing", VK_DRIVER_FILES: noDriver });
    await expect(open()).rejects.toThrow(/E40[1-4]/);
  });
});

test("a kind that is asked for counts more than INARCH_DEVICE", async () => {
  given({ INARCH_DEVICE: "reference" });
  const { device, kind, why } = await openDevice({ kind: "cpu" });
  expect({ kind, why }).toEqual({ kind: "cpu", why: "it was asked for" });
  device.destroy();
});

/** That of CUDA is opened through a driver for tests: `cuda.test.ts`. */
const here = deviceKinds.filter((kind) => kind !== "cuda" && (kind !== "webgpu" || !withoutWebGpu));

test.each(here)("a device of the kind %s comes with all that is promised", async (kind) => {
  const opened = await openDevice<DeviceKind>({ kind });
  const { device, summary } = opened;
  expect(opened.kind).toBe(kind);
  expect(summary.description).not.toBe("");
  expect(["hardware", "software", "processor"]).toContain(summary.kind);
  // The old words.
  expect(opened.adapter).toBe(summary);
  expect(opened.facts).toBe(device.capabilities);
  device.destroy();
});

describeOnDevice("a device node alone is no hardware", () => {
  test("a software GPU is refused where hardware is wanted", async () => {
    const gpuNodes = ["/dev/dri/renderD128"];
    const found = { loaders: [], drivers: [], software: undefined, gpuNodes };
    const gpu = await requestHardware(found, "linux");
    if (typeof gpu === "string") expect(gpu).toBe("there is no hardware GPU");
    else {
      expect(gpu.summary.kind).toBe("hardware");
      gpu.destroy();
    }
  });
});
