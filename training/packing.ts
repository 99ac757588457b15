/** Packs trained tensors into one state, so that the optimiser is a few kernels over all of them. */
import { elements } from "../compiler/graph/tensor.ts";
import type { Residence, Tensor } from "../compiler/index.ts";
import { align } from "../compiler/memory/memory.ts";
import type { Profile } from "../compiler/profile.ts";
import { formatOfWeight, type WeightOptions } from "../compiler/storage/formats.ts";
import { joinAlignment, spacingOf } from "../compiler/storage/joins.ts";
import { plain, storedBytes } from "../formats/index.ts";
import { chunkSize } from "./update.ts";

const bytesOf = ({ dtype, shape }: Tensor) => storedBytes(plain(dtype), elements(shape));

/** Tensors begin at chunks: whatever a device's alignment is, it divides this. */
export const chunkBytes = storedBytes("f32", chunkSize);

export interface Packed {
  /** Of each tensor: which part it is in, and its offset there in bytes. */
  readonly placeOf: ReadonlyMap<Tensor, { readonly part: number; readonly offset: number }>;
  /** Chunks of each part. */
  readonly parts: readonly number[];
}

/**
 * Trained tensors one after another, in as many parts as it takes that none is larger than a binding:
 * the optimiser binds whole parts. Those of a unit are in one part, which is larger only if a unit is.
 */
export function packTensors(units: readonly (readonly Tensor[])[], profile: Profile): Packed {
  const most = Math.min(profile.maxBindingBytes, profile.maxBufferBytes);
  const used: number[] = [0];
  const placeOf = new Map<Tensor, { part: number; offset: number }>();
  for (const unit of units) {
    const sizes = unit.map((tensor) => align(bytesOf(tensor), chunkBytes));
    const whole = sizes.reduce((a, b) => a + b, 0);
    if (used.at(-1)! > 0 && used.at(-1)! + whole > most) used.push(0);
    const part = used.length - 1;
    for (const [i, tensor] of unit.entries()) {
      placeOf.set(tensor, { part, offset: used[part]! });
      used[part]! += sizes[i]!;
    }
  }
  return { placeOf, parts: used.map((bytes) => bytes / chunkBytes) };
}

/**
 * Frozen parameters in states `PREFIX.0`, ..., as many as the profile's limits demand; those of a unit
 * together.
 */
export function packFrozen(
  units: readonly (readonly Tensor[])[],
  prefix: string,
  nameOf: (tensor: Tensor) => string,
  profile: Profile,
  options: WeightOptions,
) {
  const residences = new Map<string, Residence>();
  const states: { name: string; bytes: number }[] = [];
  for (const unit of units) {
    const isJoined = unit.length > 1;
    const alignment = isJoined ? joinAlignment : profile.alignment;
    const { type } = unit[0]!;
    const format = formatOfWeight(type, options, isJoined);
    const stored = format === plain(type.dtype) ? {} : { stored: format };
    const { stride, size } = spacingOf({ parts: unit, own: elements(type.shape) }, format);
    const whole = storedBytes(format, size);
    const open = states.at(-1);
    const after = open ? align(open.bytes, alignment) : 0;
    const fits = open !== undefined && after + whole <= profile.maxBufferBytes;
    const state = fits ? open : { name: `${prefix}.${states.length}`, bytes: 0 };
    if (!fits) states.push(state);
    const start = fits ? after : 0;
    for (const [i, tensor] of unit.entries()) {
      const offset = start + i * storedBytes(format, stride);
      residences.set(nameOf(tensor), { state: state.name, offset, ...stored });
    }
    state.bytes = start + whole;
  }
  return { residences, states };
}
