/** The targets, one line each: a folder with a record (`target.ts`). Nothing else lists them. */
export { c } from "./c/index.ts";
export { cuda } from "./cuda/index.ts";
export { ptx } from "./ptx/index.ts";
export { reference } from "./reference/index.ts";
export { wasm } from "./wasm/index.ts";
export { wgsl } from "./wgsl/index.ts";
