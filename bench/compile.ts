/**
 * `npm run bench -- compile`: how long the compiler takes from trace to plan, without pipelines, for
 * the published SAM encoders at 1024 pixels; the median of five, the first run apart.
 */
import { compile, traceProgram } from "../compiler/index.ts";
import { defaultProfile } from "../compiler/profile.ts";
import { samModel, samPresets } from "../models/index.ts";

for (const subgroup of [0, 8])
  for (const name of ["vit_b", "vit_l", "vit_h"] as const) {
    const model = samModel(samPresets[name]);
    const times = Array.from({ length: 6 }, () => {
      const start = performance.now();
      for (const program of Object.keys(model.programs))
        compile(traceProgram(model, program), { profile: { ...defaultProfile, subgroup } });
      return performance.now() - start;
    });
    const [first, ...rest] = times;
    const median = rest.sort((a, b) => a - b)[2]!;
    const kernels = subgroup ? `subgroups of ${subgroup}` : "shared memory";
    console.log(
      `${name}, ${kernels}: first ${first!.toFixed(0)} ms, then ${median.toFixed(0)} ms (encode and decode)`,
    );
  }
