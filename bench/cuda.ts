/**
 * `npm run bench -- cuda FOLDER`: makes a folder, and FOLDER.tar.gz of it, that checks and times printed
 * CUDA on a machine with nvcc and an NVIDIA GPU, without Node: every op's samples, every kernel of a
 * small SAM's training step, products, attention and SAM's encoder. There, in three minutes:
 *
 *     tar -xzf FOLDER.tar.gz && FOLDER/run --out "$OUT"
 */

import { statSync } from "node:fs";
import { defaultProfile } from "../compiler/profile.ts";
import { targetNamed, usualProfile } from "../compiler/targets/find.ts";
import { diagnose, InarchError } from "../diagnostics/index.ts";
import { archive, shared, writePack } from "./cuda/pack.ts";
import { sampleCases } from "./cuda/samples.ts";
import { stepCases } from "./cuda/steps.ts";
import { timedCase, timings } from "./cuda/timings.ts";

/** What an exponential and a hyperbolic tangent may be off on a GPU, as for other devices. */
const tolerance = 1e-5;

try {
  const [folder, ...others] = process.argv.slice(2);
  if (folder === undefined || folder.startsWith("-") || others.length > 0)
    throw diagnose("E370", {
      message: "one folder is asked for",
      where: "bench cuda",
      help: "npm run bench -- cuda FOLDER",
    });
  const samples = await sampleCases([
    { name: "fused", tolerance },
    { name: "unfused, for any device", policy: "unfused", profile: defaultProfile, tolerance },
  ]);
  console.log(`${samples.length} samples`);
  const steps = await stepCases(usualProfile(targetNamed("cuda")), tolerance);
  console.log(`${steps.length} kernels of a training step`);
  const timed = [];
  for (const timing of timings) {
    timed.push({ name: `timed-${timed.length}`, cases: [await timedCase(timing)] });
    console.log(timing.name);
  }
  writePack(folder, [...shared("samples", samples, 16), ...shared("steps", steps, 8), ...timed]);
  const file = archive(folder);
  console.log(`${file}: ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`);
} catch (cause) {
  if (!(cause instanceof InarchError)) throw cause;
  console.error(cause.message);
  process.exitCode = cause.kind === "environment" ? 3 : 1;
}
