/** `inarch build --train`: a training in a bundle takes the steps of one that was compiled where it trains. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel } from "../../build/load-model.ts";
import { cpuDevice } from "../../entries/cpu.ts";
import { openWeightsFile } from "../../entries/node.ts";
import { type Bundle, bundleFormat, loadBundle, trainBundle } from "../../entries/runtime.ts";
import { createTrainer } from "../../entries/training.ts";
import {
  buildPackage,
  file,
  inarch,
  installRuntime,
  node,
  repository,
  scratchFolder,
} from "../support/command-line.ts";
import { mlp, mlpCheckpoint } from "../support/mlp.ts";
import { batch, buildTraining } from "../support/training-built.ts";
import { refusal } from "../support/weights-files.ts";

const folder = scratchFolder("training-bundle");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const device = () => cpuDevice({ threads: 1 });

/** Trains where there is no compiler: three steps, a checkpoint, and three more from it elsewhere. */
const app = `
import { cpuDevice } from "inarch/cpu";
import { bytesSource, openWeights } from "inarch/runtime";
import { train } from "./built/tuned-layers.mjs";
import { readFileSync } from "node:fs";

const batches = JSON.parse(readFileSync("batches.json"));
const options = { rate: 0.01, seed: 3 };
const losses = [];
const first = await train(cpuDevice({ threads: 1 }), options);
for (const inputs of batches.slice(0, 3)) losses.push((await first.step(...inputs)).loss);
const checkpoint = await first.save();
await first.close();
const resume = await openWeights(bytesSource("checkpoint", checkpoint));
const then = await train(cpuDevice({ threads: 1 }), { ...options, resume });
for (const inputs of batches.slice(3)) losses.push((await then.step(...inputs)).loss);
const { loss } = await then.evaluate(batches[0][0]);
const { y } = await then.run("forward", { x: batches[0][0].x });
const adapter = await then.saveAdapter();
await then.close();
console.log(JSON.stringify({ losses, loss, y: [...y], adapter: adapter.length }));
process.exit(0);
`;

const batches = [1, 2, 3, 4, 5, 6].map(batch);

beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  const built = await buildTraining(
    folder,
    "built",
    ...["--weights", "base.safetensors", "--profiles", "wasm,default"],
  );
  expect(built.code, built.stderr).toBe(0);
  expect(built.stdout).toContain("wasm, backward:");
  expect(built.stdout).toContain('train it with: import { train } from "./tuned-layers.mjs"');
  file(folder, "app.mjs", app);
  writeFileSync(join(folder, "batches.json"), JSON.stringify(batches));
  writeFileSync(join(folder, "mlp.safetensors"), mlpCheckpoint());
});

const imported = async (): Promise<Bundle> =>
  (await import(/* @vite-ignore */ pathToFileURL(join(folder, "built", "tuned-layers.mjs")).href))
    .bundle;

test("its steps, evaluation and passes are those of a trainer, through a checkpoint and without a compiler", async () => {
  const { code, stdout, stderr } = await node(["app.mjs"], folder);
  expect(code, stderr).toBe(0);
  const found = JSON.parse(stdout);
  const { model, training } = await loadModel(join(folder, "tuned.graph.ts"));
  const weights = await openWeightsFile(join(folder, "base.safetensors"));
  const trainer = await createTrainer(model, {
    ...training!,
    ...{ device: device(), rate: 0.01, seed: 3, weights },
  });
  const losses: number[] = [];
  for (const inputs of batches) losses.push((await trainer.step(...inputs)).loss);
  expect(found.losses).toEqual(losses);
  expect(new Set(losses).size).toBe(losses.length);
  const { loss } = await trainer.evaluate(batches[0]![0]!);
  const { y } = await trainer.run("forward", { x: batches[0]![0]!.x });
  expect(found).toMatchObject({ loss, y: [...y!] });
  expect(found.adapter).toBe((await trainer.saveAdapter()).length);
  await trainer.close();
  await weights.close();
});

test("the same bundle trains on a device of another kind, and the base that is given counts", async () => {
  const on = { ...device(), target: "wgsl" } as const;
  const weights = await openWeightsFile(join(folder, "base.safetensors"));
  const { code } = await refusal(async () =>
    trainBundle(await imported(), { ...on, target: "c" }, { rate: 0.1, weights }),
  );
  expect(code).toBe("E616");
  const session = await trainBundle(await imported(), device(), { rate: 0.1, weights });
  expect(session.plan.micro).toBe(2);
  await session.close();
  await weights.close();
});

describe("what is refused", () => {
  test("a bundle of a training as one of programs, and the other way round: E612", async () => {
    const training = await imported();
    const programs: Bundle = { ...training, format: bundleFormat };
    const { code: of, details } = await refusal(() => loadBundle(training, device()));
    expect([of, details.help]).toEqual(["E612", expect.stringContaining("trainBundle")]);
    const { code } = await refusal(() => trainBundle(programs, device(), { rate: 0.1 }));
    expect(code).toBe("E612");
  });

  test.each([
    ["a model that says no training", [mlp], "E622", "export const training"],
    [
      "an adapter",
      ["tuned.graph.ts", "--weights", "base.safetensors", "--adapter", "a"],
      "E503",
      "loadAdapter",
    ],
    ["measured tiles", ["tuned.graph.ts", "--tuning", "t.json"], "E503", "--tuning"],
    [
      "weights that lack a tensor",
      ["tuned.graph.ts", "--weights", "mlp.safetensors"],
      "E601",
      "a.weight is missing",
    ],
    [
      "a program that is none",
      ["tuned.graph.ts", "--program", "forwrd"],
      "E111",
      "did you mean forward",
    ],
  ])("%s", async (_, args, code, words) => {
    const { code: exit, stderr } = await inarch(
      ["build", ...args, "--train", "--out", "refused", "--profiles", "wasm"],
      folder,
    );
    expect(stderr).toContain(`error[${code}]`);
    expect(stderr).toContain(words);
    expect(exit).toBe(1);
  });
});

test("the wrapper type-checks in a user's program, and wrong uses do not", async () => {
  file(
    folder,
    "use.ts",
    `import { train } from "./built/tuned-layers.mjs";

export async function run(device: GPUDevice) {
  const session = await train(device, { rate: 1e-3, recoverable: true });
  const x = new Float32Array(24);
  const { loss } = await session.step({ x, target: [] }, { x, target: [] });
  await session.step({ x, target: [] }, { x, target: [] }, { signal: AbortSignal.timeout(9) });
  await session.step({ x });
  await train(device, {});
  return [loss.toFixed(2), session.steps];
}
`,
  );
  file(
    folder,
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: {
        ...{ strict: true, noEmit: true, target: "es2022", types: [], lib: ["es2023", "dom"] },
        ...{ module: "nodenext", moduleResolution: "nodenext", skipLibCheck: true },
      },
      files: ["use.ts", "built/tuned-layers.d.mts"],
    }),
  );
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await node([tsc, "-p", folder], folder);
  const errors = stdout.split("\n").filter((line) => /^\S/.test(line));
  expect(errors).toEqual([
    expect.stringMatching(/^use\.ts\(8,24\): /),
    expect.stringMatching(/^use\.ts\(9,23\): /),
  ]);
});
