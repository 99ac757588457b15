/** What a training reads from files and writes into them: loaded when the first is wanted. */

import { openSafetensors } from "../weights/safetensors.ts";
import { bytesSource } from "../weights/source.ts";

export { checkpointFile, resume } from "./checkpoint.ts";
export { adapterFile, loadTensors } from "./files.ts";

/** A checkpoint that the host holds. */
export const openCopy = (bytes: Uint8Array<ArrayBuffer>) =>
  openSafetensors(bytesSource("the copy of the last step", bytes));
