/** NVIDIA's driver on a machine: whether it is there, whole, and can be opened. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  chooseDriver,
  chooseLibrary,
  findNvidia,
  missingWords,
  whyNoGpu,
} from "../../../bench/gpu/driver.ts";
import { findVulkan } from "../../../runtime/node/vulkan.ts";
import { tree } from "../../support/folders.ts";
import { refusal } from "../../support/weights-files.ts";

describe("NVIDIA's driver", () => {
  const driver = {
    "dev/nvidia0": "",
    "usr/lib64/libcuda.so.1": "",
    "usr/lib64/libcuda.so.580.82.07": "",
  };
  const vulkan = {
    "usr/lib64/libGLX_nvidia.so.0": "",
    "usr/lib64/libEGL_nvidia.so.0": "",
    "usr/lib64/libnvidia-glcore.so.580.82.07": "",
    "usr/lib64/libnvidia-tls.so.580.82.07": "",
    "usr/lib64/libnvidia-glvkspirv.so.580.82.07": "",
  };

  test("is not there without its device nodes and its library", () => {
    expect(findNvidia({}, tree({ "usr/lib/x.so": "" })).signs).toEqual([]);
  });

  test("is whole with the libraries of Vulkan", () => {
    const root = tree({ ...driver, ...vulkan });
    expect(findNvidia({}, root)).toMatchObject({
      signs: [join(root, "dev/nvidia0"), join(root, "usr/lib64/libcuda.so.1")],
      version: "580.82.07",
      libraries: ["libGLX_nvidia.so.0", "libEGL_nvidia.so.0"].map((name) =>
        join(root, "usr/lib64", name),
      ),
      missing: [],
    });
  });

  test("is looked for where the system's loader is told to look", () => {
    const moved = Object.entries({ ...driver, ...vulkan }).map(([path, text]) => [
      path.replace("usr/lib64", "opt/gpu"),
      text,
    ]);
    const root = tree({ ...Object.fromEntries(moved), "etc/ld.so.conf.d/gpu.conf": "/opt/gpu\n" });
    expect(findNvidia({}, root).missing).toEqual([]);
  });

  test("lacks a file, which is named with the places where it could be", () => {
    const root = tree(driver);
    const words = missingWords(findNvidia({}, root));
    expect(words).toContain("libGLX_nvidia.so.0, libnvidia-glcore.so.580.82.07");
    expect(words).toContain("of its driver 580.82.07 are in none of");
    expect(words).toContain(join(root, "usr/lib64"));
    const { "usr/lib64/libnvidia-glvkspirv.so.580.82.07": _, ...others } = vulkan;
    const found = findNvidia({}, tree({ ...driver, ...others }));
    expect(found.missing).toEqual(["libnvidia-glvkspirv.so.580.82.07"]);
  });

  const request = (root: string) => ({
    ...{ environment: {}, out: tree(), spare: join(root, "no spares"), root },
    tell: () => {},
  });

  test("E409: without its Vulkan library nothing is measured", async () => {
    const { code, details } = await refusal(() => chooseDriver(request(tree(driver))));
    expect([code, details.message]).toEqual([
      "E409",
      expect.stringMatching(/libGLX_nvidia\.so\.0/),
    ]);
    expect(details.help).toMatch(/NVIDIA_DRIVER_CAPABILITIES=all/);
  });

  test("E409: a library that cannot be opened says what it lacks", async () => {
    const root = tree({ ...driver, ...vulkan });
    const open = (library: string) =>
      /GLX/.test(library) ? "libXext.so.6: cannot open shared object file" : "it crashes";
    const { code, details } = await refusal(() => chooseDriver({ ...request(root), open }));
    expect(code).toBe("E409");
    expect(details.message).toMatch(/libGLX_nvidia\.so\.0: libXext\.so\.6.*libEGL.*it crashes/);
  });

  test("opens with the libraries of the pack where the machine has none", () => {
    const spare = tree({ "libXext.so.6": "" });
    const libraries = ["/usr/lib/libGLX_nvidia.so.0"];
    const open = (_: string, environment: NodeJS.ProcessEnv) =>
      environment.LD_LIBRARY_PATH?.includes(spare) ? undefined : "libXext.so.6 is missing";
    const chosen = chooseLibrary({ libraries }, { LD_LIBRARY_PATH: "/own" }, spare, open);
    expect(chosen).toEqual({ library: libraries[0], libraryPath: `/own:${spare}` });
  });

  test("is given to Vulkan by a manifest of ours", () => {
    const root = tree({ ...driver, ...vulkan });
    const told: string[] = [];
    const environment = chooseDriver({
      ...request(root),
      ...{ open: () => undefined, tell: (words) => told.push(words) },
    });
    const manifest = JSON.parse(readFileSync(environment.VK_DRIVER_FILES!, "utf8"));
    expect(manifest.ICD.library_path).toBe(join(root, "usr/lib64/libGLX_nvidia.so.0"));
    expect(told).toEqual([`NVIDIA's driver 580.82.07: ${manifest.ICD.library_path}`]);
  });

  test("stays another one where somebody chose it", () => {
    const environment = { VK_DRIVER_FILES: "/other.json" };
    expect(chooseDriver({ ...request(tree(driver)), environment })).toBe(environment);
  });

  test("Dawn is asked, in a process, whether a library has a GPU", () => {
    expect(whyNoGpu("/nowhere/libGLX_nvidia.so.0", process.env)).toMatch(
      /libGLX_nvidia\.so\.0: cannot open shared object file/,
    );
    // A library that opens, and is no driver.
    expect(whyNoGpu("libc.so.6", process.env)).toMatch(/ICD libc\.so\.6|no GPU/);
    const { software } = findVulkan();
    const { ICD } = JSON.parse(readFileSync(software!, "utf8"));
    expect(whyNoGpu(ICD.library_path, process.env)).toBe(undefined);
  });
});
