/**
 * Which kind of failure a code is. It stands apart from the table of codes, which a page that only runs
 * plans does not load.
 */
import type { Code } from "./codes.ts";

export type Kind = "user" | "internal" | "environment";

const environment: readonly Code[] = [
  "E201",
  "E203",
  "E241",
  "E400",
  "E401",
  "E402",
  "E403",
  "E404",
  "E405",
  "E406",
  "E407",
  "E408",
  "E409",
  "E422",
  "E423",
  "E424",
  "E426",
  "E446",
  "E447",
  "E448",
  "E449",
  "E480",
  "E481",
  "E482",
  "E483",
  "E485",
  "E488",
  "E520",
  "E1007",
  "E1110",
  "E1111",
];
const internal: readonly Code[] = ["E425", "E441", "E450", "E900"];

/** The user's mistake, unless the code is listed here. */
export const kindOf = (code: Code): Kind =>
  environment.includes(code) ? "environment" : internal.includes(code) ? "internal" : "user";
