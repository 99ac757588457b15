/**
 * The checksum of zip files: CRC-32 with the reflected polynomial 0xEDB88320. A checkpoint has
 * gigabytes to check, so eight bytes are taken at a time, each with a table of its own.
 */

/** Continues `crc` (the result for the bytes before; 0 at the start) over more bytes. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const eights = bytes.length - (bytes.length % 8);
  let state = ~crc;
  for (let i = 0; i < eights; i += 8) {
    const low = state ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    state =
      t7[low & 255]! ^
      t6[(low >>> 8) & 255]! ^
      t5[(low >>> 16) & 255]! ^
      t4[low >>> 24]! ^
      t3[high & 255]! ^
      t2[(high >>> 8) & 255]! ^
      t1[(high >>> 16) & 255]! ^
      t0[high >>> 24]!;
  }
  for (let i = eights; i < bytes.length; i++) {
    state = t0[(state ^ bytes[i]!) & 255]! ^ (state >>> 8);
  }
  return ~state >>> 0;
}

type Table = Int32Array;
type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table];

let tables: Tables | undefined;

/** Table `k` gives the remainder of a byte that `k` zero bytes follow. */
function makeTables(): Tables {
  const first = Int32Array.from({ length: 256 }, (_, byte) => remainder(byte));
  const follow = (table: Table) => table.map((value) => first[value & 255]! ^ (value >>> 8));
  const second = follow(first);
  const third = follow(second);
  const fourth = follow(third);
  const fifth = follow(fourth);
  const sixth = follow(fifth);
  const seventh = follow(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, follow(seventh)];
}

function remainder(byte: number): number {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
}
