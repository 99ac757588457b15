/** A disk that is full when a checkpoint is written: the one before survives, and the run goes on with the same bytes. */
import { readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { train } from "../../../study/train/node/train.ts";
import { describeWithDisk, smallDisk } from "../../support/small-disk.ts";
import { tinyRuns } from "../../support/tiny-run.ts";
import { refusal } from "../../support/weights-files.ts";

const files = ["last.safetensors", "adapter.safetensors", "log.jsonl"];
const bytesIn = (out: string) => files.map((name) => readFileSync(join(out, name), "latin1"));

describeWithDisk("on a full disk", () => {
  test("E241: the last good checkpoint survives", async () => {
    const { folder, request } = await tinyRuns(4);
    await train(request("whole"));
    const out = join(smallDisk, "run");
    const filler = join(smallDisk, "filler");
    let before: string | undefined;
    const onLine = (line: { readonly step: number }) => {
      if (line.step !== 3) return;
      before = readFileSync(join(out, "last.safetensors"), "latin1");
      // Room for the texts, and not for a checkpoint.
      const { bavail, bsize } = statfsSync(smallDisk);
      writeFileSync(filler, new Uint8Array(bavail * bsize - before.length + bsize));
    };
    const { code, details } = await refusal(() => train(request("run", { out, onLine })));
    expect([code, details.message]).toEqual(["E241", "the file cannot be written: ENOSPC"]);
    expect(details.help).toMatch(/the disk is full: make room/);
    expect(details.where).toBe(join(out, "last.safetensors"));
    expect(readFileSync(join(out, "last.safetensors"), "latin1")).toBe(before);
    const lines: number[] = [];
    rmSync(filler);
    await train(request("run", { out, onLine: ({ step }) => lines.push(step) }));
    expect(lines).toEqual([3, 4, 4, 5, 6, 6]);
    expect(bytesIn(out)).toEqual(bytesIn(join(folder, "whole")));
  });
});
