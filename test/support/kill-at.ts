/**
 * Ends a process by SIGKILL just before the n-th call that changes the file system: every moment between two
 * such calls can be tried, whatever the machine's speed.
 */

/** Arguments of node. Without a number the process ends by itself and prints `calls N` to its errors. */
export const killAtCall = (n: number | undefined): readonly string[] => [
  "--no-warnings",
  "--import",
  `data:text/javascript,${encodeURIComponent(preload(n ?? 0))}`,
];

const preload = (n: number) => `
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
let calls = 0;
const count = (object, name) => {
  const original = object[name];
  object[name] = function (...args) {
    if (++calls === ${n}) process.kill(process.pid, "SIGKILL");
    return original.apply(this, args);
  };
};
for (const name of ["open", "rename", "mkdir", "rm", "rmdir", "unlink", "writeFile"]) count(promises, name);
for (const name of ["renameSync", "mkdirSync", "rmSync", "writeFileSync"]) count(fs, name);
const handle = await promises.open(process.execPath);
for (const name of ["write", "sync"]) count(Object.getPrototypeOf(handle), name);
await handle.close();
calls = 0;
syncBuiltinESMExports();
process.on("exit", () => process.stderr.write("calls " + calls + "\\n"));
`;
