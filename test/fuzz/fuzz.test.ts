/** The fuzzer knows every op. */
import { expect, test } from "vitest";
import { unknownOps } from "./graphs/index.ts";

test("every op that is exported is known to the fuzzer", () => {
  expect(unknownOps()).toEqual([]);
});
