/**
 * What adapters cost, counted: on SAM ViT-B at 1024 x 1024 pixels, with the adapter on every fused qkv.
 * Counts have no noise, so these are the limits that hold on every machine.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { convLora, lora, taLora } from "../../adapters/index.ts";
import { compileStages } from "../../compiler/compile.ts";
import { type Adapter, adapt, defineModel, input, traceProgram } from "../../compiler/index.ts";
import { countWork, type Work } from "../../compiler/inspect/count.ts";
import { samPresets } from "../../models/index.ts";
import { encodeImage } from "../../models/sam/image-encoder.ts";

const config = samPresets.vit_b;

const encoderOf = (depth: number) =>
  defineModel({
    name: "encoder",
    programs: {
      encode: (p) => {
        const image = input("image", "f32", [1, 3, config.imageSize, config.imageSize]);
        const own = { ...config, depth };
        return { y: encodeImage(p.forTask(0).at("image_encoder"), image, own).embedding };
      },
    },
  });

const encoder = encoderOf(config.depth);

const where = "image_encoder.blocks.*.attn.qkv";
const counted = (adapter?: Adapter): Work =>
  countWork(
    compileStages(traceProgram(adapter ? adapt(encoder, adapter, { where }) : encoder, "encode")),
  );

let bare: Work;
beforeAll(() => {
  bare = counted();
});

test("a block of the bare encoder takes at most eight dispatches", () => {
  const first = countWork(compileStages(traceProgram(encoderOf(1), "encode")));
  const others = bare.dispatches - first.dispatches;
  expect(others).toBeLessThanOrEqual(8 * (config.depth - 1));
});

describe.each([
  { name: "LoRA of rank 4", adapter: lora({ rank: 4 }), work: 0.01, bytes: 0.05, dispatches: 1 },
  {
    name: "LoRA of rank 4 on queries and values",
    adapter: lora({ rank: 4, parts: ["q", "v"] }),
    work: 0.01,
    bytes: 0.05,
    dispatches: 1,
  },
  { name: "Conv-LoRA, 8 experts", adapter: convLora(), work: 0.02, bytes: 0.1, dispatches: 3 },
  {
    name: "TA-LoRA 32/32/4",
    adapter: taLora({ tasks: 3 }),
    work: 0.03,
    bytes: 0.1,
    dispatches: 1,
    // The contractions of all layers' factors, in two kernels.
    once: 2,
  },
])("$name", ({ adapter, work, bytes, dispatches, once = 0 }) => {
  let own: Work;
  beforeAll(() => {
    own = counted(adapter);
  });

  test(`adds at most ${100 * work} % multiplications`, () => {
    expect(own.multiplications / bare.multiplications).toBeLessThanOrEqual(1 + work);
    expect(own.multiplications).toBeGreaterThan(bare.multiplications);
  });

  test(`adds at most ${100 * bytes} % bytes moved`, () => {
    expect(own.bytes / bare.bytes).toBeLessThanOrEqual(1 + bytes);
  });

  test(`adds at most ${dispatches} dispatches a block`, () => {
    expect(own.dispatches - bare.dispatches).toBeLessThanOrEqual(dispatches * config.depth + once);
  });
});
