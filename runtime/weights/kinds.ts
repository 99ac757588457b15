/** What the files of inarch's own trainings are known by, and what stands in them of a base and of states. */
import { fnv1a } from "./fnv.ts";
import type { Weights } from "./weights.ts";

/** What an adapter's file says that it is. */
export const adapterKind = "inarch adapter";

/** Whether a file says that it is an adapter's. */
export const isAdapterFile = ({ metadata }: Described): boolean => metadata?.kind === adapterKind;

/** Any reader of weights, of which some know no metadata. */
interface Described extends Partial<Pick<Weights, "metadata">> {
  readonly source?: string;
}

/** Some of this is in the name of every tensor that `refuseForeign` knows, and in some of inarch's own. */
export const suspect = /lora|base_layer|ia3_l|vera_|oft_|hada_|lokr_|w_[ab]_|linear_[ab]_/;

/** What a file calls the values, as f32, that training left in a state: the state begins with these. */
export const savedState = (name: string): string => `state:${name}`;

export const isSavedState = (name: string): boolean => name.startsWith(savedState(""));

/** Of the beginning of a tensor: eight hexadecimal digits, FNV-1a. */
export function fingerprint(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, Math.min(values.byteLength, 4096));
  return fnv1a(bytes).toString(16).padStart(8, "0");
}
