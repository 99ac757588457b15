/** The SAM that a run trains: its checkpoint, for pictures of the run's size. */
import { inferSamConfig, withMetaNames } from "../../../models/index.ts";
import { readSamConfig } from "../../../models/node/config.ts";
import { type SizedSam, samAtSize } from "../../../models/sam/at-size.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import type { RunSettings } from "../settings.ts";

export interface SamFiles {
  /** A SAM's checkpoint, in Meta's or Hugging Face's names. */
  readonly weights: string;
  /** A file with its configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
}

/**
 * Closing its weights closes the file.
 * @throws E2xx for weights and configurations, E1114 for a size that the model cannot have.
 */
export async function openSam(
  { weights: file, config: given }: SamFiles,
  { size }: Pick<RunSettings, "size">,
): Promise<SizedSam> {
  const weights = withMetaNames(await openWeightsFile(file));
  try {
    const config = given === undefined ? inferSamConfig(weights) : await readSamConfig(given);
    return samAtSize(config, weights, size === 0 ? config.imageSize : size);
  } catch (error) {
    await weights.close();
    throw error;
  }
}
