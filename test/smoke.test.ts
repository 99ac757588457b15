import { test } from "vitest";
import { compileStages, traceProgram } from "../compiler/index.ts";
import { adapterProfile } from "../compiler/profile.ts";
import { hashedImage, hashedWeights } from "../models/sam/hashed.ts";
import { samModel, samPresets } from "../models/index.ts";
import { createSession } from "../runtime/session.ts";
import { openDevice } from "../runtime/node/index.ts";
test("enc", async () => {
  const config = { ...samPresets.vit_b, imageSize: 224, embedDim: 384, depth: 6, numHeads: 6, globalAttnIndexes: [2, 5], windowSize: 14 };
  const { device, facts } = await openDevice();
  let t = performance.now();
  const st = compileStages(traceProgram(samModel(config), "encode"), { profile: adapterProfile(facts) });
  console.log("compile", performance.now() - t, "steps", st.plan.steps.length, "kernels", st.plan.kernels.length);
  for (const r of st.fusion.regions) console.log(r.anchor.op.name, r.writes[0]!.shape.join("x"), "| behind:", r.chain.map((l) => l.node.op.name).join(" "), "| in front:", r.nodes.filter((n) => n !== r.anchor && !r.chain.some((l) => l.node === n)).map((n) => n.op.name).join(" "));
  for (const [n, why] of st.fusion.reasons) console.log("  reason", n.op.name, n.types[0]!.shape.join("x"), why);
  t = performance.now();
  const s = await createSession(st.plan, device, { weights: hashedWeights(config, "bench") });
  console.log("load", performance.now() - t);
  await s.run({ image: hashedImage("bench", 224) });
  for (let i = 0; i < 5; i++) { t = performance.now(); await s.run({}); console.log("run", performance.now() - t); }
  for (const x of await s.profile()) console.log(x.milliseconds.toFixed(2), x.kernel, x.label);
  device.destroy();
}, 200000);
