/**
 * What each step of the training is given: drawn in worker threads, some steps ahead of the one that is trained on.
 * A batch is a function of the seed and the step alone, but for the answers that a correction begins from.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ask, inputsOf } from "./prompts.mjs";
import { drawScene } from "./scenes.mjs";

/**
 * Steps come in pairs that share their scenes, the second time in a mirror, half of them, with other things asked for.
 * A quarter of the steps asks for nothing and wants all things, since fine-tuning without prompts begins from that; a
 * quarter corrects answers, a third of these twice.
 */
export const cycle = [
  { kind: "either", corrections: 0 },
  { kind: "nothing", corrections: 0 },
  { kind: "either", corrections: 0 },
  { kind: "either", corrections: 1 },
  { kind: "either", corrections: 0 },
  { kind: "nothing", corrections: 0 },
  { kind: "either", corrections: 0 },
  { kind: "either", corrections: 2 },
  { kind: "nothing", corrections: 0 },
  { kind: "either", corrections: 1 },
];

/** The number of a drawing by which what is random in step `step` is drawn. */
export const seedOf = (seed, step) => seed * 2 ** 21 + step * 3;

/** Both batches of a pair of steps: `asked` as `prompts.mjs` says, and the inputs of the step. */
function drawPair(pair, { seed, batch }) {
  const scenes = Array.from({ length: batch }, (_, i) =>
    drawScene(seed * 2 ** 20 + ((pair * batch + i) % 2 ** 20)),
  );
  return [2 * pair, 2 * pair + 1].map((step) => {
    const { kind, corrections } = cycle[step % cycle.length];
    const asked = ask(scenes, seedOf(seed, step), kind, step % 2 === 1);
    return { corrections, inputs: inputsOf(asked), ...(corrections > 0 ? { asked } : {}) };
  });
}

/**
 * @param {{ seed: number, batch: number, workers: number, first: number }} options with the step to begin at
 * @returns `next()`, the batch of the next step, and `close()`
 */
export function drawAhead({ seed, batch, workers, first }) {
  const pool = Array.from(
    { length: workers },
    () => new Worker(new URL(import.meta.url), { workerData: { seed, batch } }),
  );
  const drawn = new Map();
  let step = first;
  let asked = first >> 1;
  const order = (pair) => {
    const worker = pool[pair % workers];
    const arrival = new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.on("message", function take(message) {
        if (message.pair !== pair) return;
        worker.off("message", take).off("error", reject);
        resolve(message.batches);
      });
    });
    // An error is told when its batch is asked for.
    arrival.catch(() => {});
    drawn.set(pair, arrival);
    worker.postMessage(pair);
  };
  return {
    async next() {
      const pair = step >> 1;
      while (asked < pair + 2 * workers) order(asked++);
      const batches = await drawn.get(pair);
      if (step % 2 === 1) drawn.delete(pair);
      return batches[step++ % 2];
    },
    close: () => Promise.all(pool.map((worker) => worker.terminate())),
  };
}

if (!isMainThread && parentPort && workerData?.batch)
  parentPort.on("message", (pair) => {
    const batches = drawPair(pair, workerData);
    const arrays = batches
      .flatMap(({ inputs }) => Object.values(inputs))
      .filter(ArrayBuffer.isView);
    parentPort.postMessage({ pair, batches }, [...new Set(arrays.map(({ buffer }) => buffer))]);
  });
