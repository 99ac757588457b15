/** Runs of a tiny SAM on drawn squares. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatSamConfig } from "../../models/sam/config.ts";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import type { TrainRequest } from "../../study/train/node/train.ts";
import { drawSquares } from "./drawn-squares.ts";
import { tinySam } from "./sam-small.ts";
import { readAll } from "./weights-files.ts";

/** Draws so many pictures; what each run is asked for, with LoRA, unless more is said, in a folder of its name. */
export async function tinyRuns(count: number) {
  const folder = mkdtempSync(join(tmpdir(), "inarch-run-"));
  const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
  const [pictures, masks] = [join(folder, "pictures"), join(folder, "masks")];
  writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "run")), {}));
  writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
  drawSquares(pictures, masks, count);
  const square = { kind: "mask", folder: masks, value: 1, ignore: 9 } as const;
  const set = { format: "folders", pictures, targets: { square } } as const;
  const request = (name: string, more: Partial<TrainRequest> = {}): TrainRequest => ({
    ...{ set, weights, config, out: join(folder, name), device: "cpu", part: 0.5, ...more },
    settings: {
      ...{ method: "lora", steps: 6, batch: 2, validateEvery: 2, rate: 1e-2 },
      ...more.settings,
    },
  });
  return { folder, pictures, weights, config, request };
}
