/** Arenas: no two tensors that live together overlap, and little is wasted, on every model. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planPlaces } from "../../../compiler/grad/plan-bytes.ts";
import { type Adapter, adapt, input, type Model, traceProgram } from "../../../compiler/index.ts";
import { type Item, pack } from "../../../compiler/memory/memory.ts";
import type { PlanBuffer } from "../../../compiler/plan.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import type { Precision } from "../../../compiler/storage/formats.ts";
import { noLayout } from "../../../compiler/storage/layout.ts";
import { finish } from "../../../compiler/turns.ts";
import { convLora, lora, publishedMethods, taLora } from "../../../entries/adapters.ts";
import { mSam } from "../../../models/msam.ts";
import { parseSamConfig, samPreset } from "../../../models/sam/config.ts";
import { samModel } from "../../../models/sam/program.ts";
import { semanticSam } from "../../../models/semantic-sam.ts";
import { mean, mul } from "../../../ops/index.ts";
import { trainingBytes } from "../../../runtime/training/memory.ts";
import { plansOf } from "../../../runtime/training/plan.ts";
import { compileTraining } from "../../../training/compile.ts";
import { adamW } from "../../../training/optimisers/index.ts";
import type { TrainingOptions } from "../../../training/options.ts";
import { fixturePath } from "../../support/weights-files.ts";

const item: fc.Arbitrary<Item> = fc
  .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(20), length: fc.nat(6) })
  .map(({ bytes, first, length }) => ({ bytes, first, last: first + length }));

describe("arenas", () => {
  test("tensors that live together never overlap, offsets are aligned, and arenas stay in limits", () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 25 }), (items) => {
        const { places, arenas, lowerBound } = finish(pack(items, 8192, 256));
        items.forEach((a, i) => {
          const p = places[i]!;
          expect(p.offset % 256).toBe(0);
          expect(p.offset + a.bytes).toBeLessThanOrEqual(arenas[p.arena]!);
          expect(arenas[p.arena]!).toBeLessThanOrEqual(8192);
          items.slice(0, i).forEach((b, j) => {
            const q = places[j]!;
            const together = a.first <= b.last && b.first <= a.last && p.arena === q.arena;
            const apart = p.offset + a.bytes <= q.offset || q.offset + b.bytes <= p.offset;
            expect(!together || apart).toBe(true);
          });
        });
        expect(arenas.reduce((s, n) => s + n, 0)).toBeGreaterThanOrEqual(lowerBound);
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  test("a chain of equal tensors needs two places", () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 1024, first: i, last: i + 1 }));
    const { arenas, lowerBound } = finish(pack(chain, 2 ** 20, 256));
    expect([arenas, lowerBound]).toEqual([[2048], 2048]);
  });

  test("nothing to place takes nothing", () => {
    expect(finish(pack([], 2 ** 20, 256))).toEqual({ places: [], arenas: [], lowerBound: 0 });
  });

  test("equal tensors get equal places, after a search too", () => {
    const [items] = fc.sample(fc.array(item, { minLength: 30, maxLength: 30 }), {
      numRuns: 1,
      seed: 5,
    });
    const packed = () => finish(pack(items!, 2 ** 20, 256));
    expect(packed()).toEqual(packed());
  });
});

/** With halves, and with limits that no model here comes near. */
const roomy: Profile = { ...defaultProfile, half: true, maxBindingBytes: 2 ** 30 };

interface Arena {
  readonly buffers: readonly PlanBuffer[];
  readonly arenaLowerBound: number;
}

/** No program takes more than a tenth above what lives at one step. */
function expectTight(what: string, { buffers, arenaLowerBound: bound }: Arena): void {
  const arena = buffers.reduce((sum, b) => sum + (b.role === "arena" ? b.bytes : 0), 0);
  expect(bound, what).toBeGreaterThan(0);
  expect(arena / bound, `${what}: ${arena} bytes, of which ${bound} live`).toBeLessThan(1.1);
}

