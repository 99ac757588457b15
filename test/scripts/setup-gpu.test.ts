/** Asking for a device in Node: what comes, and what is said when nothing can. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, describe, expect, test } from "vitest";
import { noGpu, requestDevice, requestGpu, requestNullGpu } from "../../runtime/node/gpu.ts";
import { chooseDriver, findVulkan } from "../../runtime/node/vulkan.ts";
import { describeOnDevice } from "../support/device.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-gpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeOnDevice("a device", () => {
  test("allows all that the GPU allows, and brings WebGPU's constants", async () => {
    const gpu = await requestGpu();
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
    expect(maxBufferSize).toBe(gpu.summary.limits.maxBufferSize);
    expect(maxStorageBufferBindingSize).toBe(gpu.summary.limits.maxStorageBufferBindingSize);
    expect(gpu.device.features.has("timestamp-query")).toBe(
      gpu.summary.features.includes("timestamp-query"),
    );
    expect(GPUBufferUsage.STORAGE).toBe(128);
    gpu.destroy();
  });

  test("keeps to the limits of every WebGPU when asked to", async () => {
    const gpu = await requestGpu({ limits: "default", features: [] });
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
    expect(gpu.device.limits.maxComputeWorkgroupStorageSize).toBe(16 * 2 ** 10);
    expect(gpu.device.features.has("timestamp-query")).toBe(false);
    gpu.destroy();
  });

  const needs = { maxBufferSize: 2 ** 50, minStorageBufferOffsetAlignment: 1 };
  test.each([
    ["device", /E405.*maxBufferSize is \d+ but 1125899906842624 is needed; minStorage.*choose/s],
    ["default", /E405.*maxBufferSize is 268435456 but .*requestGpu\(\{ limits: "device" \}\)/s],
  ] as const)("with limits that are too small is refused (limits: %s)", async (limits, words) => {
    await expect(requestGpu({ limits, needs })).rejects.toThrow(words);
  });

  test("is refused by a name that no device has, and the names are listed", async () => {
    await expect(requestGpu({ name: "no such thing" })).rejects.toThrow(
      /E404.*there is only ".+"/s,
    );
  });

  test.each([
    ["the variable INARCH_GPU", { INARCH_GPU: "no such thing" }, undefined],
    ["its old name", { INARCH_ADAPTER: "no such thing" }, /INARCH_ADAPTER is now INARCH_GPU/],
    ["both, of which the new one counts", { INARCH_GPU: "none", INARCH_ADAPTER: "" }, undefined],
  ])("is asked for by %s", async (_, variables, words) => {
    const given = JSON.stringify(variables);
    const text = `Object.assign(process.env, ${given});\n${report}`;
    const { stdout, stderr } = await inNode(join(repository, "out"), text);
    expect(stdout).toMatch(/E404.*there is only ".+".*INARCH_GPU/s);
    if (words) expect(stderr).toMatch(words);
    else expect(stderr).not.toContain("INARCH_");
  });

  test("takes the old words, and says so", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on("warning", listen);
    for (const _ of [1, 2]) {
      const gpu = await requestGpu({ limits: "adapter", adapter: "" });
      expect(gpu.device.limits.maxBufferSize).toBe(gpu.summary.limits.maxBufferSize);
      expect(gpu.adapter).toBe(gpu.summary);
      gpu.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve));
    process.off("warning", listen);
    expect(warnings).toEqual([
      'limits: "adapter" is now limits: "device"; the old word still works',
      "requestGpu's option adapter is now name; the old word still works",
    ]);
  });

  test("that Dawn does not give is an error with Dawn's reason", async () => {
    const { create } = await import("webgpu");
    const dawn = create([]);
    const adapter = await dawn.requestAdapter();
    const limits = { requiredLimits: { maxBindGroups: 10_000 } };
    await expect(requestDevice(adapter!, limits)).rejects.toThrow(/E406.*limit \(10000\)/s);
  });

  test("lets the process end by itself once it is destroyed", async () => {
    const { stdout } = await inNode(
      join(repository, "out"),
      `const gpu = await requestGpu();
       const buffer = gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
       gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(16));
       await gpu.device.queue.onSubmittedWorkDone();
       gpu.destroy();
       console.log("destroyed");`,
    );
    expect(stdout).toContain("destroyed");
  });
});

test("Dawn's null backend checks a shader without a GPU", async () => {
  const gpu = await requestNullGpu();
  gpu.device.pushErrorScope("validation");
  const module = gpu.device.createShaderModule({ code: "fn f() -> f32 { return 1u; }" });
  const { messages } = await module.getCompilationInfo();
  expect(messages.map(({ type, lineNum }) => [type, lineNum])).toEqual([["error", 1]]);
  await gpu.device.popErrorScope();
  gpu.destroy();
});

describe("what is missing is named, with what to type", () => {
  test("the package webgpu (E400)", async () => {
    const { stdout } = await inNode(join(folder, "none"), report);
    expect(stdout).toMatch(/E400.*help: npm install webgpu/s);
  });

  test("a binary that this machine can load (E401)", async () => {
    const place = join(folder, "broken");
    write(join(place, "node_modules/webgpu/package.json"), '{"type":"module","main":"index.js"}');
    write(join(place, "node_modules/webgpu/dawn.node"), "not a binary");
    write(
      join(place, "node_modules/webgpu/index.js"),
      `import { createRequire } from "node:module";
       export const { create, globals } = createRequire(import.meta.url)("./dawn.node");`,
    );
    const { stdout } = await inNode(place, report);
    expect(stdout).toMatch(/E401.*dawn\.node.*help: .*glibc/s);
  });

  test("an interface that Dawn has (E403)", async () => {
    process.env.DAWNNODE_BACKEND = "nonsense";
    try {
      await expect(requestGpu()).rejects.toThrow(/E403.*'nonsense'.*unset DAWNNODE_BACKEND/s);
    } finally {
      delete process.env.DAWNNODE_BACKEND;
    }
  });

  const nothing = { loaders: [], drivers: [], software: undefined, gpuNodes: [] };
  const old = {
    ...nothing,
    loaders: ["/usr/lib/libvulkan.so.1"],
    drivers: ["lvp_icd.x86_64.json"],
  };
  const headless = { ...old, drivers: ["nvidia_icd.json"], gpuNodes: ["/dev/nvidia0"] };
  const chosen = { VK_DRIVER_FILES: "mine.json" };
  test.each([
    ["no loader", nothing, "linux", {}, /E402.*sudo apt-get install libvulkan1/s],
    ["a driver too old", old, "linux", {}, /E403.*lvp_icd\.x86_64\.json.*version 25/s],
    ["NVIDIA's without a display", headless, "linux", {}, /E403.*libEGL_nvidia\.so\.0/s],
    ["a driver chosen in vain", old, "linux", chosen, /E403.*=mine\.json.*unset VK_DRIVER_FILES/s],
    ["no GPU on a Mac", nothing, "darwin", {}, /E403.*install or update the GPU's driver/s],
  ] as const)("%s", (_, found, platform, environment, words) => {
    expect(noGpu(found, platform, environment).message).toMatch(words);
  });
});

describe("the software driver", () => {
  const processor = process.arch === "arm64" ? "aarch64" : "x86_64";
  const lavapipe = `usr/share/vulkan/icd.d/lvp_icd.${processor}.json`;
  const plain = "usr/share/vulkan/icd.d/lvp_icd.json";
  const loader = "usr/lib64/libvulkan.so.1";
  const cases: [claim: string, files: string[], env: Record<string, string>, chosen?: string][] = [
    ["is chosen where there is no GPU", [loader, plain], {}, plain],
    [
      "is chosen for this processor",
      ["usr/share/vulkan/icd.d/lvp_icd.i686.json", lavapipe],
      {},
      lavapipe,
    ],
    ["is left alone beside a GPU", [plain, "dev/dri/renderD128"], {}],
    ["is left alone beside an NVIDIA GPU", [plain, "dev/nvidia0"], {}],
    ["is left alone where the user has chosen", [plain], { VK_ICD_FILENAMES: "mine.json" }],
    ["cannot be chosen where it is missing", ["usr/share/vulkan/icd.d/intel_icd.json"], {}],
  ];
  test.each(cases)("%s", (claim, files, env, chosen) => {
    const root = join(folder, claim.replaceAll(" ", "-"));
    for (const file of files) write(join(root, file), "");
    const environment: Record<string, string | undefined> = { ...env };
    chooseDriver(findVulkan(environment, root, "linux"), environment);
    expect(environment.VK_DRIVER_FILES).toBe(chosen && join(root, chosen));
  });
});

const repository = dirname(dirname(import.meta.dirname));
const report = 'await requestGpu().catch((failure) => console.log(failure.message ?? "no error"));';

/** Runs a few lines with `requestGpu` in a process of their own, from a bundle in `place`. */
async function inNode(place: string, lines: string) {
  mkdirSync(place, { recursive: true });
  const outfile = join(place, `gpu-${process.pid}.mjs`);
  await build({
    stdin: {
      contents: `import { requestGpu } from "./runtime/node/gpu.ts";\n${lines}`,
      resolveDir: repository,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["webgpu"],
    outfile,
    logLevel: "silent",
  });
  try {
    return await promisify(execFile)(process.execPath, [outfile], { timeout: 300_000 });
  } finally {
    rmSync(outfile, { force: true });
  }
}

function write(path: string, text: string) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
