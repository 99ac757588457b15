/**
 * Derivatives against differences in double precision, where a sample of the walker is not enough: at
 * chosen routes, and on the encoder of a SAM.
 */
import { describe, test } from "vitest";
import * as adapters from "../../adapters/index.ts";
import type { Adapter, Graph } from "../../compiler/index.ts";
import type { Arrays } from "../../verify/ops/evaluate.ts";
import { checkAdapterDerivative, randomArrays } from "../support/adapted-graphs.ts";
import { encoder, layer } from "../support/adapted-programs.ts";

/** Maps go to different experts, and far enough from where the choice changes. */
const routed = (graph: Graph): Arrays => ({
  ...randomArrays(graph),
  "lora_moe_gating.w_gate": [3, -3, -2, 2],
  "noise..gate.1": [0.1, 0.9, 0.8, 0.2],
});
describe("derivatives agree with differences", () => {
  const { convLora } = adapters;
  test.each<[string, Adapter]>([
    ["conv-lora", convLora({ rank: 2, experts: [1, 6] })],
    [
      "conv-lora, depthwise, two experts a map",
      convLora({ rank: 2, experts: [2, 5], topK: 2, convolution: "depthwise" }),
    ],
  ])("%s, where every expert sees a map", async (_name, adapter) => {
    await checkAdapterDerivative(adapter, layer, routed);
  });

  const { vptDeep, vptShallow, lst, samAdapter } = adapters;
  const ofTheModel = /bias$|norm/;
  test.each<[string, Adapter, RegExp?]>([
    ["vpt-deep", vptDeep({ tokens: 3 })],
    ["vpt-shallow", vptShallow({ tokens: 3, dropout: 0.4 })],
    ["lst", lst({ reduction: 2, heads: 1 })],
    ["sam-adapter, with biases and norms of the model", samAdapter({ scaleFactor: 2 }), ofTheModel],
  ])("%s, in padded windows", async (_name, adapter, also) => {
    await checkAdapterDerivative(
      adapter,
      encoder,
      randomArrays,
      (path) => also?.test(path) ?? false,
    );
  });
});
