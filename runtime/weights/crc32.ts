/** The checksum of zip files: CRC-32 with the reflected polynomial 0xEDB88320. */

/** Continues `crc` (the result for the bytes before; 0 at the start) over more bytes. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => remainder(byte));
  let state = ~crc;
  for (let i = 0; i < bytes.length; i++) {
    state = table[(state ^ bytes[i]!) & 255]! ^ (state >>> 8);
  }
  return ~state >>> 0;
}

let table: Uint32Array | undefined;

function remainder(byte: number): number {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
}
