/**
 * What of Vulkan this machine has, found by looking at files only: the loader, the drivers'
 * manifests and the device nodes of real GPUs. The one idea: where there is no GPU, Dawn is pointed
 * at Mesa's software driver, so that nobody who imports the library needs to know about drivers.
 */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface VulkanFiles {
  /** Copies of `libvulkan.so.1`, which Dawn opens by name. Dawn finds no GPU without one. */
  readonly loaders: readonly string[];
  /** Driver manifests (`*icd*.json`) in the folders where the loader looks. */
  readonly drivers: readonly string[];
  /** The manifest among them of lavapipe, Mesa's software driver, for this processor. */
  readonly software: string | undefined;
  /** Device nodes that a GPU's own driver makes. Empty means that only software can help. */
  readonly gpuNodes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Looks for loader, drivers and GPUs on Linux; other systems bring their own GPU interface, and
 * every list is empty there. `root` is the folder that stands for `/`.
 */
export function findVulkan(
  environment: Environment = process.env,
  root = "/",
  platform: NodeJS.Platform = process.platform,
): VulkanFiles {
  if (platform !== "linux") {
    return { loaders: [], drivers: [], software: undefined, gpuNodes: [] };
  }
  const drivers = manifestFolders(environment)
    .map((folder) => join(root, folder))
    .flatMap((folder) => listNamed(folder, /icd.*\.json$/));
  return {
    loaders: loaderFolders(environment)
      .map((folder) => join(root, folder, "libvulkan.so.1"))
      .filter((path) => existsSync(path)),
    drivers,
    software: drivers.find((path) => softwareManifest.test(path)),
    gpuNodes: [
      ...listNamed(join(root, "dev/dri"), /^renderD\d+$/),
      ...listNamed(join(root, "dev"), /^(?:nvidia\d+|dxg)$/),
    ],
  };
}

/**
 * Points Dawn at the software driver when there is no GPU and nobody has chosen a driver: sets
 * `VK_DRIVER_FILES` in `environment`. Dawn opens the loader when the first GPU is asked for, so
 * setting it in the running process works, except in a worker thread, whose `process.env` is a
 * copy. Where drivers of absent GPUs are installed too, this also saves half a second.
 * @returns the manifest that was set, or undefined when the choice is left to the loader.
 */
export function chooseDriver(
  found: VulkanFiles,
  environment: Record<string, string | undefined> = process.env,
): string | undefined {
  const chosen = driverVariables.some((name) => environment[name]);
  if (chosen || found.gpuNodes.length > 0 || found.software === undefined) return undefined;
  environment.VK_DRIVER_FILES = found.software;
  return found.software;
}

/** The variables by which a user tells the Vulkan loader which drivers to open. */
export const driverVariables = [
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_ADD_DRIVER_FILES",
] as const;

// Distributions with libraries for two processors side by side put the processor in the name.
const processor = process.arch === "arm64" ? "aarch64" : "x86_64";
const softwareManifest = new RegExp(`lvp_icd(?:\\.${processor})?\\.json$`);

/** In the order in which the loader searches them. */
function manifestFolders(environment: Environment): string[] {
  const home = environment.HOME;
  return [
    "etc/xdg/vulkan/icd.d",
    "usr/local/etc/vulkan/icd.d",
    "etc/vulkan/icd.d",
    ...(home === undefined ? [] : [join(home, ".local/share/vulkan/icd.d")]),
    "usr/local/share/vulkan/icd.d",
    "usr/share/vulkan/icd.d",
    "run/opengl-driver/share/vulkan/icd.d",
  ];
}

function loaderFolders(environment: Environment): string[] {
  const named = (environment.LD_LIBRARY_PATH ?? "").split(delimiter).filter(Boolean);
  const usual = ["usr/local/lib", `usr/lib/${processor}-linux-gnu`, "usr/lib64", "usr/lib"];
  return [...named, ...usual];
}

/** Paths of what a folder holds under such names, sorted; none if there is no such folder. */
export function listNamed(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}
