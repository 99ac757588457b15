/**
 * A bounded run of the fuzzer: always the same cases, which find nothing; and faults that are put back,
 * which the first cases find.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenedDevice, openDevice } from "../../runtime/node/index.ts";
import { repository } from "../support/command-line.ts";
import { calls } from "./calls/index.ts";
import { files } from "./files/index.ts";
import { fuzz } from "./fuzz.ts";
import { graphs } from "./graphs/index.ts";
import type { Kind } from "./kind.ts";

const seed = 20_261_127;
const bounds = [
  { make: graphs, cases: 60 },
  { make: calls, cases: 200 },
  { make: files, cases: 200 },
];

describe(`the cases of seed ${seed} find nothing`, () => {
  let opened: OpenedDevice | undefined;
  beforeAll(async () => {
    if (process.env.INARCH_WEBGPU_TESTS !== "skip") opened = await openDevice({ kind: "webgpu" });
  });
  afterAll(() => opened?.device.destroy());

  test.each(bounds)("$cases of $make.name", async ({ make, cases }) => {
    const kind = make(opened?.device) as Kind<unknown>;
    const limits = { seed, time: Number.POSITIVE_INFINITY, cases, patience: 0 };
    const outcome = await fuzz(kind, limits);
    expect(outcome.findings).toEqual([]);
    expect(outcome.cases).toBe(cases);
  });
});

/** A fault, the kind of cases that finds it, and the seed of one that does. */
const putBack = [
  ["calls have no order", "calls", 3_675_535_388],
  ["equal work is done twice", "graphs", 2_640_750_503],
] as const;

test.each(putBack)("the fault %j is found by %s of seed %d", (fault, kind, start) => {
  const args = ["--fault", fault, "--kind", kind, "--seed", `${start}`, "--cases", "1"];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(repository, "test/fuzz/main.mjs"), ...args],
    { encoding: "utf8", env: { ...process.env, INARCH_WEBGPU_TESTS: "skip" } },
  );
  expect(stdout, stderr).toMatch(new RegExp(`^FOUND in ${kind}`, "m"));
  expect(status).toBe(1);
});
