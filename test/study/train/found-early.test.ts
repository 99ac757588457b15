/** What is wrong with a request or a folder is found before a picture is read. */
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runStudy } from "../../../study/grid/node/run-study.ts";
import { readRun } from "../../../study/train/node/run-folder.ts";
import { type TrainRequest, train } from "../../../study/train/node/train.ts";
import { tinyRuns } from "../../support/tiny-run.ts";
import { refusal } from "../../support/weights-files.ts";

const { folder, pictures, request } = await tinyRuns(4);
const broken = join(folder, "broken");
const settings = { steps: 1 };
const at = (...path: string[]) => join(folder, ...path);

beforeAll(async () => {
  cpSync(pictures, broken, { recursive: true });
  const [first] = (await readRunOfAll()).train;
  writeFileSync(join(broken, `${first}.png`), "no picture");
});

async function readRunOfAll() {
  await train(request("whole", { settings }));
  return readRun(at("whole"));
}

/** The code of a run on pictures of which one cannot be read. */
const onBroken = async (name: string, more: Partial<TrainRequest> = {}) => {
  const asked = request(name, { ...more, settings: { ...settings, ...more.settings } });
  const set = { ...asked.set, pictures: broken } as TrainRequest["set"];
  return (await refusal(() => train({ ...asked, set }))).code;
};

describe("before pictures are read", () => {
  const cases: readonly (readonly [string, Partial<TrainRequest>])[] = [
    ["E1001", {}],
    ["E200", { weights: at("none.safetensors") }],
    ["E306", { config: at("none.json") }],
    ["E241", { out: at("tiny.json", "run") }],
    ["E1103", { out: folder }],
    ["E470", { device: "kpu" as "cpu" }],
    ["E1011", { part: 1 }],
    ["E720", { settings: { seed: -1 } }],
    ["E720", { seconds: -1 }],
    ["E1106", { settings: { loss: "set" } }],
    ["E1114", { settings: { size: 20 } }],
    ["E134", { settings: { methodSettings: { rank: -1 } } }],
    ["E460", { settings: { methodSettings: { rnk: 1 } } }],
    ["E130", { settings: { freeze: ["nothing.**"] } }],
  ];
  test.each(cases)("%s is found: %j", async (code, more) => {
    expect(await onBroken("early", more)).toBe(code);
  });

  test("E1102: a run that goes on with other settings", async () => {
    const same = request("whole", { settings: { ...settings, rate: 1 } });
    rmSync(at("gone"), { recursive: true, force: true });
    const onPhase = (words: string) => expect(words).not.toMatch("checking");
    expect((await refusal(() => train({ ...same, onPhase }))).code).toBe("E1102");
  });

  test("of a study's later runs, too", async () => {
    const onPhase = (words: string) => expect(words).not.toMatch("run 1");
    const grid = { rank: [2, -1] };
    const asked = { ...request("grid", { settings, onPhase }), grid, seeds: [1] };
    expect((await refusal(() => runStudy(asked))).code).toBe("E134");
  });
});

describe("a run's folder", () => {
  const damage: readonly (readonly [string, (run: string) => void])[] = [
    ["without its log", (run) => rmSync(join(run, "log.jsonl"))],
    ["with half a log", (run) => truncateSync(join(run, "log.jsonl"), 200)],
    ["with an empty log", (run) => truncateSync(join(run, "log.jsonl"), 0)],
    ["with a log of something else", (run) => writeFileSync(join(run, "log.jsonl"), "step\n")],
    ["with half of its times", (run) => truncateSync(join(run, "times.json"), 20)],
    ["with times of something else", (run) => writeFileSync(join(run, "times.json"), "{}")],
    ["without its best adapter", (run) => rmSync(join(run, "adapter.safetensors"))],
  ];
  test.each(damage)("E1115: %s", async (name, spoil) => {
    cpSync(at("whole"), at(name), { recursive: true });
    spoil(at(name));
    const error = await refusal(() => train(request(name, { settings })));
    expect([error.code, error.details.where]).toEqual(["E1115", expect.stringContaining(name)]);
  });

  /** The code of reading a run whose run.json says something else. */
  const changed = async (change: (run: Record<string, unknown>) => void) => {
    const file = at("whole", "run.json");
    const text = readFileSync(file, "utf8");
    const run = JSON.parse(text);
    change(run);
    writeFileSync(file, JSON.stringify(run));
    return refusal(() => readRun(at("whole"))).finally(() => writeFileSync(file, text));
  };

  test("E1116: of a later inarch, and values that settings cannot have", async () => {
    const set = (more: object) =>
      changed((run) => Object.assign(run.settings as object, more)).then(({ code }) => code);
    expect(await set({ future: 1 })).toBe("E1116");
    expect(await set({ fit: "round" })).toBe("E465");
    expect(await set({ rate: "fast" })).toBe("E720");
    const tasks = async (of: object) => (await changed((run) => (run.tasks = of))).code;
    expect(await tasks({ flow: { kind: "flow" } })).toBe("E1103");
    expect(await tasks({ square: { kind: "labels" } })).toBe("E1103");
    expect(await tasks({})).toBe("E1103");
  });
});
