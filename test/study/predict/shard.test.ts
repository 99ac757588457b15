/** Which pictures a process takes where several share them. */
import { describe, expect, test } from "vitest";
import { partOf, shardOf } from "../../../study/predict/shard.ts";
import { refusal } from "../../support/weights-files.ts";

describe("a part", () => {
  test("is said by the flag, or by what started the process", () => {
    expect(shardOf(undefined, {})).toEqual({ index: 0, count: 1 });
    expect(shardOf("2/5", { JOB_COMPLETION_INDEX: "4" })).toEqual({ index: 2, count: 5 });
    // An indexed job says which part a pod is, and not how many there are.
    expect(shardOf(undefined, { JOB_COMPLETION_INDEX: "4" })).toEqual({ index: 0, count: 1 });
    expect(shardOf("5", { JOB_COMPLETION_INDEX: "4" })).toEqual({
      ...{ index: 4, count: 5, by: "JOB_COMPLETION_INDEX" },
    });
    // sbatch --array=10-18:4 has the tasks 10, 14 and 18.
    const array = {
      SLURM_ARRAY_TASK_ID: "14",
      SLURM_ARRAY_TASK_MIN: "10",
      SLURM_ARRAY_TASK_STEP: "4",
      SLURM_ARRAY_TASK_COUNT: "3",
    };
    const middle = { index: 1, count: 3, by: "SLURM_ARRAY_TASK_ID" };
    expect(shardOf(undefined, array)).toEqual(middle);
    expect(shardOf("0/1", array)).toEqual({ index: 0, count: 1 });
  });

  test("and the others have every picture once, in parts of nearly one size", () => {
    const all = Array.from({ length: 11 }, (_, i) => i);
    const parts = [0, 1, 2, 3].map((index) => partOf(all, { index, count: 4 }));
    expect(parts.map(({ length }) => length)).toEqual([3, 3, 3, 2]);
    expect(parts.flat().sort((a, b) => a - b)).toEqual(all);
  });

  test("E1141: what is none, and a number of parts where nothing says which this is", async () => {
    const said = async (asked: string | undefined, environment = {}) => {
      const { code, details } = await refusal(async () => shardOf(asked, environment));
      return `${code} ${details.message}`;
    };
    expect(await said("1of4")).toBe('E1141 --shard cannot be "1of4"');
    expect(await said("4/4")).toBe("E1141 there is no part 4 of 4: they are 0 to 3");
    expect(await said("0/0")).toMatch(/^E1141/);
    expect(await said("4")).toMatch(/^E1141 --shard 4 says how many parts there are/);
    expect(await said("4", { JOB_COMPLETION_INDEX: "7" })).toMatch(
      /^E1141 there is no part 7 of 4 \(JOB_COMPLETION_INDEX\)/,
    );
    // An array whose first task is not where its numbers say.
    const odd = {
      SLURM_ARRAY_TASK_ID: "3",
      SLURM_ARRAY_TASK_STEP: "2",
      SLURM_ARRAY_TASK_COUNT: "4",
    };
    expect(await said(undefined, odd)).toMatch(/^E1141 there is no part 1.5 of 4/);
  });
});
