/** `inarch/ops`: every op. */
export * from "../ops/index.ts";
