/** What adapters refuse, with the place and what to type instead. */
import { describe, expect, test } from "vitest";
import * as adapters from "../../adapters/index.ts";
import { adapt, defineModel, input } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { samModel } from "../../models/sam/program.ts";
import { tiny } from "../support/adapted-programs.ts";
import { refusal } from "../support/weights-files.ts";

describe("refused", () => {
  const { lora, convLora, taLora, houlsby, lst, samAdapter, vptShallow, vptDeep } = adapters;
  const wrong = (value: unknown) => value as never;

  test.each<[string, () => unknown, string]>([
    ["a rank of 0", () => lora({ rank: 0 }), "lora: rank is 0"],
    ["a rank of 1.5", () => lora({ rank: 1.5 }), "lora: rank is 1.5"],
    ["an infinite alpha", () => lora({ alpha: Number.POSITIVE_INFINITY }), "alpha is Infinity"],
    ["a dropout of 1", () => lora({ dropout: 1 }), "lora: dropout is 1"],
    ["an unknown third", () => lora({ parts: wrong(["q", "w"]) }), 'parts are ["q","w"]'],
    ["a third twice", () => lora({ parts: ["q", "q"] }), 'parts are ["q","q"]'],
    ["no parts", () => taLora({ tasks: 1, parts: [] }), "parts are []"],
    ["no experts", () => convLora({ experts: 0 }), "convLora: experts is 0"],
    ["no scales", () => convLora({ experts: [] }), "at the scales []"],
    ["a scale of 0", () => convLora({ experts: [1, 0] }), "at the scales [1,0]"],
    ["more chosen than there are", () => convLora({ experts: 2, topK: 3 }), "topK is 3"],
    ["no tasks", () => taLora({ tasks: 0 }), "taLora: tasks is 0"],
    ["a rank of no tasks", () => taLora({ tasks: 2, ranks: [1, 1, 0] }), "the tasks' rank is 0"],
    ["a negative weight", () => taLora({ tasks: 2, orthogonality: -1 }), "orthogonality is -1"],
    ["a bottleneck of 0", () => houlsby({ bottleneck: 0 }), "bottleneck is 0"],
    ["a d of 0", () => adapters.vera({ begin: 0 }), "vera: begin is 0"],
    ["no prompts", () => vptDeep({ tokens: 0 }), "vptDeep: tokens is 0"],
    ["an unknown convolution", () => convLora({ convolution: wrong("evil") }), 'is "evil"'],
    ["parts that are no list", () => lora({ parts: wrong("q") }), 'parts are "q"'],
    ["parts of null", () => lora({ parts: wrong(null) }), "parts are null"],
    ["ranks that are no list", () => taLora({ tasks: 2, ranks: wrong(3) }), "ranks are 3"],
    ["no options", () => taLora(wrong(undefined)), "taLora: tasks is undefined"],
    ["a rank of text", () => lora({ rank: wrong("3") }), 'lora: rank is "3"'],
    ["a rank that is a symbol", () => lora({ rank: wrong(Symbol("a")) }), "rank is a symbol"],
    ["scales of null", () => convLora({ experts: wrong(null) }), "at the scales null"],
  ])("E134: %s", async (_name, make, words) => {
    const { code, details } = await refusal(make);
    expect([code, details.message]).toEqual(["E134", expect.stringContaining(words)]);
    expect(details.help).toBeTruthy();
  });

  const made = { lora, convLora, taLora, houlsby, lst, samAdapter, vptShallow, vptDeep };
  const all = { ...made, pfeiffer: adapters.pfeiffer, vera: adapters.vera };
  test.each(Object.entries(all))("E460: %s with what is no option", async (name, make) => {
    const call = make as (options: unknown) => unknown;
    for (const options of [null, 3, "rank", [], new Map(), { nothingOfTheSort: 1 }]) {
      const { code, details } = await refusal(() => call(options));
      expect([code, details.message]).toEqual(["E460", expect.stringContaining(name)]);
      expect(details.at?.resolve()?.file).toContain("refused.test.ts");
    }
  });

  test("E460: a misspelt setting is refused with the one that is meant", async () => {
    const { details } = await refusal(() => lora({ alfa: 6 } as never));
    expect(details.help).toContain("write alpha");
  });

  const model = samModel(tiny);
  const rows = (count: number) =>
    defineModel({
      name: "rows",
      build: (p) => ({ y: linear(p.at("odd"), input("x", "f32", [count, 4]), 4, 10) }),
    });

  test.each<[string, () => unknown, string, string]>([
    [
      "a rank above the layer's width",
      () => adapt(model, lora({ rank: 5 }), { where: "**.blocks.0.attn.qkv" }),
      "rank 5 is above the layer's width: it takes 4 features",
      "image_encoder.blocks.0.attn.qkv",
    ],
    [
      "parts of what has none",
      () => adapt(rows(4), lora({ parts: ["q"] }), { where: "odd" }),
      "10 outputs are not three parts",
      "odd",
    ],
    [
      "tokens that are no square",
      () => adapt(rows(6), convLora(), { where: "odd" }),
      "6 tokens are no square map",
      "odd",
    ],
    [
      "ranks above the widths",
      () => adapt(rows(4), taLora({ tasks: 2, ranks: [4, 11, 1] }), { where: "odd" }),
      "the output's rank 11 is above the 10 features",
      "odd",
    ],
    [
      "a bottleneck above the width",
      () => adapt(rows(4), houlsby({ bottleneck: 11 }), { where: "odd" }),
      "a bottleneck of 11 is wider than the layer's 10 results",
      "odd",
    ],
    [
      "a side network of no whole width",
      () => adapt(model, lst({ reduction: 3 })),
      "the width 4 over 3 is not 4 heads",
      "image_encoder.blocks",
    ],
    [
      "prompts of no whole width",
      () => adapt(model, samAdapter({ scaleFactor: 3 })),
      "the width 4 over a scale factor of 3",
      "image_encoder.blocks.0",
    ],
    [
      "shallow prompts without the blocks",
      () => adapt(model, vptShallow(), { where: "**.attn" }),
      "prompts pass from block to block",
      "image_encoder.blocks.0.attn",
    ],
  ])("E131: %s", async (_name, graft, words, place) => {
    const { code, details } = await refusal(graft);
    expect([code, details.message]).toEqual(["E131", expect.stringContaining(words)]);
    expect(details.where).toBe(place);
    expect(details.help).toBeTruthy();
  });

  test("E131: rows that are not the maps that the model says", async () => {
    const wrongMap = defineModel({
      name: "wrong-map",
      build: (p) => ({ y: linear(p, input("x", "f32", [8, 4]), 4, 4, { map: [1, 3, 3] }) }),
    });
    const { code, details } = await refusal(() => adapt(wrongMap, convLora()));
    expect([code, details.message]).toEqual([
      "E131",
      "convLora: 8 rows are not the 1 maps of 3 x 3 that the model says",
    ]);
  });

  test.each([
    ["no task", undefined, "the model does not say which task it computes"],
    ["a task too many", 2, "task 2 of a model, but the adapter has 2"],
  ])("E135: %s", async (_name, task, words) => {
    const tasks = defineModel({
      name: "tasks",
      build(p) {
        const own = task === undefined ? p : p.forTask(task);
        return { y: linear(own.at("a"), input("x", "f32", [2, 4]), 4, 4) };
      },
    });
    const adapter = taLora({ tasks: 2, ranks: [2, 2, 2] });
    const { code, details } = await refusal(() => adapt(tasks, adapter));
    expect([code, details.message]).toEqual(["E135", expect.stringContaining(words)]);
    expect(details.where).toBe("a");
  });
});
