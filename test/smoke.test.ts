import { expect, test } from "vitest";
import { graphOf } from "../compiler/graph/graph.ts";
import { input } from "../compiler/graph/sources.ts";
import { add } from "../ops/add.ts";
import { matmul } from "../ops/matmul.ts";
import { compileStages } from "../compiler/compile.ts";
import { adapterProfile, defaultProfile } from "../compiler/profile.ts";
import { requestGpu } from "../runtime/node/gpu.ts";
import { webgpuDevice } from "../runtime/devices/webgpu.ts";
import { createSession } from "../runtime/session.ts";
import { evaluate, randomNumbers, relativeError, runOnReference } from "./evaluate.ts";

const program = (m: number, n: number, k: number) => {
  const x = input("x", "f32", [m, k]);
  const w = input("w", "f32", [n, k]);
  const b = input("b", "f32", [n]);
  return graphOf([{ name: "y", tensor: add(matmul(x, w, { transpose: "right" }), b) }]);
};
const values = (m: number, n: number, k: number) => ({ x: randomNumbers(m * k, 1), w: randomNumbers(n * k, 2), b: randomNumbers(n, 3) });

test("ref", async () => {
  for (const [m, n, k] of [[37, 50, 45], [9, 21, 44], [40, 70, 8]] as const) {
    const g = program(m, n, k);
    const args = values(m, n, k);
    const o = await evaluate(g, args);
    for (const subgroup of [0, 4, 8, 32]) {
      const a = await runOnReference(g, args, { profile: { ...defaultProfile, subgroup } });
      expect(relativeError(a.y!, o.y!)).toBeLessThan(1e-6);
    }
  }
});
test("gpu", async () => {
  const gpu = await requestGpu();
  const device = webgpuDevice(gpu.device);
  const profile = adapterProfile({ name: "x", limits: gpu.adapter.limits, kind: gpu.adapter.kind, subgroup: 8 });
  for (const [m, n, k] of [[196, 1152, 384], [196, 384, 384], [196, 1536, 384], [196, 384, 1536], [1024, 1024, 1024], [13, 256, 256]] as const)
    for (const sub of [8]) {
      const g = program(m, n, k);
      const st = compileStages(g, { profile: { ...profile, subgroup: sub } });
      let t = performance.now();
      const s = await createSession(st.plan, device);
      const comp = performance.now() - t;
      const args = values(m, n, k);
      const r = await s.run(args);
      let best = 1e9;
      for (let i = 0; i < 5; i++) { const ms = (await s.profile())[0]!.milliseconds; best = Math.min(best, ms); }
      if (m * n * k < 1e8) { const o = await evaluate(g, args); expect(relativeError(r.y!, o.y!)).toBeLessThan(1e-5); }
      console.log(m, n, k, "sub", sub, "compile", comp.toFixed(0), "ms", best.toFixed(2), "GF", ((2 * m * n * k) / best / 1e6).toFixed(1));
    }
  device.destroy();
  gpu.destroy();
}, 100000);
