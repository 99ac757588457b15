/** The planner on the size that matters: SAM ViT-B at 1024 x 1024. Nothing is run. */
import { expect, test } from "vitest";
import { convLora } from "../../../adapters/conv-lora.ts";
import { lora } from "../../../adapters/lora.ts";
import { chooseKept } from "../../../compiler/grad/choose.ts";
import { planBuffers } from "../../../compiler/grad/plan-bytes.ts";
import { adapt, trains } from "../../../compiler/graph/adapt.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { traceProgram } from "../../../compiler/graph/model.ts";
import { emptyScope } from "../../../compiler/graph/site.ts";
import { input, parameterOp, type Source } from "../../../compiler/graph/sources.ts";
import { gradient } from "../../../compiler/op-kit.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { finish } from "../../../compiler/turns.ts";
import { samPreset } from "../../../models/index.ts";
import { semanticSam } from "../../../models/semantic-sam.ts";
import { full, mean, mul } from "../../../ops/index.ts";
import { trainingBytes } from "../../../runtime/training/memory.ts";
import { plansOf } from "../../../runtime/training/plan.ts";
import { compileTraining } from "../../../training/compile.ts";
import { structureLoss } from "../../../training/losses/index.ts";
import { adamW } from "../../../training/optimisers/index.ts";

const model = adapt(semanticSam(samPreset("vit_b"), { classes: 1 }), lora(), {
  where: "image_encoder.blocks.*.attn.qkv",
});

/** The mean square of the logits, and its gradients for LoRA of all blocks. */
function trainingGraph() {
  const scope = emptyScope({ bindings: model.bindings ?? [], training: true });
  const logits = traceProgram(model, "segment", {}, scope).outputs[0]!.tensor;
  const loss = mean(mul(logits, logits));
  const nameOf = (node: { attrs: unknown }) => (node.attrs as Source).name;
  const parameters = new Map(
    graphOf([{ name: "loss", tensor: loss }])
      .nodes.flatMap((n) => n.inputs)
      .filter((t) => (t.node.op as unknown) === parameterOp)
      .map((t) => [nameOf(t.node), t] as const),
  );
  const trained = [...parameters].filter(([name]) => trains(model, name, scope.grafted.has(name)));
  const gradients = gradient(
    [loss],
    [full(1, [])],
    trained.map(([, t]) => t),
  );
  const outputs = gradients.map((tensor, i) => ({ name: trained[i]![0], tensor: tensor! }));
  return { loss, graph: graphOf([{ name: "loss", tensor: loss }, ...outputs], "as written") };
}

test("LoRA on ViT-B at 1024 fits in 1 GiB, weights included, for a fifth more work", () => {
  const { loss, graph } = trainingGraph();
  const measure = function* (g: typeof graph) {
    const buffers = yield* planBuffers(g, defaultProfile);
    return buffers.reduce((sum, b) => sum + b.bytes, 0);
  };
  const budget = 2 ** 30;
  const choice = finish(
    chooseKept({ graph, forward: [loss], budget, measure, profile: defaultProfile }),
  );
  expect(choice.bytesWithout).toBeGreaterThan(1.5 * budget);
  expect(choice.bytes).toBeLessThanOrEqual(budget);
  expect(choice.recomputed).toBeLessThan(0.2);
  expect(choice.asked).toBeLessThanOrEqual(25);
});

test("a whole step with Conv-LoRA and its decoder, compiled, fits in 800 MiB", () => {
  const side = samPreset("vit_b").imageSize;
  const budget = 800 * 2 ** 20;
  const plan = compileTraining(
    adapt(semanticSam(samPreset("vit_b"), { classes: 1 }), convLora(), {
      where: "image_encoder.blocks.*.attn.qkv",
      train: ["mask_decoder.**"],
    }),
    {
      budget,
      loss: ({ logits }) => ({
        structure: structureLoss(logits!, input("target", "f32", [1, 1, side, side])),
      }),
      optimiser: adamW({}),
    },
  );
  expect(trainingBytes(plansOf(plan)).total).toBeLessThanOrEqual(budget);
});
