/**
 * The folder that checks and times printed CUDA on a machine with nvcc and a GPU, or its values on a
 * processor: texts, cases with the results that they must have, and a script. No Node is needed there.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";
import { root } from "../gpu/place.ts";
import { type Case, unitOf } from "./cases.ts";

/** Cases that are compiled together, and a name for their files. */
export interface Named {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** In `count` units of about equal length, so that as many compilers can work. */
export const shared = (name: string, cases: readonly Case[], count: number): readonly Named[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `${name}-${String(i).padStart(2, "0")}`,
    cases: cases.filter((_, j) => j % count === i),
  }));

const files = ["host.hpp", "processor.hpp", "run"] as const;

/** @throws E241 for a folder that holds other things. */
export function writePack(to: string, units: readonly Named[]): void {
  const folder = resolve(to);
  mkdirSync(folder, { recursive: true });
  const others = readdirSync(folder).filter((name) => !["units", "out", ...files].includes(name));
  if (others.length > 0)
    throw diagnose("E241", {
      message: `the folder for a pack holds other files: ${others.join(", ")}`,
      where: folder,
      help: "give another folder, or an empty one",
    });
  for (const name of ["units", "out"]) rmSync(join(folder, name), { recursive: true, force: true });
  mkdirSync(join(folder, "units"));
  for (const file of files) copyFileSync(join(root, "bench", "cuda", file), join(folder, file));
  chmodSync(join(folder, "run"), 0o755);
  for (const { name, cases } of units) {
    const unit = unitOf(cases);
    writeFileSync(join(folder, "units", `${name}.cu`), unit.source);
    writeFileSync(join(folder, "units", `${name}.bin`), unit.cases);
  }
}

/** Beside the folder. @returns the archive's path. */
export function archive(to: string): string {
  const folder = resolve(to);
  const file = `${folder}.tar.gz`;
  execFileSync("tar", ["-czf", file, "-C", dirname(folder), basename(folder)]);
  return file;
}
