/** Memory, libraries and threads of the native device, through koffi and the library of `native-team.ts`. */
import { promisify } from "node:util";
import type { PlanKernel } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { optionalPackage } from "../../diagnostics/packages.ts";
import { kernelText } from "../devices/device.ts";
import type { NativeKernel, NativeMachine, NativeMemory } from "../devices/native.ts";
import { cachedLibrary } from "./native-cache.ts";
import { type Compiler, compileLibrary } from "./native-compiler.ts";
import { teamText } from "./native-team.ts";

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

/** @throws E400, E401 where koffi does not load, E483 where the compiler fails, E423 without memory. */
export async function openMachine(compiler: Compiler, threads: number): Promise<NativeMachine> {
  const { default: koffi } = await optionalPackage("koffi", () => import("koffi"));
  const team = await loadTeam(koffi, compiler);
  const own = team.open(threads);
  if (!own) throw outOfMemory(0);
  const closed = new FinalizationRegistry<Address>((library) => team.closeLibrary(library));
  const allocate = (bytes: number): NativeMemory => {
    const address = team.take(bytes);
    if (!address) throw outOfMemory(bytes);
    return {
      address,
      bytes: new Uint8Array(team.view(address, bytes)),
      free: () => team.give(address),
    };
  };
  return {
    lanes: compiler.lanes,
    registers: compiler.registers,
    threads: team.threads(own),
    allocate,
    async compile(kernels, owner) {
      if (kernels.length === 0) return [];
      const library = await loadKernels(team, compiler, kernels);
      closed.register(owner, library);
      return kernels.map(({ entry }) => kernelIn(team, library, entry));
    },
    run({ steps, count, scratchBytes, stop, isTimed, isShort }) {
      const given = [own, steps, count, scratchBytes, stop, isTimed ? 1 : 0] as const;
      const check = (done: number) =>
        done < 0 ? bug("no memory for the threads of a plan") : done;
      return isShort ? check(team.run(...given)) : team.runLater(...given).then(check);
    },
    close: () => team.close(own),
  };
}

/** Entries of a plan have names of their own. */
const joined = (kernels: readonly PlanKernel[]): string => kernels.map(kernelText).join("\n");

async function loadKernels(team: Team, compiler: Compiler, kernels: readonly PlanKernel[]) {
  const text = joined(kernels);
  const file = await cachedLibrary(keyOf(compiler, text), () => compileLibrary(compiler, text));
  const library = team.openLibrary(file.path);
  const error = library ? "" : team.libraryError();
  await file.release();
  return library ?? notLoaded(error);
}

const keyOf = ({ command, flags, identity }: Compiler, text: string): string =>
  JSON.stringify([command, flags, identity, text]);

function kernelIn(team: Team, library: Address, name: string): NativeKernel {
  const address = team.symbol(library, name);
  const scratch = team.symbol(library, `scratch_${name}`);
  if (!address || !scratch) return bug(`the library lacks ${name}`);
  const [scratchBytes] = new BigUint64Array(team.view(scratch, 8));
  return { address, scratchBytes: Number(scratchBytes) };
}

type Koffi = typeof import("koffi").default;

async function loadTeam(koffi: Koffi, compiler: Compiler): Promise<Team> {
  const make = () => compileLibrary(compiler, teamText);
  const file = await cachedLibrary(keyOf(compiler, teamText), make);
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
    message: `a library that the C compiler made does not load: ${why}`,
    help: "name another compiler with INARCH_CC, or use the device cpu, which needs none",
  });
};

const outOfMemory = (bytes: number) =>
  diagnose("E423", {
    message: `the machine has no ${bytes} bytes left`,
    help: "close sessions, use a smaller batch or image, or compile with a narrower weightFormat",
  });
