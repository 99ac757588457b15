/** Every op that the fuzzer knows, by the name under which `inarch/ops` exports it. */
import { attentionOps } from "./attention.ts";
import { elementwise } from "./elementwise.ts";
import { imageOps } from "./images.ts";
import type { Known } from "./known.ts";
import { alongLines } from "./lines.ts";
import { productOps } from "./products.ts";
import { resizingOps } from "./resizing.ts";
import { random, views } from "./views.ts";

export const table: Readonly<Record<string, Known>> = {
  ...elementwise,
  ...alongLines,
  ...views,
  ...random,
  ...productOps,
  ...imageOps,
  ...resizingOps,
  ...attentionOps,
};

/** What `inarch/ops` exports beside ops: makers of ops, and the hash of a name. */
export const notOps: readonly string[] = ["binary", "elementwiseOp", "unary", "streamOf"];
