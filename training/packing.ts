/** Packs trained tensors into one state, so that the optimiser is a few kernels over all of them. */
import type { Residence, Tensor } from "../compiler/index.ts";
import type { Profile } from "../compiler/profile.ts";
import { type Precision, worthHalving } from "../compiler/schedule/halves.ts";
import { align } from "../compiler/schedule/memory.ts";
import { chunkSize } from "./update.ts";

/** Tensors begin at chunks: whatever a device's alignment is, it divides this. */
const chunkBytes = 4 * chunkSize;

export interface Packed {
  readonly offsets: readonly number[];
  readonly chunks: number;
}

const bytesOf = (shape: readonly number[]) => 4 * shape.reduce((a, b) => a * b, 1);

/** Offsets in bytes of tensors one after another. */
export function packTensors(shapes: readonly (readonly number[])[]): Packed {
  let used = 0;
  const offsets = shapes.map((shape) => {
    const offset = used;
    used = align(used + bytesOf(shape), chunkBytes);
    return offset;
  });
  return { offsets, chunks: used / chunkBytes };
}

/** Frozen parameters in as many states as the profile's limits demand. */
export function packFrozen(
  tensors: readonly Tensor[],
  names: readonly string[],
  profile: Profile,
  precision: Precision,
) {
  const residences = new Map<string, Residence>();
  const states: { name: string; bytes: number }[] = [];
  tensors.forEach((tensor, i) => {
    const isHalf = precision === "mixed" && worthHalving(tensor.type);
    const bytes = isHalf ? align(bytesOf(tensor.shape) / 2, 4) : bytesOf(tensor.shape);
    const stored = isHalf ? ({ stored: "f16" } as const) : {};
    const open = states.at(-1);
    const offset = open ? align(open.bytes, profile.alignment) : 0;
    if (!open || offset + bytes > profile.maxBufferBytes) {
      const name = `frozen.${states.length}`;
      states.push({ name, bytes });
      residences.set(names[i]!, { state: name, offset: 0, ...stored });
    } else {
      open.bytes = offset + bytes;
      residences.set(names[i]!, { state: open.name, offset, ...stored });
    }
  });
  return { residences, states };
}
