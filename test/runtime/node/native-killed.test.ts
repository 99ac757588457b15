/** Training on the native device that is killed goes on to the bytes of one that was not, with another number of threads. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { repository } from "../../support/command-line.ts";
import { describeNative, quickCompiler } from "../../support/native.ts";

const steps = 12;

/** Takes the steps that a checkpoint has not taken, and writes it after each. */
const program = `
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { adapt, defineModel, input } from "./dist/entries/index.js";
import { lora } from "./dist/entries/adapters.js";
import { linear } from "./dist/entries/models.js";
import { openDevice, openWeightsFile } from "./dist/entries/node.js";
import { gelu, mean, mul, sub } from "./dist/entries/ops.js";
import { bytesSource, openWeights, writeSafetensors } from "./dist/entries/runtime.js";
import { adamW, createTrainer } from "./dist/entries/training.js";

const [file, threads] = process.argv.slice(1);
const numbers = (count, seed) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + seed));
const tensor = (shape, seed) => ({ dtype: "f32", shape, data: new Uint8Array(numbers(shape.reduce((a, b) => a * b), seed).buffer) });
const shapes = { "a.weight": [128, 96], "a.bias": [128], "b.weight": [48, 128], "b.bias": [48] };
const tensors = new Map(Object.entries(shapes).map(([name, shape], i) => [name, tensor(shape, i)]));
const model = defineModel({
  name: "layers",
  build: (p) => ({ y: linear(p.at("b"), gelu(linear(p.at("a"), input("x", "f32", [70, 96]), 96, 128)), 128, 48) }),
});
const { device } = await openDevice({ kind: "native", threads: Number(threads) });
const trainer = await createTrainer(adapt(model, lora({ rank: 4 }), { where: "*" }), {
  loss: ({ y }) => { const e = sub(y, input("target", "f32", y.shape)); return { squares: mean(mul(e, e)) }; },
  ...{ optimiser: adamW(), weights: await openWeights(bytesSource("weights", writeSafetensors(tensors, {}))) },
  ...{ device, rate: 0.01, seed: 3 },
  ...(existsSync(file) ? { resume: await openWeightsFile(file) } : {}),
});
while (trainer.steps < ${steps}) {
  await trainer.step({ x: numbers(70 * 96, trainer.steps), target: numbers(70 * 48, -trainer.steps) });
  writeFileSync(file + ".new", await trainer.save());
  renameSync(file + ".new", file);
  process.stdout.write("after " + trainer.steps + " steps\\n");
}
trainer.close();
device.destroy();
`;

describeNative("training that is killed", () => {
  const folder = mkdtempSync(join(tmpdir(), "inarch-killed-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Trains with so many threads, to the end or until it is killed. Returns what it said. */
  function train(name: string, threads: number, killed?: { after: number; wait: number }) {
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", program, join(folder, name), String(threads)],
      { cwd: repository, env: { ...process.env, INARCH_CC: quickCompiler() } },
    );
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    child.stdout.on("data", (chunk) => {
      const before = said;
      said += chunk;
      const due = `after ${killed?.after} steps`;
      if (killed && said.includes(due) && !before.includes(due))
        setTimeout(() => child.kill("SIGKILL"), killed.wait);
    });
    return new Promise<{ said: string; signal: string | null }>((resolve) =>
      child.on("exit", (_, signal) => resolve({ said, signal })),
    );
  }

  test("with one, two and seven threads, ends with the bytes of one that was not", async () => {
    const { said } = await train("whole", 1);
    expect(said).toContain(`after ${steps} steps`);
    const whole = readFileSync(join(folder, "whole"));
    for (const [first, then, after, wait] of [
      [1, 2, 1, 0],
      [2, 7, 4, 1],
      [7, 1, 7, 2],
    ] as const) {
      const name = `killed with ${first}`;
      const killed = await train(name, first, { after, wait });
      expect([killed.signal, killed.said]).toEqual([
        "SIGKILL",
        expect.not.stringContaining("Error"),
      ]);
      expect(whole.equals(readFileSync(join(folder, name)))).toBe(false);
      const again = await train(name, then);
      expect(again.said).not.toContain("after 1 steps");
      expect(whole.equals(readFileSync(join(folder, name))), name).toBe(true);
    }
  });
});
