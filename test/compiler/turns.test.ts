/** Compiling lets others have their turn, and can be stopped. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { convLora } from "../../adapters/conv-lora.ts";
import { build } from "../../build/build.ts";
import { compile, compileAsync, compileStagesAsync } from "../../compiler/compile.ts";
import { adapt } from "../../compiler/graph/adapt.ts";
import { graphOf } from "../../compiler/graph/graph.ts";
import { traceProgram } from "../../compiler/graph/model.ts";
import { input } from "../../compiler/graph/sources.ts";
import { type Pass, passRunner } from "../../compiler/passes.ts";
import { defaultProfile } from "../../compiler/profile.ts";
import { finish, inTurns, isDue, type Pausing } from "../../compiler/turns.ts";
import { explain } from "../../explain/explain.ts";
import { mergeAdapters } from "../../merge/merge.ts";
import { hashedWeights, samPreset } from "../../models/index.ts";
import { Sam } from "../../models/sam/sam.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { compileTrainingAsync } from "../../training/compile.ts";
import { structureLoss } from "../../training/losses/index.ts";
import { adamW } from "../../training/optimisers/index.ts";
import { createTrainer } from "../../training/trainer.ts";
import { transformerStack } from "../support/gradient-stack.ts";

const config = samPreset("vit_b");
const model = adapt(semanticSam(config, { classes: 1 }), convLora(), {
  where: "image_encoder.blocks.*.attn.qkv",
});
const size = config.imageSize;
const training = {
  optimiser: adamW({}),
  loss: ({ logits }: Readonly<Record<string, Parameters<typeof structureLoss>[0]>>) => ({
    structure: structureLoss(logits!, input("target", "f32", [1, 1, size, size])),
  }),
};

/** Milliseconds that this process has worked, whatever else the machine does. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of work from an abort, so long after the call, to the rejection; and what it rejected with. */
async function aborted(after: number, work: (signal: AbortSignal) => Promise<unknown>) {
  const stop = new AbortController();
  const reason = new RangeError("enough");
  let at = Number.NaN;
  setTimeout(() => {
    at = worked();
    stop.abort(reason);
  }, after);
  const caught = await work(stop.signal).catch((error: unknown) => error);
  expect(caught).toBe(reason);
  return worked() - at;
}

describe("an abort is heard while a training step of ViT-B", () => {
  const latencies: number[] = [];
  // Its trace, its derivative, its passes: compiling it takes seconds.
  for (const after of [0, 30, 100, 300, 600, 1000, 1500])
    test(`has been compiling for ${after} ms`, async () => {
      const latency = await aborted(after, (signal) =>
        compileTrainingAsync(model, { ...training, signal }),
      );
      latencies.push(latency);
    });

  test("and within 100 ms", () => {
    const sorted = latencies.sort((a, b) => a - b);
    expect(sorted).toHaveLength(7);
    // The median: a collection of garbage may come in one or the other.
    expect(sorted[3]).toBeLessThan(100);
  });
});

test("timers have their turn while it compiles, however small the parts", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const graph = traceProgram(model, "segment");
  const plan = await compileAsync(graph);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(20);
  expect(plan.steps.length).toBeGreaterThan(100);
});

describe("whatever compiles inside a promise", () => {
  const device = referenceDevice();
  const weights = hashedWeights(config, "turns");
  const out = join(tmpdir(), "inarch-never-built");
  const loaded = { model, file: undefined };
  const traced = { loaded, programs: ["segment"], dims: {} };
  const profiles = [{ name: "default", target: "wgsl", profile: defaultProfile }];
  const built = { ...traced, profiles };
  const shown = { ...traced, limits: "default", others: [], times: "no" } as const;
  const loads: readonly (readonly [string, (signal: AbortSignal) => Promise<unknown>])[] = [
    [
      "createTrainer",
      (signal) => createTrainer(model, { ...training, device, weights, rate: 1, signal }),
    ],
    ["mergeAdapters", (signal) => mergeAdapters(model, [weights], { signal })],
    ["build", (signal) => build({ ...built, out, onProgress: () => {}, signal })],
    ["explain", (signal) => explain({ ...shown, signal })],
    ["Sam.load", (signal) => Sam.load(weights, { device, signal })],
    [
      "compileStagesAsync",
      (signal) => compileStagesAsync(traceProgram(model, "segment"), { signal }),
    ],
  ];
  for (const [name, load] of loads)
    test(`rejects with the signal's reason, or compiles nothing: ${name}`, async () => {
      await aborted(20, load);
      const before = worked();
      await expect(load(AbortSignal.abort(new RangeError("before")))).rejects.toThrow("before");
      expect(worked() - before).toBeLessThan(1000);
    });

  test("and nothing is written", () => {
    expect(existsSync(out)).toBe(false);
  });
});

describe("what is compiled in turns", () => {
  const { loss } = transformerStack({
    blocks: 3,
    tokens: 12,
    width: 8,
    heads: 2,
    adapted: () => true,
  });
  const graph = graphOf([{ name: "loss", tensor: loss }]);

  test("is what is compiled at once, while others compile and trace", async () => {
    const alone = compile(graph, { name: "one" });
    const others = Array.from({ length: 3 }, () => compileAsync(graph, { name: "one" }));
    expect(traceProgram(model, "segment").nodes.length).toBeGreaterThan(1000);
    for (const plan of await Promise.all(others)) expect(plan).toEqual(alone);
  });

  test("tells of its passes the time that they worked, without that of others", () => {
    const passes: Pass[] = [];
    const run = passRunner((pass) => passes.push(pass));
    const work = run("lower", threeTurns(), (made) => ({ made }));
    for (;;) {
      if (work.next().done) break;
      const until = performance.now() + 50;
      while (performance.now() < until);
    }
    expect(passes).toHaveLength(1);
    expect(passes[0]!.made).toEqual({ made: 7 });
    expect(passes[0]!.milliseconds).toBeLessThan(50);
  });
});

function* threeTurns(): Pausing<number> {
  yield;
  yield;
  return 7;
}

describe("turns", () => {
  test("a pause is due in turns alone, and never in what is finished inside one", async () => {
    const asked: boolean[] = [];
    const work = function* (): Pausing<void> {
      const until = performance.now() + 30;
      while (performance.now() < until);
      asked.push(isDue());
      finish(
        (function* (): Pausing<void> {
          asked.push(isDue());
          if (isDue()) yield;
        })(),
      );
      asked.push(isDue());
      yield;
    };
    await inTurns(work());
    expect(asked).toEqual([true, false, true]);
    finish(work());
    expect(asked.slice(3)).toEqual([false, false, false]);
    expect(isDue()).toBe(false);
  });

  test("work that throws rejects, and the turn after it is as any other", async () => {
    const work = function* (): Pausing<void> {
      yield;
      throw new RangeError("no");
    };
    await expect(inTurns(work())).rejects.toThrow("no");
    expect(() => finish(work())).toThrow("no");
    expect(isDue()).toBe(false);
  });
});
