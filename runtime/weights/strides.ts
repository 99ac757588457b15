/** Views of a flat array: which tensors lie in row-major order, and copying those that do not. */

export interface View {
  readonly shape: readonly number[];
  /** In elements, one per dimension. */
  readonly strides: readonly number[];
}

/** Whether the elements lie one after another in row-major order. */
export function isContiguous({ shape, strides }: View): boolean {
  if (shape.includes(0)) return true;
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    // The stride of a dimension of size one is never used and may be anything.
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}

/**
 * Fills `out`, and returns it, with elements from the row-major index `first` on. `data` holds the
 * elements from the view's first one on, `width` bytes each.
 */
export function gather(
  data: Uint8Array,
  { shape, strides }: View,
  width: number,
  first: number,
  out: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const index = indexOf(first, shape);
  let from = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
  for (let to = 0; to < out.length; to += width) {
    for (let byte = 0; byte < width; byte++) out[to + byte] = data[from * width + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** Reverses the bytes of each element, in place: big-endian to little-endian. */
export function swapBytes(data: Uint8Array, width: number): void {
  for (let start = 0; start < data.length; start += width) {
    data.subarray(start, start + width).reverse();
  }
}

/** Row-major index, one number per dimension. */
function indexOf(flat: number, shape: readonly number[]): number[] {
  const index = shape.map(() => 0);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}
