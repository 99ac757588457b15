/** `inarch explain`: the page that it writes, its summary, and what it refuses. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { parsePage, textOf } from "../support/markup.ts";

const folder = scratchFolder("explain");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);
const mlp = join("examples", "01-mlp.graph.ts");

test("a page for a file, with the user's lines, and a summary", async () => {
  const output = join(folder, "mlp.html");
  const args = ["explain", mlp, "--no-device", "--json", "-o", output, "--dim", "batch=8"];
  const { code, stdout, stderr } = await inarch(args);
  expect([code, stderr]).toEqual([0, ""]);
  const { programs } = JSON.parse(stdout);
  const bytes = 4 * (8 * 64 + 64 * 256 + 256 + 8 * 256 * 2 + 256 * 10 + 8 * 10);
  expect(programs.forward).toMatchObject({ dispatches: 2, bytes });
  const page = parsePage(readFileSync(output, "utf8"));
  expect(textOf(page)).toContain("01-mlp.graph.ts:1");
  expect(textOf(page)).toContain("not measured: --no-device was given");
});

test("E503 for a trace of what must not be measured", async () => {
  const args = ["explain", mlp, "--no-device", "--trace", join(folder, "trace.json")];
  const { code, stderr } = await inarch(args);
  expect(code).toBe(1);
  expect(stderr).toContain("error[E503] --trace writes what was measured");
});
