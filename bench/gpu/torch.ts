/** PyTorch on the same GPU, where the machine has it: a Python that can import torch. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { bare, withConvLora, withLora } from "./adapted.ts";
import { root } from "./place.ts";
import { attentionName, productName, sizes } from "./sizes.ts";

export const script = join(root, "bench", "gpu", "torch_times.py");

/** A part that a Python script does: it says what it begins and finds as our own parts do. */
export interface TorchPart {
  readonly name: string;
  readonly about: string;
  readonly seconds: readonly [part: number, item: number];
  /** What the script is told. */
  readonly group: string;
}

export const torchProducts: TorchPart = {
  ...{ name: "PyTorch, products", group: "products", seconds: [40, 30] },
  about: "the same products and attentions",
};

export const torchEager: TorchPart = {
  ...{ name: "PyTorch, eager", group: "eager", seconds: [80, 60] },
  about: "the same encoders and training steps, as published",
};

export const torchCompiled: TorchPart = {
  ...{ name: "PyTorch, compiled", group: "compiled", seconds: [300, 120] },
  about: "the same by torch.compile",
};

/** What the script computes: our own sizes, under our names. */
export const problems = (): string => {
  const { products, attentions, models } = sizes.full;
  return JSON.stringify({
    products: products.map((shape) => ({ name: productName(shape), shape })),
    attentions: attentions.map((shape) => ({ name: attentionName(shape), ...shape })),
    models,
    adapters: { bare: bare.name, lora: withLora.name, "conv-lora": withConvLora.name },
  });
};

/** Where a Python may lie, that of an environment first. */
export function pythons(environment: Readonly<Record<string, string | undefined>>): string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX, PATH = "" } = environment;
  const folders = [
    ...[VIRTUAL_ENV, CONDA_PREFIX].flatMap((folder) => (folder ? [join(folder, "bin")] : [])),
    ...PATH.split(delimiter).filter(Boolean),
    ...["/usr/local/bin", "/usr/bin", "/opt/conda/bin", "/opt/venv/bin", "/bin"],
  ];
  const found = folders.map((folder) => join(folder, "python3")).filter((path) => existsSync(path));
  return [...new Set(found)];
}

/** The first that imports torch, and sees a GPU unless the processor is to compute, or why there is none. */
export function findTorch(
  candidates: readonly string[],
  environment: NodeJS.ProcessEnv,
  computes: "GPU" | "processor" = "GPU",
): { readonly python: string; readonly version: string } | string {
  const seen = "assert torch.cuda.is_available(), 'torch sees no GPU'; ";
  const program = `import torch; ${computes === "GPU" ? seen : ""}print(torch.__version__)`;
  let reason = "there is no python3";
  for (const python of candidates) {
    const { status, stdout, stderr } = spawnSync(python, ["-c", program], {
      ...{ env: environment, encoding: "utf8", timeout: 60_000 },
    });
    if (status === 0) return { python, version: stdout.trim() };
    reason = `${python}: ${stderr?.trim().split("\n").at(-1) || "it does not start"}`;
  }
  return reason;
}
