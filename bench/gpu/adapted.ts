/** The adapters that encoders and training steps are measured with, on every qkv. */
import { convLora, lora, taLora } from "../../adapters/index.ts";
import type { Adapter } from "../../compiler/index.ts";

export interface Adapted {
  readonly name: string;
  readonly adapter?: Adapter;
}

export const bare: Adapted = { name: "bare" };
export const withLora: Adapted = { name: "LoRA, rank 4", adapter: lora({ rank: 4 }) };
export const withConvLora: Adapted = { name: "Conv-LoRA, 8 experts", adapter: convLora() };
export const withTaLora: Adapted = {
  name: "TA-LoRA, 4 tasks",
  adapter: taLora({ tasks: 4, ranks: [32, 32, 4] }),
};
