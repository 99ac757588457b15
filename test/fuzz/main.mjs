/**
 * Loads the fuzzer and the sources as they are, or with the fault that `--fault NAME` puts back. With
 * `--faults` that is the work of processes of their own.
 */
import { register } from "node:module";

const args = process.argv.slice(2);
const at = args.includes("--faults") ? -1 : args.indexOf("--fault");
register("./hooks.mjs", import.meta.url, { data: { fault: at < 0 ? undefined : args[at + 1] } });
const { main } = await import("./main.ts");
process.exitCode = await main(args);
