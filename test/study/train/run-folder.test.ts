/** What a run's folder says of it: of earlier versions, of nothing, and of another size than the checkpoint's. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { predict } from "../../../study/predict/node/predict.ts";
import { readRun } from "../../../study/train/node/run-folder.ts";
import { train } from "../../../study/train/node/train.ts";
import { tinyRuns } from "../../support/tiny-run.ts";
import { refusal } from "../../support/weights-files.ts";

const { folder, pictures, weights, config, request } = await tinyRuns(4);

test("E1112: a run from before there were tasks; one from before ranks goes on", async () => {
  const all = request("earlier", { settings: { steps: 1 } });
  const report = await train(all);
  const file = join(folder, "earlier", "run.json");
  const known = JSON.parse(readFileSync(file, "utf8"));
  const { ranks: _, maskTokens: __, ...settings } = known.settings;
  writeFileSync(file, JSON.stringify({ ...known, settings }));
  expect(await train(all)).toEqual(report);
  const { tasks, ...others } = known;
  const classes = tasks.square.classes;
  writeFileSync(file, JSON.stringify({ ...others, classes }));
  const { code, details } = await refusal(() => train(all));
  expect([code, details.message]).toEqual(["E1112", expect.stringMatching(/which tasks it has/)]);
  // What the help says does it.
  const help = details.help!;
  const written = JSON.parse(`{${help.slice(help.indexOf('"tasks"'))}}`.replace("masks", "square"));
  writeFileSync(file, JSON.stringify({ ...others, ...written }));
  expect(await train(all)).toEqual(report);
});

test("E1103: a run.json of something else", async () => {
  const of = async (text: string) => {
    mkdirSync(join(folder, "other"), { recursive: true });
    writeFileSync(join(folder, "other", "run.json"), text);
    return (await refusal(() => readRun(join(folder, "other")))).code;
  };
  const sets = '"train": [], "validation": []';
  const texts = ["[1]", "null", `{"settings": {"method": "lora"}}`, `{"settings": {}, ${sets}}`];
  for (const text of texts) expect(await of(text)).toBe("E1103");
});

test("E1103: a run that ended before its first validation has no adapter", async () => {
  const signal = new AbortController();
  const onPhase = (words: string) => words.startsWith("takes ") && signal.abort();
  const stopped = request("stopped", { onPhase, signal: signal.signal });
  await expect(train(stopped)).rejects.toThrow();
  const asked = { pictures: [pictures], run: stopped.out, out: join(folder, "none") };
  const error = await refusal(() => predict({ ...asked, weights, config, device: "cpu" }));
  expect([error.code, error.details.message]).toEqual([
    "E1103",
    expect.stringMatching(/^the run has no adapter: it ended before its first validation/),
  ]);
  expect(error.details.help).toContain("--out");
});

test("of another size than the checkpoint's sees pictures so, and so does what predicts", async () => {
  const all = request("larger", { settings: { size: 48, steps: 1, method: "decoder-only" } });
  const report = await train(all);
  expect(report.last.loss).not.toBe(report.before.loss);
  const seen = { pictures: [pictures], run: all.out, out: join(folder, "larger-found") };
  const found = await predict({ ...seen, weights, config, device: "cpu" });
  expect(found.masks).toHaveLength(4);
  const odd = request("odd", { settings: { size: 20 } });
  expect((await refusal(() => train(odd))).code).toBe("E1114");
});
