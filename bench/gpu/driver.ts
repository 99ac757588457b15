/**
 * The NVIDIA driver of the machine at hand, by looking at files: whether it is there, where its Vulkan
 * library lies, and which file is missing where there is none.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";
import { driverVariables, listNamed } from "../../runtime/node/vulkan.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface NvidiaFiles {
  /** What says that there is such a GPU: its device nodes, or the driver's compute library. */
  readonly signs: readonly string[];
  /** As in the names of the driver's files; undefined where none says it. */
  readonly version: string | undefined;
  /** The libraries that hold a Vulkan driver, best first. */
  readonly libraries: readonly string[];
  /** What the driver's Vulkan takes and is in none of the folders. */
  readonly missing: readonly string[];
  /** Where was looked. */
  readonly folders: readonly string[];
}

/** Either holds the whole driver; the first needs a display, the second no library of X11. */
const vulkanLibraries = ["libGLX_nvidia.so.0", "libEGL_nvidia.so.0"] as const;

/** What they load, with the driver's version behind it: the last compiles shaders. */
const companions = ["libnvidia-glcore.so", "libnvidia-tls.so", "libnvidia-glvkspirv.so"] as const;

/** Looks below `root`, the folder that stands for `/`. */
export function findNvidia(environment: Environment = process.env, root = "/"): NvidiaFiles {
  const folders = libraryFolders(environment, root);
  const find = (name: string) =>
    folders.map((folder) => join(folder, name)).filter((path) => existsSync(path));
  const nodes = listNamed(join(root, "dev"), /^nvidia\d+$/);
  const signs = [...nodes, ...find("libcuda.so.1").slice(0, 1)];
  const version = versionOf(folders, root);
  const libraries = vulkanLibraries.flatMap((name) => find(name).slice(0, 1));
  const needed = version === undefined ? [] : companions.map((name) => `${name}.${version}`);
  const missing = [
    ...(libraries.length === 0 ? [vulkanLibraries[0]] : []),
    ...needed.filter((name) => find(name).length === 0),
  ];
  return { signs, version, libraries, missing, folders };
}

/** Where distributions, containers and NVIDIA's installer put the driver's libraries. */
function libraryFolders(environment: Environment, root: string): string[] {
  const named = (environment.LD_LIBRARY_PATH ?? "").split(delimiter).filter(Boolean);
  const usual = [
    ...[
      "usr/lib/x86_64-linux-gnu",
      "usr/lib/x86_64-linux-gnu/nvidia/current",
      "lib/x86_64-linux-gnu",
    ],
    ...["usr/lib64", "usr/lib64/nvidia", "lib64", "usr/lib", "usr/lib/nvidia", "usr/local/lib"],
    ...[
      "usr/local/nvidia/lib64",
      "usr/local/nvidia/lib",
      "run/opengl-driver/lib",
      "usr/lib/wsl/lib",
    ],
  ].map((folder) => join(root, folder));
  const folders = [...named, ...configured(root), ...usual].filter((folder) => existsSync(folder));
  return [...new Set(folders)];
}

/** The folders that the system's own loader is told of. */
function configured(root: string): string[] {
  const files = listNamed(join(root, "etc/ld.so.conf.d"), /\.conf$/);
  return files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line.startsWith("/"))
      .map((folder) => join(root, folder)),
  );
}

function versionOf(folders: readonly string[], root: string): string | undefined {
  const told = join(root, "proc/driver/nvidia/version");
  const module = existsSync(told)
    ? /Kernel Module\D*?([\d.]{5,})/.exec(readFileSync(told, "utf8"))?.[1]
    : undefined;
  if (module !== undefined) return module;
  const named = /^lib(?:cuda|GLX_nvidia|EGL_nvidia|nvidia-ml)\.so\.(\d+\.\d+(?:\.\d+)?)$/;
  for (const folder of folders)
    for (const name of readdirSync(folder)) {
      const version = named.exec(name)?.[1];
      if (version !== undefined) return version;
    }
  return undefined;
}

/** One sentence: what there is, and which file is not. */
export function missingWords({ signs, version, missing, folders }: NvidiaFiles): string {
  const driver = version === undefined ? "its driver" : `its driver ${version}`;
  return (
    `there is an NVIDIA GPU (${signs.join(", ")}), but ${missing.join(", ")} of ${driver} ` +
    `${missing.length === 1 ? "is" : "are"} in none of ${folders.join(", ")}`
  );
}

const missingHelp =
  "install the driver's Vulkan libraries of the same version; in a container ask for them: NVIDIA_DRIVER_CAPABILITIES=all";

