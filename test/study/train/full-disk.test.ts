/** A disk that is full when a checkpoint is written: the one before survives, and the run goes on with the same bytes. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { type TrainRequest, train } from "../../../study/train/node/train.ts";
import { drawSquares } from "../../support/drawn-squares.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-full-"));
const disk = join(folder, "disk");
const [pictures, masks] = [join(folder, "pictures"), join(folder, "masks")];

/** Whether a small file system can be mounted here. */
function mounted(): boolean {
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { stdio: "pipe" });
    return true;
  } catch (error) {
    console.warn(`SKIPPED: no file system can be mounted here: ${error}`);
    return false;
  }
}

const isMounted = mounted();
afterAll(() => {
  if (isMounted) execFileSync("umount", [disk]);
  rmSync(folder, { recursive: true });
});

const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
beforeAll(async () => {
  writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "full")), {}));
  writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
  drawSquares(pictures, masks, 4);
});

const square = { kind: "mask", folder: masks, value: 1, ignore: 9 } as const;
const request = (out: string, more: Partial<TrainRequest> = {}): TrainRequest => ({
  ...{ set: { format: "folders", pictures, targets: { square } }, weights, config, out },
  ...{ device: "cpu", part: 0.5, ...more },
  settings: { method: "lora", steps: 6, batch: 2, validateEvery: 2, rate: 1e-2 },
});

const files = ["last.safetensors", "adapter.safetensors", "log.jsonl"];
const bytesIn = (out: string) => files.map((name) => readFileSync(join(out, name), "latin1"));

test.skipIf(!isMounted)("E241: the last good checkpoint survives", async () => {
  await train(request(join(folder, "whole")));
  const out = join(disk, "run");
  const filler = join(disk, "filler");
  let before: string | undefined;
  const onLine = (line: { readonly step: number }) => {
    if (line.step !== 3) return;
    before = readFileSync(join(out, "last.safetensors"), "latin1");
    // Room for the texts, and not for a checkpoint.
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, new Uint8Array(bavail * bsize - before.length + bsize));
  };
  const { code, details } = await refusal(() => train(request(out, { onLine })));
  expect([code, details.message]).toEqual(["E241", "the file cannot be written: ENOSPC"]);
  expect(details.help).toMatch(/the disk is full: make room/);
  expect(details.where).toBe(join(out, "last.safetensors"));
  expect(readFileSync(join(out, "last.safetensors"), "latin1")).toBe(before);
  const lines: number[] = [];
  rmSync(filler);
  await train(request(out, { onLine: ({ step }) => lines.push(step) }));
  expect(lines).toEqual([3, 4, 4, 5, 6, 6]);
  expect(bytesIn(out)).toEqual(bytesIn(join(folder, "whole")));
});
