/** The machine's C compiler: which there is, and what it makes of a text. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";
import { type Lanes, vectorFlags } from "./native-vectors.ts";

export interface Compiler {
  /** The command. */
  readonly command: string;
  /** For people: the command and its version. */
  readonly name: string;
  /** Of its version and of the system that it compiles for: equal for equal ones. */
  readonly id: string;
  /** How much it is to think of speed. */
  readonly effort: "-Og" | "-O3";
}

/** What finds none, in the order in which they are tried. */
const commands = ["cc", "clang", "gcc"];

/**
 * Products and sums may be rounded once (`-ffp-contract`): all else is as the text says. Whole numbers are modulo
 * 2^32, and memory has no type.
 */
const always = [
  ...["-std=gnu11", "-fPIC", "-w", "-ffp-contract=fast", "-fno-math-errno"],
  ...["-fno-trapping-math", "-fwrapv", "-fno-strict-aliasing"],
];

/** Asks a compiler what it defines before any text. */
const definitions = ["-dM", "-E", "-x", "c", "-"];

/**
 * The compiler that `INARCH_CC` names, or the first on the path.
 * @throws E482 where there is none, E483 where it does not answer as one.
 */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<Compiler> {
  const asked = env.INARCH_CC;
  for (const command of asked ? [asked] : commands) {
    const { code, out, error } = await call(command, definitions, env);
    if (code === "missing") continue;
    if (code !== 0) throw failed(command, error);
    const version = /^#define __VERSION__ "(.*)"$/m.exec(out)?.[1] ?? "unknown";
    const id = createHash("sha256").update(out).digest("hex");
    return { command, name: `${command} ${version}`, id, effort: "-O3" };
  }
  throw diagnose("E482", {
    message: asked
      ? `there is no C compiler ${asked}, which INARCH_CC names`
      : `there is no C compiler: none of ${commands.join(", ")} is on the path`,
    help: "install gcc or clang, or name one with INARCH_CC; the device cpu needs none",
  });
}

/** The widest vectors for which a compiler compiles here, where the system does not say. */
export async function compiledLanes({ command }: Compiler): Promise<Lanes> {
  const { out } = await call(command, ["-march=native", ...definitions], process.env);
  const has = (name: string) => out.includes(`#define ${name} `);
  if (has("__AVX512VL__") && has("__AVX512DQ__") && has("__AVX512BW__")) return 16;
  return has("__AVX2__") && has("__FMA__") ? 8 : 4;
}

/** The vectors that a text is compiled for: how many numbers one has, and those of the machines that it is for. */
export interface Vectors {
  readonly width: Lanes;
  readonly lanes: Lanes;
}

export const flagsFor = ({ effort }: Compiler, { width, lanes }: Vectors): readonly string[] => [
  ...[effort, ...always, ...vectorFlags(lanes)],
  `-DLANES=${width}`,
];

/** The bytes of a shared library. @throws E483 with the compiler's words where it fails. */
export async function compileLibrary(
  compiler: Compiler,
  text: string,
  vectors: Vectors,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Uint8Array<ArrayBuffer>> {
  const { command } = compiler;
  const folder = await mkdtemp(join(tmpdir(), "inarch-cc-"));
  try {
    const file = join(folder, "kernels.so");
    const own = [...flagsFor(compiler, vectors), "-shared", "-x", "c", "-"];
    const { code, error } = await call(
      command,
      [...own, "-o", file, "-pthread", "-ldl"],
      env,
      text,
    );
    if (code !== 0) throw failed(command, code === "missing" ? "it is gone" : error);
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) throw failed(command, "it ends well and writes no library");
    return Uint8Array.from(bytes);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const failed = (command: string, error: string) =>
  diagnose("E483", {
    message: `the C compiler ${command} fails: ${error.trim().split("\n").slice(0, 3).join("; ") || "it says nothing"}`,
    help: "name another one with INARCH_CC, or use the device cpu, which needs none",
  });

interface Answer {
  readonly code: number | "missing";
  readonly out: string;
  readonly error: string;
}

function call(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  text = "",
): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    let [out, error] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (part) => {
      out += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part) => {
      error += part;
    });
    // It may end before it has read all.
    child.stdin.on("error", () => {});
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const isMissing = cause.code === "ENOENT" || cause.code === "EACCES";
      resolve({ code: isMissing ? "missing" : 1, out, error: cause.message });
    });
    child.on("close", (code, signal) =>
      resolve({ code: code ?? 1, out, error: error || (signal ? `ended by ${signal}` : "") }),
    );
    child.stdin.end(text);
  });
}
