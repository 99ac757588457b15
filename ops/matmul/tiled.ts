/** The forms of matmul that are its tile program: what it multiplies. */
import { tileForms } from "../../compiler/op-kit.ts";
import { matmulProgram } from "./program.ts";
import { shapeOf, tileReads } from "./tiles.ts";

export const productForms = tileForms<null>({
  work: ({ inputs }) => ({ kind: "product", ...shapeOf(inputs) }),
  reads: ({ rows, columns }, input, problem) => tileReads({ m: rows, n: columns }, input, problem),
  isRight: (input, { inputs }) => input % 2 === 1 && inputs[input]!.shape.length === 2,
  program: (site, { rows, columns, depth }) =>
    matmulProgram(site, { m: rows, n: columns, deep: depth }),
});
