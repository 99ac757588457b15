/** Memory, libraries and threads of the native device, through koffi and the library of `native-team.ts`. */
import { promisify } from "node:util";
import type { PlanKernel } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { optionalPackage } from "../../diagnostics/packages.ts";
import type { NativeKernel, NativeMachine, NativeMemory } from "../devices/native.ts";
import type { Libraries } from "./native-libraries.ts";
import { registersOf } from "./native-vectors.ts";

type Address = bigint;

/** The functions of `native-team.ts`. */
interface Team {
  open(threads: number): Address | null;
  threads(team: Address): number;
  close(team: Address): void;
  run(...given: RunArguments): number;
  runLater(...given: RunArguments): Promise<number>;
  take(bytes: number): Address | null;
  give(address: Address): void;
  view(address: Address, bytes: number): ArrayBuffer;
  openLibrary(path: string): Address | null;
  libraryError(): string;
  symbol(library: Address, name: string): Address | null;
  closeLibrary(library: Address): void;
}

type RunArguments = readonly [
  team: Address,
  steps: Address,
  count: number,
  scratch: number,
  stop: Address,
  isTimed: number,
];

/**
 * Memory, threads and kernels, with as many threads as can be had.
 * @throws E400, E401 where koffi does not load, E423 without memory, E485 where a library does not load, and what
 * `libraries` throw.
 */
export async function openMachine(libraries: Libraries, threads: number): Promise<NativeMachine> {
  const { default: koffi } = await optionalPackage("koffi", () => import("koffi"));
  const team = await loadTeam(koffi, libraries);
  const own = team.open(threads);
  if (!own) throw outOfMemory("its threads");
  const closed = new FinalizationRegistry<Address>((library) => team.closeLibrary(library));
  const allocate = (bytes: number): NativeMemory => {
    const address = team.take(bytes);
    if (!address) throw outOfMemory(`${bytes} bytes more`);
    return {
      address,
      bytes: new Uint8Array(team.view(address, bytes)),
      free: () => team.give(address),
    };
  };
  return {
    lanes: libraries.lanes,
    registers: registersOf(libraries.lanes),
    threads: team.threads(own),
    allocate,
    async compile(kernels, owner) {
      if (kernels.length === 0) return [];
      const library = await loadKernels(team, libraries, kernels);
      closed.register(owner, library);
      return kernels.map(({ entry }) => kernelIn(team, library, entry));
    },
    run({ steps, count, scratchBytes, stop, isTimed, isShort }) {
      const given = [own, steps, count, scratchBytes, stop, isTimed ? 1 : 0] as const;
      const check = (done: number) => {
        if (done < 0)
          throw outOfMemory(`${scratchBytes} bytes for each of ${team.threads(own)} threads`);
        return done;
      };
      return isShort ? check(team.run(...given)) : team.runLater(...given).then(check);
    },
    close: () => team.close(own),
  };
}

async function loadKernels(team: Team, libraries: Libraries, kernels: readonly PlanKernel[]) {
  const file = await libraries.ofKernels(kernels);
  const library = team.openLibrary(file.path);
  const error = library ? "" : team.libraryError();
  await file.release();
  return library ?? notLoaded(error);
}

function kernelIn(team: Team, library: Address, name: string): NativeKernel {
  const address = team.symbol(library, name);
  const scratch = team.symbol(library, `scratch_${name}`);
  if (!address || !scratch) return bug(`the library lacks ${name}`);
  const [scratchBytes] = new BigUint64Array(team.view(scratch, 8));
  return { address, scratchBytes: Number(scratchBytes) };
}

type Koffi = typeof import("koffi").default;

async function loadTeam(koffi: Koffi, libraries: Libraries): Promise<Team> {
  const file = await libraries.ofTeam();
  const library = (() => {
    try {
      return koffi.load(file.path);
    } catch (cause) {
      return notLoaded((cause as Error).message);
    }
  })();
  const run = library.func(
    "long team_run(void *team, void *steps, long count, unsigned long scratch, void *stop, int isTimed)",
  );
  const later = promisify(run.async) as Team["runLater"];
  const functions: Team = {
    open: library.func("void *team_open(int threads)"),
    threads: library.func("int team_threads(void *team)"),
    close: library.func("void team_close(void *team)"),
    run: run as unknown as Team["run"],
    runLater: later,
    take: library.func("void *memory_take(unsigned long bytes)"),
    give: library.func("void memory_give(void *all)"),
    view: (address, bytes) => koffi.view(address, bytes),
    openLibrary: library.func("void *library_open(const char *path)"),
    libraryError: library.func("const char *library_error()"),
    symbol: library.func("void *library_symbol(void *library, const char *name)"),
    closeLibrary: library.func("void library_close(void *library)"),
  };
  await file.release();
  return functions;
}

const notLoaded = (why: string): never => {
  throw diagnose("E485", {
    message: `a library that a C compiler made does not load: ${why}`,
    help: "name another compiler with INARCH_CC, build a bundle again on such a machine, or use the device cpu, which needs none",
  });
};

const outOfMemory = (what: string) =>
  diagnose("E423", {
    message: `the machine has no memory for ${what}`,
    help: "close sessions, use a smaller batch or image, or compile with a narrower weightFormat",
  });
