/** Every op, as the functions that models call. */
export { abs } from "./abs.ts";
