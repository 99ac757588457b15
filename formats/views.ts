/** Numbers as bytes, and bytes as numbers. */

export type Floats = Float32Array<ArrayBuffer>;
export type Bytes = Uint8Array<ArrayBuffer>;

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Bytes =>
  new Uint8Array(buffer, byteOffset, byteLength);

interface View<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): T;
}

/** Bytes as an array that shares their memory. */
export const viewOf = <T>(Numbers: View<T>, { buffer, byteOffset, byteLength }: Bytes): T =>
  new Numbers(buffer, byteOffset, byteLength / Numbers.BYTES_PER_ELEMENT);