/** The places of a program's tensors: nothing is lowered. */
const placed = (model: Model, program: string, precision: Precision = "f32"): Arena =>
  finish(
    planPlaces(traceProgram(model, program, {}), roomy, noLayout, {
      precision,
      device: { half: true },
    }),
  );

const nano = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));
const vitB = samPreset("vit_b");
const tasks = [
  { name: "semantic", channels: 4 },
  { name: "depth", channels: 1 },
  { name: "normal", channels: 3 },
];
const qkv = ["image_encoder.blocks.*.attn.qkv"];
const grafted = (model: Model, adapter: Adapter) => adapt(model, adapter, { where: qkv });

describe("an arena is at most a tenth above the bytes that live at one step", () => {
  test.each<[string, Model]>([
    ["the small SAM", samModel(nano)],
    ["SAM ViT-B at 1024 pixels", samModel(vitB)],
    ["SAM ViT-L at 1024 pixels", samModel(samPreset("vit_l"))],
    ["semantic SAM of one class", semanticSam(nano, { classes: 1 })],
    ["semantic SAM of five classes", semanticSam(nano, { classes: 5 })],
    ["semantic SAM ViT-B at 1024 pixels", semanticSam(vitB, { classes: 1 })],
    ["mSAM", mSam(nano, { tasks })],
    ["mSAM with TA-LoRA", grafted(mSam(nano, { tasks }), taLora({ tasks: 3 }))],
  ])("%s, in single and in mixed precision", (_, model) => {
    for (const program of Object.keys(model.programs))
      for (const precision of ["f32", "mixed"] as const)
        expectTight(`${program} in ${precision}`, placed(model, program, precision));
  });

  test.each(publishedMethods().map((method) => [method.name, method.adapters] as const))(
    "SAM ViT-B at 1024 pixels with %s",
    (_, adapters) => {
      // Bound without adapt, which would trace this large model once more for each adapter.
      const bindings = adapters.map((one) => ({ ...one, train: [] }));
      const model = { ...semanticSam(vitB, { classes: 1 }), bindings };
      expectTight("segment", placed(model, "segment"));
    },
  );

  const square: TrainingOptions["loss"] = (outputs) => ({
    square: Object.values(outputs)
      .map((y) => mean(mul(y, input("target", "f32", y.shape as readonly number[]))))
      .at(0)!,
  });
  // Two blocks, with and without windows: further ones repeat them.
  const short = { ...nano, depth: 2, globalAttnIndexes: [1] };
  const semantic = semanticSam(short, { classes: 1 });
  const dense = grafted(mSam(short, { tasks: tasks.slice(0, 2) }), taLora({ tasks: 2 }));
  const train = { loss: square, optimiser: adamW(), clip: 1, profile: roomy } as const;

  test.each<[string, Model, Partial<TrainingOptions>]>([
    ["LoRA", grafted(semantic, lora()), {}],
    ["Conv-LoRA", grafted(semantic, convLora()), { programs: { segment: {} } }],
    ["Conv-LoRA in mixed precision", grafted(semantic, convLora()), { precision: "mixed" }],
    ["Conv-LoRA with accumulation", grafted(semantic, convLora()), { micro: 2 }],
    ["TA-LoRA", dense, { program: "segment" }],
    ["LoRA on ViT-B at 1024 pixels", grafted(semanticSam(vitB, { classes: 1 }), lora()), {}],
  ])("training with %s", (_, model, more) => {
    const plan = compileTraining(model, { ...train, ...more });
    for (const one of plansOf(plan)) if (one.arenaLowerBound > 0) expectTight(one.name, one);
  });

  test("training with Conv-LoRA in a tenth fewer bytes than it would take", () => {
    const model = grafted(semantic, convLora());
    const budget = 0.9 * trainingBytes(plansOf(compileTraining(model, train))).total;
    const plan = compileTraining(model, { ...train, budget });
    expect(plan.recomputed).toBeGreaterThan(0);
    expectTight("backward", plan.backward);
  });
});
