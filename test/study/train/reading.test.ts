/** Pictures are read in a thread, where one may be started, and the run is the same. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, test } from "vitest";
import { train } from "../../../study/train/node/train.ts";
import { buildPackage, repository } from "../../support/command-line.ts";
import { tinyRuns } from "../../support/tiny-run.ts";
import { refusal } from "../../support/weights-files.ts";

const { folder, pictures, request } = await tinyRuns(4);
const settings = { steps: 2, augment: { mirror: 0.5 } };
const bytesIn = (name: string) =>
  ["last.safetensors", "log.jsonl"].map((file) => readFileSync(join(folder, name, file), "latin1"));

test("a run reads in a thread, and ends all that it starts", async () => {
  const before: number[] = [];
  const ends: Promise<unknown>[] = [];
  const onWorker = (worker: Worker) =>
    ends.push(new Promise((resolve) => worker.once("exit", resolve)));
  process.on("worker", onWorker);
  const onPhase = (words: string) => /^checking|^compiling/.test(words) && before.push(ends.length);
  await train(request("threaded", { settings, onPhase }));
  process.off("worker", onWorker);
  expect(before).toEqual([0, 1]);
  await Promise.all(ends);
});

describe("where Node's permissions forbid threads", () => {
  beforeAll(buildPackage);
  const isNew = process.allowedNodeEnvironmentFlags.has("--permission");
  const permission = isNew ? "--permission" : "--experimental-permission";
  const allowed = ["--allow-fs-read=*", "--allow-fs-write=*", "--allow-addons"];
  const inNode = (text: string) =>
    promisify(execFile)(
      process.execPath,
      [permission, ...allowed, "--input-type=module", "-e", text],
      { cwd: repository },
    );

  test("a run is the same, byte for byte", async () => {
    const asked = request("alone", { settings });
    const text = `import { train } from "inarch/study"; await train(${JSON.stringify(asked)});`;
    await inNode(text);
    expect(bytesIn("alone")).toEqual(bytesIn("threaded"));
  });
});

test("a picture that goes away while a run is under way is named", async () => {
  // After the first validation only the thread reads.
  const onLine = () => rmSync(pictures, { recursive: true, force: true });
  const all = request("gone", { settings, onLine });
  const { code, details } = await refusal(() => train(all));
  expect([code, details.where]).toEqual(["E306", expect.stringContaining(pictures)]);
});
