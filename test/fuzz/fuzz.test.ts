/** The fuzzer knows every op, and the faults that can be put back stand where it looks for them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repository } from "../support/command-line.ts";
import { faults } from "./faults/index.ts";
import { unknownOps } from "./graphs/index.ts";

test("every op that is exported is known to the fuzzer", () => {
  expect(unknownOps()).toEqual([]);
});

describe("faults that can be put back", () => {
  test.each(faults)("$name", ({ changes }) => {
    for (const { file, find, replace } of changes) {
      const text = readFileSync(join(repository, file), "utf8");
      expect(text.split(find).length - 1, `${file}: ${find}`).toBe(1);
      expect(text).not.toBe(text.replace(find, replace));
    }
  });
});
