/** What `npm start` types, on a smaller set and with fewer steps. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage, inarch, node, scratchFolder } from "../support/command-line.ts";

const folder = scratchFolder("examples-start");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

test("a drawn set is trained on, and the page compares what was found in pictures that were held out", async () => {
  const set = join(folder, "set");
  const drawn = await node(["examples/start/draw.mjs", set, "4", "2"]);
  expect(drawn.stdout).toMatch(/^drew 4 pictures to train on and 2 that are held out/);
  const files = (part: string, prefix: string) =>
    ["pictures", "masks"].flatMap((what) => [`--${prefix}${what}`, join(set, part, what)]);
  const trained = await inarch([
    ...["train", ...files("train", ""), ...files("held-out", "val-")],
    ...["--weights", "examples/small-sam/small-sam.safetensors", "--method", "decoder-only"],
    ...["--steps", "2", "--validate-every", "1", "--out", join(folder, "decoder-only")],
  ]);
  expect(trained.code, trained.stderr).toBe(0);
  const reported = await node(["examples/start/report.mjs", folder, "decoder-only"]);
  expect(reported.code, reported.stderr).toBe(0);
  expect(reported.stdout).toMatch(
    /^decoder-only {3}IoU 0\.\d{3} before, 0\.\d{3} after \d steps, /,
  );
  const page = readFileSync(join(folder, "report.html"), "utf8");
  const images = [...page.matchAll(/<img alt="([^"]+)" src="data:image\/png;base64,([^"]+)">/g)];
  expect(images.map(([, alt]) => alt)).toEqual([
    ...["Picture, picture 1", "Truth, picture 1", "Mask decoder, picture 1"],
    ...["Picture, picture 2", "Truth, picture 2", "Mask decoder, picture 2"],
  ]);
  // The pictures, the truth on them and what was found on them are six different images.
  expect(new Set(images.map(([, , bytes]) => bytes)).size).toBe(6);
  expect(page.match(/<circle /g)).toHaveLength(3);
  expect(page).not.toMatch(/https?:|<script/);
}, 300_000);
