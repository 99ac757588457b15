/** Runs of fine-tuning: from folders to an adapter, the same bytes however often they are stopped. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { readMaskFile } from "../../../predict/node/image.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { confusion } from "../../../study/metrics/confusion.ts";
import { predict } from "../../../study/predict/node/predict.ts";
import { trainFolds } from "../../../study/train/node/folds.ts";
import { type TrainRequest, train } from "../../../study/train/node/train.ts";
import type { AskedSettings } from "../../../study/train/settings.ts";
import { buildPackage, inarch, repository } from "../../support/command-line.ts";
import { drawSquares, height, width } from "../../support/drawn-squares.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-train-"));
const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
const [pictures, masks] = [join(folder, "pictures"), join(folder, "masks")];
const count = 6;

beforeAll(async () => {
  writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "train")), {}));
  writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
  drawSquares(pictures, masks, count);
});

const squares = { kind: "mask", folder: masks, value: 1, ignore: 9 } as const;
const set = { format: "folders", pictures, targets: { square: squares } } as const;
const usual: AskedSettings = {
  ...{ method: "lora", steps: 6, batch: 2, validateEvery: 2, rate: 1e-2 },
};

const request = (name: string, more: Partial<TrainRequest> = {}): TrainRequest => ({
  ...{ set, weights, config, out: join(folder, name), device: "cpu", part: 0.4 },
  ...more,
  settings: { ...usual, ...more.settings },
});

const texts = ["log.jsonl", "log.csv", "events.out.tfevents.0.inarch", "run.json", "result.json"];
const bytesIn = (name: string) =>
  ["last.safetensors", "adapter.safetensors", ...texts].map((file) =>
    readFileSync(join(folder, name, file), "latin1").replaceAll(join(folder, name), "FOLDER"),
  );

describe("a run", () => {
  test("validates, keeps what was best, and says so in its folder", async () => {
    const lines: number[] = [];
    const report = await train(request("whole", { onLine: ({ step }) => lines.push(step) }));
    expect(report.pictures).toEqual({ train: 4, validation: 2 });
    expect(report.classes).toEqual(["background", "object"]);
    expect(lines).toEqual([0, 1, 2, 2, 3, 4, 4, 5, 6, 6]);
    expect(report.last.loss).toBeLessThan(report.before.loss);
    const log = readFileSync(join(folder, "whole", "log.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(log.map((line) => JSON.parse(line).step)).toEqual(lines);
    expect(JSON.parse(log[0]!).device).toBe("cpu");
    const found = log.map((line) => JSON.parse(line)).filter((line) => line.validation);
    const best = found.reduce((a, b) => (b.validation.score > a.validation.score ? b : a));
    expect(report.best).toEqual({ ...best.validation, step: best.step });
    expect(report.best.iou.object).toBe(report.best.score);
    const adapter = await openWeightsFile(join(folder, "whole", "adapter.safetensors"));
    expect([...adapter.tensors.keys()].some((name) => name.endsWith("lora_A"))).toBe(true);
    await adapter.close();
    const page = readFileSync(join(folder, "whole", "report.html"), "utf8");
    expect(page).not.toMatch(/<script|https?:/);
    expect(page).not.toContain("nothing to draw");
    expect(page).toContain(`${report.steps} steps`);
    for (const words of ["Best pictures", "Worst pictures", "What was taken for what", "block 0"])
      expect(page).toContain(words);
    // What is done already is not done again.
    const again: number[] = [];
    expect(await train(request("whole", { onLine: ({ step }) => again.push(step) }))).toEqual(
      report,
    );
    expect(again).toEqual([]);
  });

  test("that is stopped or killed at any step ends with the same bytes", async () => {
    const stop = new AbortController();
    const onLine = (line: { step: number }) => {
      if (line.step === 3) stop.abort(new RangeError("enough"));
    };
    const stopped = request("stopped", { onLine, signal: stop.signal });
    await expect(train(stopped)).rejects.toThrow("enough");
    await train(request("stopped"));
    expect(bytesIn("stopped")).toEqual(bytesIn("whole"));
    for (const at of [1, 3, 5]) {
      const dies = (line: { step: number }) => {
        if (line.step === at) throw new RangeError("killed");
      };
      await expect(train(request("killed", { onLine: dies }))).rejects.toThrow("killed");
    }
    await train(request("killed"));
    expect(bytesIn("killed")).toEqual(bytesIn("whole"));
  });

  test("of parts of steps, weights of classes and frozen tensors ends when nothing gets better", async () => {
    const settings: AskedSettings = {
      ...{ micro: 2, classWeights: [1, 4], freeze: ["mask_decoder.iou_token.*"], patience: 2 },
      // Nothing is better than before the first step.
      ...{ rate: 1e-9, metric: "ber", steps: 40, validateEvery: 1, optimiser: "sgd" },
    };
    const all = request("patient", { settings });
    const report = await train(all);
    expect(report).toMatchObject({ ended: "patience", steps: 2, best: { step: 0 } });
    expect(report.best.score).toBe(report.best.metrics.ber);
    const adapter = await openWeightsFile(join(folder, "patient", "adapter.safetensors"));
    const whole = await openWeightsFile(join(folder, "whole", "adapter.safetensors"));
    const frozen = [whole, adapter].map(({ tensors }) =>
      tensors.has("mask_decoder.iou_token.weight"),
    );
    expect(frozen).toEqual([true, false]);
    await adapter.close();
    await whole.close();
    // It has ended, and does not go on.
    expect(await train(all)).toEqual(report);
    const csv = readFileSync(join(folder, "patient", "log.csv"), "utf8").split("\n");
    expect(csv[0]).toMatch(/^step,validation\/iou,.*validation\/ber,.*training\/loss/);
    expect(csv).toHaveLength(1 + 3 + 2 + 1);
  });

  test("ends when its time is over, and goes on with more of it", async () => {
    const all = request("timed", { seconds: 0, settings: { steps: 2 } });
    const lines: number[] = [];
    const onLine = ({ step }: { step: number }) => lines.push(step);
    expect(await train({ ...all, onLine })).toMatchObject({ ended: "time", steps: 1 });
    expect(await train({ ...all, seconds: 1e6, onLine })).toMatchObject({ ended: "steps" });
    expect(lines).toEqual([0, 1, 1, 2, 2]);
    const starts = JSON.parse(readFileSync(join(folder, "timed", "times.json"), "utf8"));
    expect(starts).toMatchObject([
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
  });

  test("holds out every picture once in folds", async () => {
    const { part: _, ...all } = request("folds", { settings: { steps: 1 } });
    const report = await trainFolds(all, 2);
    const held = report.folds.map(
      ({ folder }) => JSON.parse(readFileSync(join(folder, "run.json"), "utf8")).validation,
    );
    expect(held.flat().sort()).toEqual(["0", "1", "2", "3", "4", "5"].map((n) => `${n}.png`));
    const scores = report.folds.map(({ best }) => best.score!);
    expect(report.score.mean).toBeCloseTo((scores[0]! + scores[1]!) / 2, 12);
    expect((await refusal(() => trainFolds(request("folds"), 2))).code).toBe("E1106");
    expect((await refusal(() => trainFolds(all, 1))).code).toBe("E1011");
  });

  test("of classes has a score for each, on a set of its own to validate on", async () => {
    const targets = {
      kinds: { kind: "classes", classes: ["ground", "square", "foot"], ignore: 9, folder: masks },
    } as const;
    const classes = { ...set, targets };
    const report = await train(
      request("classes", {
        set: classes,
        validation: classes,
        settings: { method: "conv-lora", steps: 2 },
      }),
    );
    expect(report.pictures).toEqual({ train: count, validation: count });
    expect(Object.keys(report.last.iou)).toEqual(["ground", "square", "foot"]);
    const known = Object.values(report.last.iou).filter((iou) => iou !== null);
    expect(report.last.score).toBeCloseTo(known.reduce((a, b) => a + b, 0) / known.length, 12);
    expect(report.last.accuracy).toBeGreaterThan(0);
  });
});

describe("what a run predicts", () => {
  test("is what it was validated on: its masks have the IoU that the run has", async () => {
    const all = request("shown", { validation: set, settings: { steps: 4, rate: 3e-2 } });
    const { best } = await train({ ...all, set });
    const out = join(folder, "predicted");
    const report = await predict({
      pictures: [pictures],
      run: all.out,
      weights,
      config,
      out,
      device: "cpu",
    });
    expect(report.masks.map(({ file }) => file)).toEqual(
      ["0", "1", "2", "3", "4", "5"].map((n) => `${n}.png`),
    );
    // The pictures are nearly as large as the model's square: the resampled masks are nearly the same.
    const counts = confusion(2);
    for (const { picture, file, pixels } of report.masks) {
      const found = await readMaskFile(join(out, file));
      const truth = await readMaskFile(picture.replace(pictures, masks), { maskValue: 1 });
      if (found.kind !== "picture" || truth.kind !== "picture") throw new TypeError("no pictures");
      const inside = [...found.picture.inside].map((v) => Number(v >= 128));
      expect(inside.length).toBe(width * height);
      expect(inside.filter((v) => v === 1).length).toBe(pixels.object);
      const left = (i: number) => i % width === 23;
      const kept = (values: readonly number[]) => values.filter((_, i) => !left(i));
      counts.add(kept(inside), kept([...truth.picture.inside].map((v) => Number(v >= 128))));
    }
    expect(counts.scores().classes[1]!.iou).toBeCloseTo(best.score!, 1);
  });

  test("E1105: two pictures whose masks would have one name, and E1103: no run", async () => {
    const twice = { pictures: [pictures, join(pictures, "0.png")], weights, config };
    const more = { out: join(folder, "twice"), device: "cpu" } as const;
    expect(
      (await refusal(() => predict({ ...twice, run: join(folder, "shown"), ...more }))).code,
    ).toBe("E1105");
    const noRun = { ...twice, pictures: [pictures], run: pictures, ...more };
    expect((await refusal(() => predict(noRun))).code).toBe("E1103");
  });
});

describe("what is refused", () => {
  const codeOf = async (name: string, more: Partial<TrainRequest>) => {
    const { code, details } = await refusal(() => train(request(name, more)));
    return `${code} ${details.message}; ${details.help}`;
  };

  test("E1101: a method that there is not, and sets of different tasks", async () => {
    expect(await codeOf("none", { settings: { method: "conv-lara" } })).toMatch(
      /^E1101 there is no method "conv-lara"; write "conv-lora"/,
    );
    const kinds = { ...squares, kind: "classes", classes: ["ground", "square", "foot"] };
    const { value: _, ...classes } = kinds;
    const other = { ...set, targets: { square: classes } } as TrainRequest["set"];
    expect(await codeOf("none", { validation: other })).toMatch(
      /^E1101 the set to validate on has the tasks .*"foot".* and the one to train on .*"object"/,
    );
  });

  test("E1107: a class that is in no picture", async () => {
    const classes = ["ground", "square", "foot", "sky"];
    const kinds = { kind: "classes", classes, ignore: 9, folder: masks } as const;
    expect(await codeOf("none", { set: { ...set, targets: { kinds } } })).toMatch(
      /^E1107 the set has sky in none of the 4 pictures to train on, and sky in none of the 2 .*--empty-classes allowed/,
    );
  });

  test("E1102: other settings, and E1103: a folder of something else", async () => {
    await train(request("begun", { settings: { steps: 1 } }));
    expect(await codeOf("begun", { settings: { steps: 1, rate: 0.5 } })).toMatch(
      /E1102 the run was begun with rate 0.01, and is to go on with 0.5/,
    );
    expect(await codeOf("begun", { part: 0.2, settings: { steps: 1 } })).toMatch(
      /E1102 the run was begun with train \[/,
    );
    expect(await codeOf("pictures", {})).toMatch(/E1103 the folder holds 0.png and no run/);
    mkdirSync(join(folder, "torn"));
    writeFileSync(join(folder, "torn", "run.json"), '{"settings":');
    expect(await codeOf("torn", {})).toMatch(/E1103 the run's settings cannot be read/);
    writeFileSync(join(folder, "torn", "run.json"), '{"settings":{"method":"lora"}}');
    expect(await codeOf("torn", {})).toMatch(/E1103 the run's settings are not there/);
  });

  test("numbers and names that settings do not have", async () => {
    expect(await codeOf("none", { settings: { steps: 0 } })).toMatch(/^E720/);
    expect(await codeOf("none", { settings: { stebs: 5 } as never })).toMatch(/^E460.*"stebs"/);
    expect(await codeOf("none", { part: 1 })).toMatch(/^E1011/);
    expect(await codeOf("none", { budget: 0.5 })).toMatch(/^E720 .*budget is 0.5/);
  });
});

describe("inarch train", () => {
  beforeAll(buildPackage);
  const flags = ["--weights", weights, "--config", config, "--device", "cpu", "--method", "lora"];
  const quick = ["--batch", "2", "--steps", "2"];
  const folders = ["--pictures", pictures, "--masks", masks];
  const run = (...args: readonly string[]) =>
    inarch(["train", ...flags, ...quick, ...args], folder);

  test("trains from folders, and goes on from where it was", async () => {
    const set = [...folders, "--value", "1", "--ignore", "9", "--hold-out", "0.4"];
    const { code, stdout } = await run(...set, "--out", "command");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^2 steps on 4 pictures, 2 held out\nscore before .*\n[\s\S]*adapter\.safetensors/,
    );
    const again = await run(...set, "--out", "command", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ steps: 2, pictures: { train: 4 } });
  });

  test("takes a study in a file, and flags before it", async () => {
    const masks = { kind: "mask", folder: "masks", value: 1, ignore: 9 };
    const study = {
      ...{ set: { format: "folders", pictures: "pictures", targets: { square: masks } } },
      ...{ part: 0.4, method: "bitfit", out: "studied", seed: 5, steps: 9 },
    };
    writeFileSync(join(folder, "study.yaml"), JSON.stringify(study));
    const more = ["--weights", weights, "--config", config, "--device", "cpu", "--steps", "1"];
    const args = ["train", "--study", "study.yaml", ...more, "--batch", "2", "--json"];
    const { stdout } = await inarch(args, folder);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 1, pictures: { train: 4 } });
    const { settings } = JSON.parse(readFileSync(join(folder, "studied", "run.json"), "utf8"));
    expect(settings).toMatchObject({ method: "bitfit", seed: 5, steps: 1, batch: 2 });
    writeFileSync(
      join(folder, "study.ts"),
      `import { defineStudy } from "inarch/study";\nexport default defineStudy({ stebs: 1 });`,
    );
    const { stderr } = await inarch(["train", "--study", "study.ts"], folder);
    expect(stderr).toMatch(/a study has no option "stebs"[\s\S]*write steps/);
  });

  test("killed at any moments, ends with the bytes of a run that was not", async () => {
    const set = ["--value", "1", "--ignore", "9", "--hold-out", "0.2"];
    const args = ["train", ...flags, ...folders, ...set, "--batch", "1", "--steps", "8"];
    const often = [...args, "--validate-every", "1"];
    await inarch([...often, "--out", "unkilled"], folder);
    const main = join(repository, "dist", "cli", "main.js");
    for (const [step, wait] of [
      [0, 0],
      [1, 25],
      [3, 60],
      [5, 120],
    ] as const) {
      const child = spawn(process.execPath, [main, ...often, "--out", "often"], { cwd: folder });
      let isDue = false;
      child.stderr.on("data", (chunk: Buffer) => {
        if (isDue || !String(chunk).includes(`after ${step} steps`)) return;
        isDue = true;
        setTimeout(() => child.kill("SIGKILL"), wait);
      });
      await new Promise((resolve) => child.on("exit", resolve));
    }
    await inarch([...often, "--out", "often"], folder);
    expect(bytesIn("often")).toEqual(
      bytesIn("unkilled").map((text) => text.replaceAll("unkilled", "often")),
    );
  });

  test("and predict writes masks by it", async () => {
    const args = [
      "predict",
      pictures,
      "--run",
      "command",
      ...flags.slice(0, 6),
      "--out",
      "masks-of",
    ];
    const { code, stdout } = await inarch(args, folder);
    expect([code, stdout.trim().split("\n").length]).toEqual([0, count]);
    expect(stdout).toMatch(/^masks-of\/0\.png: .* %/);
  });

  test("E1104: an interrupt ends it after the step under way, and it goes on from there", async () => {
    const set = [...folders, "--value", "1", "--ignore", "9"];
    const all = ["train", ...flags, ...set, "--steps", "5000", "--out", "interrupted"];
    const main = join(repository, "dist", "cli", "main.js");
    const child = spawn(process.execPath, [main, ...all], { cwd: folder });
    let said = "";
    child.stderr.on("data", (chunk) => {
      const before = said.includes("after 0 steps");
      said += chunk;
      if (!before && said.includes("after 0 steps")) child.kill("SIGINT");
    });
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(1);
    expect(said).toMatch(/E1104[\s\S]*the same command goes on from there/);
    const last = await openWeightsFile(join(folder, "interrupted", "last.safetensors"));
    expect(Number(last.metadata.step)).toBeLessThan(5000);
    await last.close();
  });

  test("E370: says what is missing, and what is no number", async () => {
    for (const [args, said] of [
      [[], "--pictures FOLDER"],
      [[...folders, "--rate", "fast"], '--rate cannot be "fast"'],
      [[...folders, "--val-masks", masks], "--val-pictures FOLDER"],
      [[...folders, "--val-masks", masks, "--hold-out", "0.4"], "--hold-out and --val-masks"],
      [["--set", "set.json", "--masks", masks], "--set and --masks do not go together"],
      [["--classes", "3", "--value", "1"], "--classes and --value do not go together"],
    ] as const) {
      const { code, stderr } = await run(...args, "--out", "wrong");
      expect([code, stderr]).toEqual([1, expect.stringMatching(/E370/)]);
      expect(stderr).toContain(said);
    }
  });
});
