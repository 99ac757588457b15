import { expect, test } from "vitest";
import { graphOf } from "../compiler/graph/graph.ts";
import { input } from "../compiler/graph/sources.ts";
import { add } from "../ops/add.ts";
import { matmul } from "../ops/matmul.ts";
import { compileStages } from "../compiler/compile.ts";
import { evaluate, randomNumbers, relativeError, runOnReference } from "./evaluate.ts";

test("x", async () => {
  const x = input("x", "f32", [37, 45]);
  const w = input("w", "f32", [50, 45]);
  const b = input("b", "f32", [50]);
  const y = add(matmul(x, w, { transpose: "right" }), b);
  const g = graphOf([{ name: "y", tensor: y }]);
  const st = compileStages(g, {});
  console.log(st.plan.kernels[0]!.source);
  const args = { x: randomNumbers(37 * 45, 1), w: randomNumbers(50 * 45, 2), b: randomNumbers(50, 3) };
  const a = await runOnReference(g, args);
  const o = await evaluate(g, args);
  const u = await runOnReference(g, args, { policy: "unfused" });
  expect(relativeError(a.y!, o.y!)).toBeLessThan(1e-6);
  expect(relativeError(u.y!, o.y!)).toBeLessThan(1e-6);
  expect(st.plan.steps.length).toBe(1);
});
