/** Runs of several tasks, of which some are missing per picture: from files to results in files, and their scores. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { traceProgram } from "../../../compiler/index.ts";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { decodeLabels } from "../../../predict/node/labels.ts";
import { decodeNpy } from "../../../predict/vision/npy.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { openSet } from "../../../study/data/node/open.ts";
import { depthErrors, normalErrors } from "../../../study/metrics/dense.ts";
import { evaluate } from "../../../study/predict/node/evaluate.ts";
import { predict } from "../../../study/predict/node/predict.ts";
import { taskFor } from "../../../study/train/model.ts";
import { type TrainRequest, train } from "../../../study/train/node/train.ts";
import type { TrainReport } from "../../../study/train/node/train-report.ts";
import { buildPackage, inarch } from "../../support/command-line.ts";
import { drawRooms, roomClasses } from "../../support/drawn-rooms.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-rooms-"));
const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
const [width, height, count] = [30, 24, 12];
const run = join(folder, "run");
let set: ReturnType<typeof drawRooms>;
let report: TrainReport;

const request = (out: string, more: Partial<TrainRequest> = {}): TrainRequest => ({
  ...{ set, weights, config, device: "cpu", part: 0.34, ...more },
  out: join(folder, out),
  settings: {
    ...{ preset: "ta-lora/nyuv2", methodSettings: { ranks: [4, 4, 2], orthogonality: 0.01 } },
    ...{ epochs: undefined, steps: 30, validateEvery: 15, rate: 2e-2 },
    ...more.settings,
  },
});

beforeAll(async () => {
  writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "rooms")), {}));
  writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
  set = drawRooms(join(folder, "rooms"), { width, height, count });
  report = await train(request("run"));
});

const bytesIn = (name: string) =>
  ["last.safetensors", "adapter.safetensors", "log.jsonl"].map((file) =>
    readFileSync(join(folder, name, file), "latin1"),
  );

describe("a run of labels, depth and normals", () => {
  test("improves the metrics of all three", () => {
    const { before, best } = report;
    const of = (name: string) => [before.metrics[name]!, best.metrics[name]!] as const;
    for (const [name, better] of [
      ["labels/iou", 1],
      ["depth/absolute", -1],
      ["depth/relative", -1],
      ["normals/mean", -1],
      ["normals/within30", 1],
    ] as const) {
      const [first, last] = of(name);
      expect([name, Math.sign(last - first)]).toEqual([name, better]);
    }
    expect(best.score).toBe(best.loss);
    expect(best.loss).toBeLessThan(before.loss);
    expect(Object.keys(best.iou)).toEqual(roomClasses.map((name) => `labels/${name}`));
    expect(report.tasks.depth).toEqual({ kind: "depth", scale: 0.001 });
  });

  test("trains its factors, the norms, the embeddings of channels and a decoder for each task", async () => {
    const { tensors, close } = await openWeightsFile(join(run, "adapter.safetensors"));
    const names = [...tensors.keys()];
    for (const part of ["td_G", "norm1.weight", "no_mask_embed.weight", "mask_decoder.2."])
      expect([part, names.some((name) => name.includes(part))]).toEqual([part, true]);
    expect(names.some((name) => name.includes("mlp.lin1") && name.includes("blocks"))).toBe(false);
    await close();
  });

  test("says in its report what each task is, and how far attention reaches in each", () => {
    const page = readFileSync(join(run, "report.html"), "utf8");
    for (const words of ["mean IoU of labels", "absolute error of depth", "depth: what was found"])
      expect(page).toContain(words);
    for (const task of ["labels", "depth", "normals"]) expect(page).toContain(`block 1, ${task}`);
    expect(page).not.toContain("nothing to draw");
  });

  test("that is killed goes on with the same bytes", async () => {
    const dies = (line: { step: number }) => {
      if (line.step === 18) throw new RangeError("killed");
    };
    await expect(train(request("killed", { onLine: dies }))).rejects.toThrow("killed");
    await train(request("killed"));
    expect(bytesIn("killed")).toEqual(bytesIn("run"));
  });

  test("may have a LoRA that all share, or one task that is not of labels", () => {
    const depth = { kind: "depth" } as const;
    const tasks = { depth, normals: { kind: "normals" } } as const;
    const shared = taskFor(tinySam, { method: "lora", tasks });
    const { outputs, nodes } = traceProgram(shared.model, "segment", { batch: 1 });
    expect(outputs.map(({ name, tensor }) => [name, tensor.shape])).toEqual([
      ["depth", [1, 1, 32, 32]],
      ["normals", [1, 3, 32, 32]],
    ]);
    const names = nodes.map(({ attrs }) =>
      String((attrs as { readonly name?: string } | null)?.name),
    );
    expect(names.some((name) => name.endsWith("lora_A"))).toBe(true);
    expect(taskFor(tinySam, { method: "lora", tasks: { depth } }).kind).toBe("dense");
  });

  test.each([["mtan"], ["cross-stitch"]])("has %s to compare with", async (method) => {
    const settings = {
      method,
      methodSettings: { stages: 2 },
      steps: 4,
      classWeights: "auto",
    } as const;
    const { before, last, parameters } = await train(request(method, { settings }));
    expect(last.loss).toBeLessThan(before.loss);
    // All of the encoder trains; of the rest points, the prompts' embeddings and the like do not.
    expect(parameters.trained / parameters.all).toBeGreaterThan(0.8);
    const { tasks } = await evaluate({
      run: join(folder, method),
      weights,
      config,
      set,
      device: "cpu",
    });
    expect(tasks.map(({ task }) => task)).toEqual(["labels", "depth", "normals"]);
  });

  test("refuses weights of tasks and classes, and losses, that it does not have", async () => {
    const said = async (settings: TrainRequest["settings"]) => {
      const { code, details } = await refusal(() => train(request("none", { settings })));
      return `${code} ${details.message}; ${details.help}`;
    };
    expect(await said({ taskWeights: { dept: 1 } })).toMatch(/^E1106 .*"dept".*; write "depth"/);
    expect(await said({ taskWeights: { labels: 0, depth: 0, normals: 0 } })).toMatch(
      /^E1106 no task has a weight/,
    );
    expect(await said({ classWeights: [1, 2] })).toMatch(
      /^E1106 2 weights are given for 3 classes/,
    );
    expect(await said({ loss: "structure" })).toMatch(/^E1106 .*none of several tasks/);
    expect(await said({ taskWeights: { depth: -1 } })).toMatch(/^E720/);
  });
});

describe("what a run of several tasks says of pictures", () => {
  const asked = () => ({ pictures: [set.pictures], run, weights, config, device: "cpu" }) as const;

  test("is in files that are read as its targets are, and has the scores that eval tells", async () => {
    for (const [format, tiles] of [["png"], ["npy"], ["npy", { side: 20, overlap: 8 }]] as const) {
      const out = join(folder, tiles ? "tiles" : format);
      const { masks } = await predict({ ...asked(), out, format, tiles });
      expect(masks.slice(0, 3).map(({ task, file }) => [task, file])).toEqual([
        ["labels", "0.labels.png"],
        ["depth", `0.depth.${format}`],
        ["normals", `0.normals.${format}`],
      ]);
      const at = (task: string) => ({ folder: out, suffix: `.${task}` });
      const found = await openSet({
        ...set,
        targets: {
          labels: { kind: "classes", classes: roomClasses, ...at("labels") },
          depth: { kind: "depth", scale: format === "png" ? 0.001 : 1, ...at("depth") },
          normals: { kind: "normals", ...at("normals") },
        },
      });
      const truth = await openSet(set);
      const [depths, normals] = [depthErrors(), normalErrors()];
      for (let i = 0; i < count; i++) {
        const [own, wanted] = [await found.read(i), await truth.read(i)];
        const planes = (data: ArrayLike<number>) =>
          Float32Array.from(data, (_, at) => {
            const pixels = width * height;
            return data[(at % pixels) * 3 + Math.floor(at / pixels)]!;
          });
        if (wanted.targets.depth) depths.add(own.targets.depth!.data, wanted.targets.depth.data);
        if (wanted.targets.normals)
          normals.add(planes(own.targets.normals!.data), planes(wanted.targets.normals.data));
      }
      const { tasks } = await evaluate({ ...asked(), set, batch: 3, tiles });
      expect(tasks.map(({ kind, pictures }) => [kind, pictures])).toEqual([
        ["labels", 9],
        ["depth", 9],
        ["normals", 9],
      ]);
      const digits = format === "png" ? 0 : 4;
      const known = (name: string, i: number) =>
        (tasks[i] as unknown as Readonly<Record<string, number>>)[name]!;
      expect(known("absolute", 1)).toBeCloseTo(depths.scores().absolute!, digits + 2);
      expect(known("mean", 2)).toBeCloseTo(normals.scores().mean!, digits);
    }
  });

  test("has labels as indices of a palette, and depth in the steps that are asked for", async () => {
    const out = join(folder, "palette");
    await predict({ ...asked(), out, format: "palette", depthScale: 0.01, probabilities: true });
    const read = (name: string) => readFileSync(join(out, name));
    expect((await decodeLabels(read("3.labels.png"), undefined, {})).kind).toBe("index");
    const array = decodeNpy(readFileSync(join(folder, "npy", "3.depth.npy")), undefined);
    expect(array.shape).toEqual([height, width]);
    const { values, white } = await decodeLabels(read("3.depth.png"), undefined, {});
    expect(white).toBe(65535);
    expect([...values]).toEqual([...array.data].map((d) => Math.max(1, Math.round(d / 0.01))));
    const { shape } = decodeNpy(read("3.labels.probabilities.npy"), undefined);
    expect(shape).toEqual([3, height, width]);
  });

  test("E1108: forms of masks; E1140: a set without its tasks", async () => {
    const out = join(folder, "none");
    const codeOf = async (call: () => Promise<unknown>) => (await refusal(call)).code;
    expect(await codeOf(() => predict({ ...asked(), out, format: "coco" }))).toBe("E1108");
    const labels = { ...set.targets.labels, classes: ["a", "b", "c"] };
    const other = { ...set, targets: { labels } } as TrainRequest["set"];
    const alone = {
      ...set,
      targets: { labels, depth: set.targets.depth, shade: set.targets.normals },
    };
    expect(await codeOf(() => evaluate({ ...asked(), set: other }))).toBe("E1140");
    const { tasks } = await evaluate({ ...asked(), set: alone as TrainRequest["set"] });
    expect(tasks.map(({ task }) => task)).toEqual(["depth"]);
    const strange = { ...set, targets: { labels, shade: set.targets.normals } };
    expect(await codeOf(() => evaluate({ ...asked(), set: strange as TrainRequest["set"] }))).toBe(
      "E1140",
    );
  });
});

describe("inarch", () => {
  beforeAll(buildPackage);
  test("trains, scores and predicts several tasks of a set in a file", async () => {
    writeFileSync(join(folder, "set.json"), JSON.stringify(set));
    const flags = ["--weights", weights, "--config", config, "--device", "cpu"];
    const own = ["--setting", "ranks=4,4,2", "--setting", "orthogonality=0.01"];
    const steps = ["--preset", "ta-lora/nyuv2", "--steps", "1", "--hold-out", "0.34"];
    const args = ["train", ...flags, "--set", "set.json", ...own, ...steps, "--out", "told"];
    const wrong = await inarch([...args, "--task-weights", "labels=1,dept=2"], folder);
    expect(wrong.stderr).toMatch(/E1106[\s\S]*write "depth"/);
    expect((await inarch([...args, "--task-weights", "2"], folder)).stderr).toMatch(/E370/);
    const trained = await inarch(args, folder);
    expect([trained.code, trained.stdout]).toEqual([0, expect.stringContaining("depth/absolute")]);
    const evaluated = ["eval", "told", ...flags, "--set", "set.json", "--tile"];
    expect((await inarch([...evaluated, "many"], folder)).stderr).toMatch(/E370.*--tile/);
    const scores = await inarch([...evaluated, "20,8"], folder);
    expect(scores.stdout).toMatch(/told, depth: 9 pictures\n +absolute error +\d\.\d{4}/);
    const both = ["--pictures", set.pictures, "--masks", set.targets.labels.folder];
    expect((await inarch(["eval", "told", ...flags, ...both], folder)).stderr).toMatch(/E370/);
    const out = ["--run", "told", ...flags, "--out", "found", "--depth-scale", "0.01"];
    const predicted = await inarch(["predict", join(set.pictures, "0.png"), ...out], folder);
    expect(predicted.stdout).toMatch(
      /0\.labels\.png: .* %\nfound\/0\.depth\.png\nfound\/0\.normals/,
    );
  });
});
