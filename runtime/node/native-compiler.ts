/** The machine's C compiler: which there is, what it compiles for, and what it makes of a text. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";

export interface Compiler {
  /** The command. */
  readonly command: string;
  /** For people: the command and its version. */
  readonly name: string;
  /** Numbers of 32 bits in the widest vector of the machine that is worth using. */
  readonly lanes: 4 | 8 | 16;
  readonly registers: 16 | 32;
  readonly flags: readonly string[];
  /** Version and processor, all that a library depends on besides text and flags: equal for equal ones. */
  readonly identity: string;
}

/** What finds none, in the order in which they are tried. */
const commands = ["cc", "clang", "gcc"];

/**
 * Products and sums may be rounded once (`-ffp-contract`): all else is as the text says. Whole numbers are modulo
 * 2^32, and memory has no type.
 */
const always = [
  ...["-O3", "-std=gnu11", "-fPIC", "-w", "-ffp-contract=fast", "-fno-math-errno"],
  ...["-fno-trapping-math", "-fwrapv", "-fno-strict-aliasing"],
];

const forThisMachine: Partial<Record<NodeJS.Architecture, readonly string[]>> = {
  x64: ["-march=native"],
  arm64: ["-mcpu=native"],
};

/**
 * The compiler that `INARCH_CC` names, or the first on the path.
 * @throws E482 where there is none, E483 where it does not answer as one.
 */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<Compiler> {
  const asked = env.INARCH_CC;
  const target = forThisMachine[process.arch] ?? [];
  for (const command of asked ? [asked] : commands) {
    const { code, out, error } = await call(command, [...target, "-dM", "-E", "-x", "c", "-"], env);
    if (code === "missing") continue;
    if (code !== 0) throw failed(command, error);
    return described(command, out, target);
  }
  throw diagnose("E482", {
    message: asked
      ? `there is no C compiler ${asked}, which INARCH_CC names`
      : `there is no C compiler: none of ${commands.join(", ")} is on the path`,
    help: "install gcc or clang, or name one with INARCH_CC; the device cpu needs none",
  });
}

/** What the compiler defines tells what it compiles for. */
function described(command: string, macros: string, target: readonly string[]): Compiler {
  const has = (name: string) => macros.includes(`#define ${name} `);
  const lanes = has("__AVX512F__") ? 16 : has("__AVX2__") ? 8 : 4;
  const version = /^#define __VERSION__ "(.*)"$/m.exec(macros)?.[1] ?? "unknown";
  const wide = lanes === 16 ? ["-mprefer-vector-width=512"] : [];
  return {
    command,
    name: `${command} ${version}`,
    lanes,
    registers: lanes === 16 || has("__aarch64__") ? 32 : 16,
    flags: [...always, ...target, ...wide, `-DLANES=${lanes}`],
    identity: macros,
  };
}

/** The bytes of a shared library. @throws E483 with the compiler's words where it fails. */
export async function compileLibrary(
  { command, flags }: Compiler,
  text: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "inarch-cc-"));
  try {
    const file = join(folder, "kernels.so");
    const args = [...flags, "-shared", "-x", "c", "-", "-o", file, "-pthread", "-ldl"];
    const { code, error } = await call(command, args, env, text);
    if (code !== 0) throw failed(command, code === "missing" ? "it is gone" : error);
    return Uint8Array.from(await readFile(file));
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
