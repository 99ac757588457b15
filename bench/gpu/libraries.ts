/** Shared libraries on the machine that packs: what a program needs beside the C library. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";

/** The C library belongs to the machine that runs: a driver there was made for it. */
const system = /^(?:linux-vdso|ld-linux|lib(?:c|m|dl|rt|pthread|util|resolv|mvec|anl|nsl)\.so)/;
/** What compilers bring. A machine's own is newer, as a rule, and then right. */
const compilers = /^lib(?:stdc\+\+|gcc_s)\.so/;

export interface Library {
  /** The name by which it is looked for. */
  readonly name: string;
  readonly path: string;
  readonly of: "compiler" | "others";
}

/** What a binary needs, and what that needs, as the system's loader finds it. Throws E520. */
export function librariesOf(binary: string): Library[] {
  let listed: string;
  try {
    listed = execFileSync("ldd", [binary], { encoding: "utf8" });
  } catch (cause) {
    throw diagnose("E520", {
      message: `ldd cannot list the libraries of ${binary}: ${(cause as Error).message.split("\n")[0]}`,
      help: "pack on a Linux with glibc and its tools",
      cause,
    });
  }
  return parseLdd(listed, binary);
}

/** @throws E520 for a library that is not there. */
export function parseLdd(listed: string, binary: string): Library[] {
  return listed.split("\n").flatMap((line): Library[] => {
    const [, name, path] = /^\s*(\S+) => (\S+|not found)/.exec(line) ?? [];
    if (name === undefined || system.test(basename(name))) return [];
    if (path === undefined || !path.startsWith("/"))
      throw diagnose("E520", {
        message: `${name}, which ${binary} needs, is not on this machine`,
        help: "install it, then pack again",
      });
    return [{ name, path: path, of: compilers.test(name) ? "compiler" : "others" }];
  });
}

/** The least version of glibc that binaries name: "2.34". */
export function leastGlibc(binaries: readonly string[]): string {
  const minors = binaries
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      [
        ...readFileSync(path)
          .toString("latin1")
          .matchAll(/GLIBC_2\.(\d+)\0/g),
      ].map((m) => Number(m[1])),
    );
  return `2.${Math.max(17, ...minors)}`;
}
