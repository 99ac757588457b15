/**
 * nvcc accepts what is printed of whole plans as one file, and what their kernels take of a GPU. Where nvcc
 * is missing `support/nvcc.ts` says so, and the text's shape alone is checked.
 */
import { describe, expect, test } from "vitest";
import { compileStages } from "../../../../compiler/compile.ts";
import { traceProgram } from "../../../../compiler/index.ts";
import { printStage } from "../../../../compiler/inspect/index.ts";
import { defaultProfile, type Profile } from "../../../../compiler/profile.ts";
import { samModel, samPresets } from "../../../../models/index.ts";
import { hasNvcc, type Resources, resourcesOf, runNvcc } from "../../../support/nvcc.ts";

const model = samModel({ ...samPresets.vit_b, imageSize: 224, depth: 3, globalAttnIndexes: [1] });
const programs = Object.keys(model.programs);

/** The stage as `inarch show` prints it. */
function shown(program: string, profile?: Profile): string {
  const options = { target: "cuda", ...(profile ? { profile } : {}) };
  return printStage("cuda", compileStages(traceProgram(model, program), options));
}

const entriesOf = (text: string) =>
  [...text.matchAll(/__launch_bounds__\(\d+\) (\w+)\(/g)].map(([, name]) => name!);

describe.each(programs)("%s", (program) => {
  test("is one file, whose kernels have names of their own", () => {
    const text = shown(program);
    const entries = entriesOf(text);
    expect(entries.length).toBeGreaterThan(10);
    expect(new Set(entries).size).toBe(entries.length);
    expect(text).not.toContain("unroll 1");
  });

  test("takes no stack and spills nothing", () => {
    const text = shown(program);
    const found = resourcesOf(text);
    const kept = ({ stack, spilled }: Resources) => stack + spilled > 0;
    expect(found.filter(kept)).toEqual([]);
    expect(found.map(({ name }) => name).sort()).toEqual(hasNvcc ? entriesOf(text).sort() : []);
    // The more registers, the fewer blocks a multiprocessor holds: it has 65536.
    expect(Math.max(0, ...found.map(({ registers }) => registers))).toBeLessThanOrEqual(160);
  });

  test("without subgroups and with rolled loops is accepted for sm_80 and sm_90", () => {
    const text = shown(program, defaultProfile);
    expect(text).toContain("unroll 1");
    const archs = [80, 90].flatMap((n) => ["-gencode", `arch=compute_${n},code=sm_${n}`]);
    // Not optimised: what is asked is whether it compiles.
    runNvcc(text, [...archs, "-Xcicc", "-O0", "-Xptxas", "-O0", "-fatbin"]);
  });
});
