/** Studies: which runs a grid has, what they found, and that a study which was killed ends with the same table. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { cellsOf } from "../../../study/grid/cells.ts";
import { runStudy, type StudyRequest } from "../../../study/grid/node/run-study.ts";
import { studyPage } from "../../../study/grid/page.ts";
import { publishedScores } from "../../../study/grid/published.ts";
import { rowsOf, type StudyRun } from "../../../study/grid/table.ts";
import { intervalOf } from "../../../study/metrics/interval.ts";
import { presets } from "../../../study/train/presets.ts";
import { buildPackage, inarch } from "../../support/command-line.ts";
import { drawSquares } from "../../support/drawn-squares.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

const said = async (call: () => unknown) => {
  const { code, details } = await refusal(async () => call());
  return `${code} ${details.message}; ${details.help}`;
};

describe("a grid", () => {
  test("has every combination that applies, once", () => {
    const grid = { method: ["decoder-only", "conv-lora"], experts: [4, [1]], rate: [1e-3, 1e-4] };
    const cells = cellsOf({ steps: 5, methodSettings: {} }, { grid });
    expect(cells.map(({ name }) => name)).toEqual([
      ...["method-decoder-only_rate-0.001", "method-decoder-only_rate-0.0001"],
      ...["method-conv-lora_experts-4_rate-0.001", "method-conv-lora_experts-4_rate-0.0001"],
      ...["method-conv-lora_experts-+1+_rate-0.001", "method-conv-lora_experts-+1+_rate-0.0001"],
    ]);
    expect(cells[4]!.settings).toEqual({
      ...{ steps: 5, method: "conv-lora", rate: 1e-3, methodSettings: { experts: [1] } },
    });
    expect(cellsOf({}, { share: 0.5 })).toMatchObject([{ name: "all", values: {}, share: 0.5 }]);
    const gates = cellsOf({ method: "conv-lora" }, { grid: { gate: [true, false] } });
    expect(gates.map(({ settings }) => settings.methodSettings)).toEqual([
      { gate: true },
      { gate: false },
    ]);
    const tasks = cellsOf({ method: "ta-lora" }, { grid: { ranks: [[2, 2, 1]], share: [1] } });
    expect(tasks).toMatchObject([{ share: 1, settings: { methodSettings: { ranks: [2, 2, 1] } } }]);
  });

  test("E1109: of names that nothing has, of no values, and of seeds that are none", async () => {
    expect(await said(() => cellsOf({}, { grid: { expert: [1] } }))).toMatch(
      /^E1109 the grid names "expert".*write "experts"/,
    );
    expect(await said(() => cellsOf({ method: "lora" }, { grid: { topK: [1] } }))).toMatch(
      /^E1109/,
    );
    expect(await said(() => cellsOf({}, { grid: { rank: [] } }))).toMatch(
      /^E1109 .*no values of rank/,
    );
    expect(await said(() => runStudy({ seeds: [1, 1] } as unknown as StudyRequest))).toMatch(
      /^E1109 seeds are \[1,1\]/,
    );
    expect(await said(() => cellsOf({}, { grid: { method: ["lora", "lara"] } }))).toMatch(
      /^E1101 there is no method "lara"; write "lora"/,
    );
  });
});

describe("what is found", () => {
  test("is a mean with its standard error and Student's interval", () => {
    // By hand: deviation 1, error 1 / sqrt 3, and 4.303 of these around the mean.
    const {
      mean,
      deviation,
      error,
      low,
      high,
      of,
      undefined: none,
    } = intervalOf([1, 2, 3, undefined]);
    expect([mean, deviation, of, none]).toEqual([2, 1, 3, 1]);
    expect(error).toBeCloseTo(0.57735, 5);
    expect([low, high].map((x) => x!.toFixed(4))).toEqual(["-0.4843", "4.4843"]);
    expect(intervalOf([5])).toMatchObject({ mean: 5, error: undefined, low: undefined });
    expect(intervalOf([]).mean).toBe(undefined);
    const many = intervalOf(Array.from({ length: 62 }, (_, i) => i % 2));
    expect((many.high! - many.mean!) / many.error!).toBeCloseTo(1.9996, 3);
  });

  test("stands beside what is published of the preset, and is empty where nothing is known", () => {
    const grid = { method: ["bitfit", "lora", "conv-lora"], rank: [3] };
    const cells = cellsOf({ preset: "conv-lora/road" }, { grid });
    const run = (cell: string, seed: number, score: number): StudyRun => ({
      ...{
        cell,
        seed,
        score,
        asked: "",
        step: 4,
        trained: 7,
        metrics: { pictureIou: score, loss: null },
      },
      curve: [
        [0, 0.1],
        [4, score],
      ],
    });
    const [, lora, conv] = cells.map(({ name }) => name);
    const rows = rowsOf(
      cells,
      [run(lora!, 2, 0.5), run(lora!, 1, 0.7), run(conv!, 1, 0.9)],
      undefined,
    );
    expect(rows.map(({ seeds }) => seeds)).toEqual([[], [1, 2], [1]]);
    expect(rows[1]!.score).toMatchObject({ mean: 0.6, of: 2 });
    expect(rows[1]!.curve).toEqual([
      [0, 0.1],
      [4, 0.6],
    ]);
    expect(rows[1]!.published).toMatchObject([{ value: 62.2, error: 0.21, set: "Road" }]);
    expect([rows[0]!.published, rows[0]!.score.mean, rows[2]!.score.error]).toEqual([
      [],
      null,
      null,
    ]);
    const seeds = [1, 2];
    const page = studyPage({ rows, metric: "pictureIou", preset: "conv-lora/road", seeds });
    expect(page).toContain("62.2 ± 0.21");
    expect(page).toContain("Conv-LoRA (arXiv 2401.17868), table 1, as reviews quote it");
    expect(page).toContain("3 have ended");
    expect(page).not.toMatch(/<script|https?:|undefined|NaN/);
    const names = presets.map(({ name }) => name);
    expect(publishedScores.filter(({ preset }) => !names.includes(preset))).toEqual([]);
  });
});

describe("a study", () => {
  const folder = mkdtempSync(join(tmpdir(), "inarch-study-"));
  const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
  const [pictures, masks] = [join(folder, "pictures"), join(folder, "masks")];
  const square = { kind: "mask", folder: masks, value: 1, ignore: 9 } as const;
  const grid = { method: ["decoder-only", "lora"], share: [0.5, 1] };

  beforeAll(async () => {
    writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "study")), {}));
    writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
    drawSquares(pictures, masks, 6);
  });

  const request = (name: string, more: Partial<StudyRequest> = {}): StudyRequest => ({
    ...{ weights, config, out: join(folder, name), device: "cpu", part: 0.34, grid },
    set: { format: "folders", pictures, targets: { square } },
    settings: { steps: 2, batch: 2, validateEvery: 1, rate: 1e-2 },
    ...more,
  });
  const files = (name: string) =>
    ["study.json", "study.csv", "study.html"].map((file) =>
      readFileSync(join(folder, name, file), "utf8"),
    );

  test("of 2 x 2 x 3 runs that is killed has the same table, and seeds may be added", async () => {
    const whole = await runStudy(request("whole"));
    expect(whole.rows.map(({ seeds }) => seeds)).toEqual(Array(4).fill([1, 2, 3]));
    expect(whole.metric).toBe("iou");
    const [, half] = whole.rows;
    const cells = ["method-lora_share-0.5", "method-lora_share-1"];
    const items = cells.map(
      (cell) =>
        JSON.parse(readFileSync(join(folder, "whole", cell, "seed-2", "run.json"), "utf8")).train,
    );
    expect(items.map(({ length }) => length)).toEqual([2, 4]);
    expect(items[1]).toEqual(expect.arrayContaining(items[0]));
    expect(half!.trained).toBeLessThan(whole.rows[2]!.trained!);
    let lines = 0;
    const dies = () => {
      if (++lines === 17) throw new RangeError("killed");
    };
    await expect(runStudy(request("killed", { onLine: dies }))).rejects.toThrow("killed");
    await runStudy(request("killed"));
    expect(files("killed")).toEqual(files("whole"));
    // What has ended is not done again.
    const told: string[] = [];
    const onPhase = (words: string) => told.push(words);
    await runStudy(request("killed", { seeds: [1, 3], onPhase }));
    expect(told).toEqual([]);
    await runStudy(request("killed", { seeds: [3, 2, 1], onPhase }));
    expect(files("killed")[1]).toBe(files("whole")[1]);
    const other = request("killed", { settings: { ...request("killed").settings, rate: 1e-3 } });
    expect(await said(() => runStudy(other))).toMatch(
      /^E1109 the study has a run of method-decoder-only_share-0.5, seed 1, with another rate: 0.01, not 0.001/,
    );
    writeFileSync(join(folder, "killed", "study.json"), "{");
    expect(await said(() => runStudy(request("killed")))).toMatch(/^E1109 the file holds no study/);
  });

  describe("inarch study", () => {
    beforeAll(buildPackage);
    test("runs a study in a file, and says what was found", async () => {
      const { set, settings } = request("told");
      const study = {
        ...settings,
        set,
        part: 0.34,
        grid: { method: ["decoder-only"] },
        out: "told",
      };
      writeFileSync(join(folder, "study.yaml"), JSON.stringify(study));
      const flags = ["--weights", weights, "--config", config, "--device", "cpu"];
      const args = ["study", "study.yaml", ...flags, "--seeds", "1,2"];
      const { code, stdout } = await inarch(args, folder);
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          /^iou, mean over seeds:\n +method decoder-only +\d\.\d{4} ± .* \(2 runs\)\n/,
        ),
      ]);
      const one = await inarch(
        ["train", "--study", "study.yaml", ...flags, "--out", "one"],
        folder,
      );
      expect(one.stderr).toMatch(/E370[\s\S]*inarch study study\.yaml/);
      writeFileSync(join(folder, "bare.yaml"), "steps: 2");
      const bare = await inarch(["study", "bare.yaml", ...flags, "--out", "bare"], folder);
      expect(bare.stderr).toMatch(/E370[\s\S]*set:/);
    });
  });
});
