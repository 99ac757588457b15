/** Loads the fuzzer and the sources as they are. */
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
const { main } = await import("./main.ts");
process.exitCode = await main(process.argv.slice(2));
