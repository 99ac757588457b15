/** On what, with what and when a run was made. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { openDevice } from "../../runtime/node/index.ts";
import { peerVersions } from "../systems/peers.ts";

export interface Machine {
  readonly date: string;
  readonly command: string;
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  /** What `--device` calls it, and the name of the GPU with its driver, or of the processor. */
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
}

export async function describeMachine(command: string): Promise<Machine> {
  const { device, kind, summary } = await openDevice();
  device.destroy();
  const own = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const require = createRequire(import.meta.url);
  const dawn = require("webgpu/package.json") as { version: string };
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    device: `${kind}, ${summary.description}`,
    versions: {
      inarch: own.version,
      node: process.versions.node,
      "webgpu (Dawn)": dawn.version,
      ...peerVersions(),
    },
  };
}