/** The manifest by which the Vulkan loader finds a driver. */
const manifestOf = (library: string): string =>
  `${JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: library, api_version: "1.3.277" } }, null, 2)}\n`;

/**
 * Why Dawn finds no GPU by a library: undefined where it finds one. It is asked, in a process of its own, since a
 * driver may crash; and a library that opens is not enough: NVIDIA's for X11 has no Vulkan without a display.
 */
export function whyNoGpu(library: string, environment: NodeJS.ProcessEnv): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "inarch-driver-"));
  try {
    const manifest = join(folder, "icd.json");
    writeFileSync(manifest, manifestOf(library));
    const { stdout, stderr, signal, status } = spawnSync(
      process.execPath,
      ["-e", asking, createRequire(import.meta.url).resolve("webgpu")],
      {
        env: { ...environment, VK_DRIVER_FILES: manifest },
        ...{ encoding: "utf8", timeout: 20_000 },
      },
    );
    if (signal !== null || status !== 0)
      return `opening it ends with ${signal ?? `code ${status}`}`;
    if (stdout.trim() === "found") return undefined;
    const said = /Warning: (.*(?:\.so|ICD).*)/.exec(stderr)?.[1];
    return said ?? "Dawn finds no GPU by it";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const asking = `
  import(process.argv[1]).then(async ({ create, globals }) => {
    Object.assign(globalThis, globals);
    console.log((await create([]).requestAdapter()) ? "found" : "none");
    process.exit();
  });`;

export interface ChosenDriver {
  readonly library: string;
  /** For the processes that open the device. */
  readonly libraryPath: string | undefined;
}

/**
 * The first of the libraries by which Dawn finds a GPU, with the machine's own libraries or with those in `spare`
 * behind them. Words instead where there is none.
 */
export function chooseLibrary(
  { libraries }: Pick<NvidiaFiles, "libraries">,
  environment: NodeJS.ProcessEnv,
  spare: string,
  open = whyNoGpu,
): ChosenDriver | string {
  const own = environment.LD_LIBRARY_PATH;
  const paths = existsSync(spare) ? [own, [own, spare].filter(Boolean).join(delimiter)] : [own];
  const reasons: string[] = [];
  for (const library of libraries)
    for (const libraryPath of paths) {
      const reason = open(library, withLibraries(environment, libraryPath));
      if (reason === undefined) return { library, libraryPath };
      reasons.push(`${library}: ${reason}`);
    }
  return [...new Set(reasons)].join("; ");
}

/** Where processes look for libraries before the system's own folders. */
export function withLibraries(
  { LD_LIBRARY_PATH: _, ...environment }: NodeJS.ProcessEnv,
  libraryPath: string | undefined,
): NodeJS.ProcessEnv {
  return libraryPath ? { ...environment, LD_LIBRARY_PATH: libraryPath } : environment;
}

export interface DriverRequest {
  readonly environment: NodeJS.ProcessEnv;
  /** The folder for the driver's manifest. */
  readonly out: string;
  /** A folder of libraries that bare machines lack. */
  readonly spare: string;
  readonly tell: (words: string) => void;
  /** The folder that stands for `/`. */
  readonly root?: string;
  readonly open?: typeof whyNoGpu;
}

/**
 * The environment in which processes find the GPU: NVIDIA's driver where there is one, by a manifest of
 * our own, since bare machines have none. A driver that somebody chose stays chosen.
 * @throws E409 for a driver without its Vulkan library, or one by which Dawn finds no GPU.
 */
export function chooseDriver(request: DriverRequest): NodeJS.ProcessEnv {
  const { environment, out, spare, tell, root = "/", open } = request;
  const named = driverVariables.find((name) => environment[name]);
  const nvidia = findNvidia(environment, root);
  if (named !== undefined || nvidia.signs.length === 0) {
    tell(named ? `${named}=${environment[named]}` : "no NVIDIA GPU: what Vulkan finds is used");
    return environment;
  }
  if (nvidia.libraries.length === 0)
    throw diagnose("E409", { message: missingWords(nvidia), help: missingHelp });
  const chosen = chooseLibrary(nvidia, environment, spare, open);
  if (typeof chosen === "string")
    throw diagnose("E409", {
      message: `NVIDIA's driver is no Vulkan driver for Dawn here: ${chosen}`,
      help: missingHelp,
    });
  const manifest = join(out, "nvidia_icd.json");
  writeFileSync(manifest, manifestOf(chosen.library));
  tell(`NVIDIA's driver ${nvidia.version ?? ""}: ${chosen.library}`);
  if (nvidia.missing.length > 0) tell(missingWords(nvidia));
  return { ...withLibraries(environment, chosen.libraryPath), VK_DRIVER_FILES: manifest };
}
