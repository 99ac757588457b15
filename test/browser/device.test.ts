/** `openDevice` of pages: which device is opened, what it is asked for, and what is said where there is none. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDevice } from "../../entries/page.ts";
import { bundlePage, type Chromium, insecureHost, openChromium } from "../support/chromium.ts";
import { describeInBrowser } from "../support/device.ts";
import { strictPolicy } from "../support/page-server.ts";
import { refusal } from "../support/weights-files.ts";

const source = `
import { webgpuDevice } from "./entries/runtime.ts";
import { openDevice } from "./entries/page.ts";

const told = async (open) => {
  try {
    const { device, kind, why, summary, gpu } = await open();
    const { subgroups, maxBindings, maxSharedBytes } = device.capabilities;
    const more = gpu && { features: [...gpu.features], subgroups, maxBindings, maxSharedBytes };
    device.destroy();
    return { kind, why, summary, ...more };
  } catch (error) {
    return { code: error.code, message: error.details.message, help: error.details.help };
  }
};

export const open = (options) => told(() => openDevice(options));

export async function openTwice() {
  const found = await navigator.gpu.requestAdapter();
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = () => Promise.reject(new Error("no more of them"));
  const results = [await open({ kind: "webgpu" }), await open()];
  GPUAdapter.prototype.requestDevice = requestDevice;
  return { results, limits: { bindings: found.limits.maxStorageBuffersPerShaderStage, shared: found.limits.maxComputeWorkgroupStorageSize } };
}
`;

type Told = Readonly<Record<string, unknown>>;

describeInBrowser.each([
  { gpu: "software", words: "where a software GPU is all that there is" },
  { gpu: "none", words: "without a GPU" },
] as const)("in Chromium, $words,", ({ gpu }) => {
  let chromium: Chromium;
  let script: string;

  /** Opens a device in a page of its own. */
  async function inPage(options: object | undefined, site: object = {}, name = "open") {
    const page = await chromium.open({ script, files: {}, ...site });
    const result = await page.call<Told>(name, options);
    await page.close();
    return result;
  }

  beforeAll(async () => {
    script = await bundlePage(source);
    chromium = await openChromium({ gpu });
  });
  afterAll(() => chromium?.close());

  const onProcessor = { kind: "cpu", summary: { kind: "processor" } };

  test("the processor computes, and the device says why", async () => {
    const why = gpu === "none" ? /^the browser .* offers no GPU$/ : /^there is no hardware GPU: /;
    const told = await inPage(undefined);
    expect(told).toMatchObject(onProcessor);
    expect(told.why).toMatch(why);
    expect(await inPage({ kind: "cpu" })).toMatchObject({
      ...onProcessor,
      why: "it was asked for",
    });
  });

  test("E410: a page that is not served securely has no WebGPU, and says how it would", async () => {
    const site = { host: insecureHost };
    expect(await inPage({ kind: "webgpu" }, site)).toEqual({
      code: "E410",
      message: "this page has no WebGPU, since it is not served securely",
      help: "serve it by https, or from localhost",
    });
    expect(await inPage(undefined, site)).toMatchObject(onProcessor);
  });

  if (gpu === "software") {
    test("the software GPU is there when it is asked for, with all that makes kernels faster", async () => {
      const { results, limits } = (await inPage(undefined, {}, "openTwice")) as unknown as {
        results: Told[];
        limits: Told;
      };
      const told = await inPage({ kind: "webgpu" });
      expect(told).toMatchObject({
        kind: "webgpu",
        summary: { kind: "software" },
        subgroups: { least: 4, most: 4 },
        maxBindings: limits.bindings,
        maxSharedBytes: limits.shared,
      });
      expect(told.features).toContain("subgroups");
      expect(results).toMatchObject([{ code: "E412" }, onProcessor]);
      expect(results[0]!.message).toMatch(/^the GPU .* does not open: no more of them$/);
    });
  } else {
    test("E411: one that is asked for is missed, with where to look", async () => {
      const told = await inPage({ kind: "webgpu" });
      expect(told).toMatchObject({ code: "E411", help: expect.stringContaining("chrome://gpu") });
    });

    test("E413: under a policy that forbids WebAssembly there is nothing", async () => {
      const told = await inPage(undefined, { policy: strictPolicy });
      expect(told).toMatchObject({ code: "E413" });
      expect(told.message).toMatch(/^there is no device: the browser .* offers no GPU, and /);
      expect(told.help).toMatch(/chrome:\/\/gpu.*; for the processor: /);
    });
  }
});

describe("where there is no browser", () => {
  test("openDevice of pages opens the processor, and names what is missing", async () => {
    const { device, kind, why } = await openDevice();
    expect({ kind, why }).toEqual({ kind: "cpu", why: "this browser has no WebGPU" });
    device.destroy();
  });

  test("E410, E465, E460: what cannot be is refused", async () => {
    const missing = await refusal(() => openDevice({ kind: "webgpu" }));
    expect(missing.message).toMatch(/^error\[E410\] .*chrome:\/\/gpu/s);
    const kind = "gpu" as "webgpu";
    expect((await refusal(() => openDevice({ kind }))).message).toMatch(/^error\[E465\] .*"gpu"/);
    const options = { kinds: "cpu" } as object;
    expect((await refusal(() => openDevice(options))).message).toMatch(/^error\[E460\] .*kinds/);
  });
});
