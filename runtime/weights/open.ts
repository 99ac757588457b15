/** Opens a checkpoint of either format. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { detect, detectBytes } from "./detect.ts";
import { dequantised } from "./quantised.ts";
import { openSafetensors } from "./safetensors.ts";
import type { ByteSource } from "./source.ts";
import { type OpenWeightsOptions, openTorch } from "./torch.ts";
import type { Weights } from "./weights.ts";

/**
 * Opens a checkpoint, recognised by its content and not by its name: safetensors, or the zip that
 * `torch.save` writes. Reads headers only. The source is closed with the weights, and at once when
 * opening fails.
 *
 * Errors: E206 (another kind of file, and what it looks like), those of `openSafetensors` and
 * `openTorch`.
 */
export async function openWeights(
  source: ByteSource,
  options: OpenWeightsOptions = {},
): Promise<Weights> {
  try {
    checkOptions<OpenWeightsOptions>("openWeights", options, { key: true });
    return dequantised(await open(source, options));
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

async function open(source: ByteSource, options: OpenWeightsOptions): Promise<Weights> {
  const head = await source.read(0, Math.min(detectBytes, source.size));
  const found = detect(head, source.size);
  switch (found.format) {
    case "safetensors":
      return openSafetensors(source);
    case "torch":
      return openTorch(source, options);
    case "unknown":
      throw diagnose("E206", {
        message: `this is not a checkpoint: the file ${found.looks}`,
        where: source.name,
        help: found.help,
      });
  }
}
