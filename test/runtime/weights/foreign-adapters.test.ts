/** Adapters of other programs are named where they are refused, with what to do. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { compile } from "../../../compiler/compile.ts";
import { adapt, defineModel, input, traceProgram } from "../../../compiler/index.ts";
import { convert } from "../../../export/node/convert.ts";
import { mergeAdapters } from "../../../merge/merge.ts";
import { linear } from "../../../models/layers.ts";
import { inferSamConfig } from "../../../models/sam/checkpoint.ts";
import { withMetaNames } from "../../../models/sam/names.ts";
import { mean } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { createSession } from "../../../runtime/session.ts";
import { type Weights, writeSafetensors } from "../../../runtime/weights/index.ts";
import { suspect } from "../../../runtime/weights/kinds.ts";
import { createTrainer, sgd } from "../../../training/index.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";
import { floats } from "../../support/training-file.ts";
import { openBytes, refusal } from "../../support/weights-files.ts";

const model = defineModel({
  name: "layer",
  build: (p) => ({ y: linear(p.at("qkv"), input("x", "f32", [1, 4]), 4, 4) }),
});
const adapted = adapt(model, lora({ rank: 1 }));
const device = referenceDevice();
const plan = compile(traceProgram(adapted, "forward"), { name: "layer", target: "reference" });
const bare = compile(traceProgram(model, "forward"), { name: "layer", target: "reference" });

const fileOf = (names: readonly string[]) =>
  openBytes(writeSafetensors(new Map(names.map((name) => [name, floats([1], [1])] as const))));
const base = () =>
  openBytes(
    writeSafetensors(
      new Map([
        ["qkv.weight", floats(randomNumbers(16, 1), [4, 4])],
        ["qkv.bias", floats(randomNumbers(4, 2), [4])],
      ]),
    ),
  );
const trainer = async (more: { resume?: Weights } = {}) =>
  createTrainer(adapted, {
    ...more,
    ...{ device, weights: await base(), rate: 0.1, optimiser: sgd() },
    loss: ({ y }) => ({ y: mean(y!) }),
  });

const cases: readonly (readonly [program: string, names: readonly string[]])[] = [
  ["PEFT", ["base_model.model.qkv.lora_A.weight", "base_model.model.qkv.lora_B.weight"]],
  ["PEFT", ["base_model.model.qkv.lora_A.default.weight"]],
  ["PEFT", ["base_model.model.qkv.lora_magnitude_vector.weight"]],
  ["PEFT", ["qkv.base_layer.weight"]],
  ["PEFT", ["base_model.model.qkv.hada_w1_a"]],
  ["SAMed", ["w_a_000", "w_b_000", "w_a_001", "w_b_001"]],
  ["AutoGluon", ["model.vision_encoder.layers.0.attn.qkv.lora_A"]],
  ["PEFT", ["qkv.lora_E"]],
  ["PEFT", ["base_model.model.qkv.lora_embedding_A"]],
  ["PEFT", ["base_model.model.qkv.lora_B.bias"]],
  ["SAMed", ["image_encoder.blocks.0.attn.qkv.linear_a_q.weight"]],
  ["Diffusers", ["unet.attn.processor.to_q_lora.down.weight"]],
  ["MLX", ["model.layers.0.self_attn.q_proj.lora_a"]],
  ["AutoGluon", ["vision_encoder.layers.0.attn.qkv.lora_moe_gating.w_gate"]],
  ["Kohya's scripts", ["unet.qkv.lora_down.weight", "unet.qkv.lora_up.weight"]],
];

describe("an adapter of another program", () => {
  test.each(cases)("%s: %j", async (program, names) => {
    const uses = [
      async () =>
        createSession(plan, device, { weights: await base(), adapter: await fileOf(names) }),
      async () => createSession(bare, device, { weights: await fileOf(names) }),
      async () => mergeAdapters(adapted, [await base(), await fileOf(names)]),
      async () => (await trainer()).loadAdapter(await fileOf(names)),
      async () => inferSamConfig(await fileOf(names)),
      async () => withMetaNames(await fileOf(names)),
      async () => trainer({ resume: await fileOf(names) }),
    ];
    for (const use of uses) {
      const { code, details } = await refusal(use);
      expect([code, details.message]).toEqual([
        "E437",
        `the file holds an adapter of ${program}: ${names[0]} is one of its tensors`,
      ]);
      expect(details.help).toMatch(/merge|fuse/);
    }
    // Or pages would not load what knows them.
    expect(names[0]).toMatch(suspect);
  });

  test("is refused beside a whole base, too, which would be used without it", async () => {
    const names = ["qkv.weight", "qkv.bias", "vision_encoder.qkv.lora_A"];
    expect(
      (await refusal(async () => createSession(bare, device, { weights: await fileOf(names) })))
        .code,
    ).toBe("E437");
  });
});

test("an adapter of inarch's own is named where a checkpoint of training is wanted", async () => {
  const file = await openBytes(await (await trainer()).saveAdapter());
  const { code, details } = await refusal(() => trainer({ resume: file }));
  expect([code, details.message, details.help]).toEqual([
    "E432",
    "the file is an adapter's, not a checkpoint of training",
    "give it to loadAdapter()",
  ]);
});

test("names are not changed from another program's into those of inarch's adapters", async () => {
  const folder = mkdtempSync(join(tmpdir(), "foreign-"));
  const input = join(folder, "autogluon.safetensors");
  const name = "model.vision_encoder.layers.0.attn.qkv.lora_A";
  writeFileSync(input, writeSafetensors(new Map([[name, floats([1], [1])]])));
  const output = join(folder, "meta.safetensors");
  const { code } = await refusal(() => convert({ input, output, names: "meta" }));
  expect(code).toBe("E437");
  expect((await convert({ input, output })).tensors).toBe(1);
  rmSync(folder, { recursive: true });
});

test("an adapter of inarch's own is none of them, with its metadata or without", async () => {
  const session = await trainer();
  const file = await openBytes(await session.saveAdapter());
  await createSession(plan, device, { weights: await base(), adapter: file });
  const names = [...file.tensors.keys()];
  expect(names).toEqual(["qkv.lora_A", "qkv.lora_B"]);
  const { code, details } = await refusal(async () =>
    createSession(plan, device, { weights: await base(), adapter: await fileOf(["other"]) }),
  );
  expect([code, details.message]).toEqual(["E437", "the file does not say that it is an adapter"]);
});

describe("the settings of a PEFT adapter", () => {
  const folder = mkdtempSync(join(tmpdir(), "peft-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const text = '{\n  "r": 3,\n "peft_type": "LORA"}';

  test("are named where they are given by path", async () => {
    const path = join(folder, "adapter_config.json");
    writeFileSync(path, text);
    const { code, message } = await refusal(() => openWeightsFile(path));
    expect(code).toBe("E437");
    expect(message).toContain("the settings of a PEFT adapter");
  });

  test("and as bytes", async () => {
    const { code, message } = await refusal(() => openBytes(new TextEncoder().encode(text)));
    expect(code).toBe("E206");
    expect(message).toContain("the settings of a PEFT adapter");
  });
});
