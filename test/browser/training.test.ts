/**
 * A training that was compiled ahead of time, in a page: no compiler is there. Its checkpoint lies in the browser's
 * own store, and after the page was loaded anew it goes on with the numbers that it would have had.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel } from "../../build/load-model.ts";
import { cpuDevice } from "../../entries/cpu.ts";
import { openWeightsFile } from "../../entries/node.ts";
import { createTrainer } from "../../entries/training.ts";
import { type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { buildPackage, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { strictPolicy } from "../support/page-server.ts";
import { batch, buildTraining } from "../support/training-built.ts";

const folder = scratchFolder("browser-training");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = `
import { bytesSource, openDevice, openFileStore, openWeights, train } from "/built/tuned-layers.mjs";

const session = async (kind, more) => {
  const { device } = await openDevice({ kind });
  return [await train(device, { rate: 0.01, seed: 3, ...more }), device];
};

const opened = async (bytes) => openWeights(bytesSource("kept", bytes));

/** Steps; then a checkpoint and the adapter are kept. */
export async function begin(kind, batches) {
  const [training, device] = await session(kind);
  const losses = [];
  for (const inputs of batches) losses.push((await training.step(...inputs)).loss);
  const store = await openFileStore();
  await store.write("checkpoint", await training.save());
  await store.write("adapter", await training.saveAdapter());
  store.close();
  await training.close();
  device.destroy();
  return losses;
}

/** What a page does that was loaded anew. */
export async function goOn(kind, batches) {
  const store = await openFileStore();
  const names = await store.names();
  const resume = await opened(await store.read("checkpoint"));
  const [training, device] = await session(kind, { resume });
  const losses = [];
  for (const inputs of batches) losses.push((await training.step(...inputs)).loss);
  await training.loadAdapter(await opened(await store.read("adapter")));
  const { y } = await training.run("forward", { x: batches[0][0].x });
  for (const name of names) await store.remove(name);
  const left = [await store.names(), await store.read("adapter")];
  store.close();
  await training.close();
  device.destroy();
  return { names, losses, y: [...y], left };
}

/** Keeps a file that is too large for a site whose room is small. */
export const through = async (kind, batches) => {
  const [training, device] = await session(kind);
  const losses = [];
  for (const inputs of batches) losses.push((await training.step(...inputs)).loss);
  await training.close();
  device.destroy();
  return losses;
};
`;

/** Strict, but for the processor's kernels, which are WebAssembly. */
const policy = strictPolicy.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'");

const batches = [1, 2, 3, 4, 5, 6].map(batch);

interface GoneOn {
  readonly names: readonly string[];
  readonly losses: readonly number[];
  readonly y: readonly number[];
  readonly left: readonly unknown[];
}

describeInBrowser("a training ahead of time in Chromium", () => {
  let chromium: Chromium;
  let page: Page;

  beforeAll(async () => {
    await buildPackage();
    const built = await buildTraining(
      folder,
      "built",
      ...["--weights", "base.safetensors", "--standalone"],
    );
    expect(built.code, built.stderr).toBe(0);
    const files = Object.fromEntries(
      readdirSync(join(folder, "built")).map((name) => [
        `/built/${name}`,
        new Uint8Array(readFileSync(join(folder, "built", name))),
      ]),
    );
    chromium = await openChromium();
    page = await chromium.open({ script, files, policy });
  });

  afterAll(async () => {
    await page.close();
    await chromium.close();
  });

  test.each(["webgpu", "cpu"])("goes on after a reload, on %s", async (kind) => {
    const begun = await page.call<number[]>("begin", kind, batches.slice(0, 3));
    await page.reload();
    const then = await page.call<GoneOn>("goOn", kind, batches.slice(3));
    expect(then.names).toEqual(["adapter", "checkpoint"]);
    const losses = [...begun, ...then.losses];
    expect(losses).toEqual(await page.call("through", kind, batches));
    expect(then.left[0]).toEqual([]);
    const { model, training } = await loadModel(join(folder, "tuned.graph.ts"));
    const weights = await openWeightsFile(join(folder, "base.safetensors"));
    const trainer = await createTrainer(model, {
      ...training!,
      ...{ device: cpuDevice({ threads: 1 }), rate: 0.01, seed: 3, weights },
    });
    for (const [i, inputs] of batches.entries()) {
      const { loss } = await trainer.step(...inputs);
      expect(Math.abs(loss - losses[i]!)).toBeLessThan(1e-5 * loss);
      // The adapter that was kept is that of the third step.
      if (i !== 2) continue;
      const { y } = await trainer.run("forward", { x: batches[3]![0]!.x });
      for (const [at, value] of y!.entries()) expect(then.y[at]).toBeCloseTo(value, 4);
    }
    await trainer.close();
    await weights.close();
  });

  test("the page downloads the plans of one profile for each device", () => {
    const profiles = page.server.requests.flatMap(
      (path) => /-(default|subgroups|f16|wasm)-[0-9a-f]{12}\.mjs$/.exec(path)?.[1] ?? [],
    );
    expect(new Set(profiles)).toEqual(new Set(["default", "wasm"]));
  });
});
