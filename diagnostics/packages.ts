/**
 * The npm packages that `npm install inarch` leaves out, because a page needs none of them and most
 * programs not all: each is a peer that may be missing, and is loaded when it is first needed.
 */
import { diagnose, type InarchError } from "./index.ts";

interface OptionalPackage {
  readonly use: string;
  /** What to do where the package is there but does not load. */
  readonly repair: string;
}

const packages = {
  webgpu: {
    use: "brings WebGPU to Node",
    repair:
      "it runs on x64 and arm64 of Linux with glibc, macOS and Windows; where yours is one of them, reinstall it: npm install webgpu",
  },
  sharp: {
    use: "reads and writes pictures",
    repair: "npm install --include=optional sharp",
  },
  esbuild: {
    use: "reads models from files of TypeScript",
    repair: "npm install --include=optional esbuild",
  },
  yaml: {
    use: "reads YAML files",
    repair: "npm install --include=optional yaml",
  },
  geotiff: {
    use: "reads large TIFFs by windows",
    repair: "npm install --include=optional geotiff",
  },
  koffi: {
    use: "calls what a C compiler made, drivers and MPI",
    repair: "npm install --include=optional koffi",
  },
} as const satisfies Record<string, OptionalPackage>;

export type PackageName = keyof typeof packages;

/** What a package does for inarch: words that follow its name. */
export const useOf = (name: PackageName): string => packages[name].use;

/**
 * An optional package, as `load` imports it: the caller writes the import, and so has its type.
 * @throws E400 where the package is not installed, E401 where it does not load.
 */
export async function optionalPackage<T>(name: PackageName, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw isMissing(name, cause) ? missing(name, cause) : brokenPackage(name, cause);
  }
}

/** Node's error for a package that is not there, and not for one that this package lacks. */
const isMissing = (name: PackageName, cause: unknown): boolean =>
  /^(?:ERR_)?MODULE_NOT_FOUND$/.test((cause as { code?: string } | null)?.code ?? "") &&
  firstLine(cause).includes(`'${name}'`);

const missing = (name: PackageName, cause: unknown): InarchError =>
  diagnose("E400", {
    message: `the npm package ${name}, which ${packages[name].use}, is not installed`,
    help: `npm install ${name}`,
    cause,
  });

/** E401, for a package that is installed and fails for want of its binary. */
export const brokenPackage = (name: PackageName, cause: unknown): InarchError =>
  diagnose("E401", {
    message: `the npm package ${name}, which ${packages[name].use}, does not load: ${firstLine(cause)}`,
    help: packages[name].repair,
    cause,
  });

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;
