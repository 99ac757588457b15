/** PyTorch on the processor, where a Python imports it: training SAM's encoder as published (`bench/gpu/torch_times.py`). */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SamConfig } from "../../models/index.ts";
import { root } from "../gpu/place.ts";
import { findTorch, pythons } from "../gpu/torch.ts";
import type { Runner } from "../measure/comparison.ts";

export interface TorchStep {
  readonly config: SamConfig;
  readonly adapter: "lora" | "conv-lora";
  readonly threads: number;
}

/** @throws with the reason where no Python imports torch. */
export async function openTorch({ config, adapter, threads }: TorchStep): Promise<Runner> {
  const found = findTorch(pythons(process.env), process.env, "processor");
  if (typeof found === "string") throw new Error(`PyTorch is not here: ${found}`);
  const child = spawn(
    found.python,
    [
      join(root, "bench", "systems", "torch_host.py"),
      ...["--config", JSON.stringify(config)],
      ...["--adapter", adapter, "--threads", String(threads)],
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch's process has ended");
    return JSON.parse(value) as { readonly facts?: string; readonly loss?: number };
  };
  const { facts } = await answer();
  return {
    facts: facts!,
    async run() {
      child.stdin.write("\n");
      return Float32Array.of((await answer()).loss!);
    },
    close: () => void child.stdin.end(),
  };
}
