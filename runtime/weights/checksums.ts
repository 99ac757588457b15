/**
 * Checksums of the safetensors files that inarch writes, in the file's metadata: `inarch.hashes` has
 * that of each tensor, and `inarch.checksum` that of the header, hashes included, in which its own digits
 * count as zeros. So any changed bit of the file is seen, and the checksum alone tells the file from any
 * other. A file with one of the two lost the other.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { hashOf } from "./hash.ts";
import { isRecord, parseJson } from "./json.ts";

/** Of each tensor, by name: `hashOf` its bytes. */
export type Hashes = ReadonlyMap<string, string>;

const checksumKey = "inarch.checksum";
const hashesKey = "inarch.hashes";

const zeros = "0".repeat(32);
const stated = (digits: string) => `"${checksumKey}":"${digits}"`;

/**
 * A checksum and hashes under other names of the same lengths. Where both names are damaged, the file would
 * else be taken for one of another program, which has no checksums.
 */
const nameless = /:"[0-9a-f]{32}","[^"]{13}":"{/;

/** What the metadata has before its checksum is known: `sealHeader` puts it in. */
export const unsealed = (hashes: Hashes) => ({
  [checksumKey]: zeros,
  [hashesKey]: JSON.stringify(Object.fromEntries(hashes)),
});

/** Puts the checksum into a header (its length included) whose metadata is `unsealed`, and returns it. */
export function sealHeader(header: Uint8Array<ArrayBuffer>): string {
  const text = new TextDecoder().decode(header.subarray(8));
  const checksum = hashOf(header);
  header.set(new TextEncoder().encode(text.replace(stated(zeros), stated(checksum))), 8);
  return checksum;
}

export interface Checksums {
  /** Of a file that inarch wrote; another program's has neither. */
  readonly checksum?: string;
  readonly hashes?: Hashes;
  /** The metadata without them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * What a file's metadata says of its content, compared with its header (its length included).
 * @throws E461 where it does not agree.
 */
export function readChecksums(
  header: Uint8Array<ArrayBuffer>,
  all: Readonly<Record<string, string>>,
  names: Iterable<string>,
  file: string,
): Checksums {
  const { [checksumKey]: checksum, [hashesKey]: hashes, ...metadata } = all;
  const text = new TextDecoder().decode(header.subarray(8));
  if (checksum === undefined && hashes === undefined && !nameless.test(text)) return { metadata };
  const blank = header.slice();
  if (/^[0-9a-f]{32}$/.test(checksum ?? ""))
    blank.set(new TextEncoder().encode(text.replace(stated(checksum!), stated(zeros))), 8);
  if (hashOf(blank) !== checksum) throw changed("its header does not match its checksum", file);
  const parsed = parseJson(new TextEncoder().encode(hashes));
  const found = "value" in parsed && isRecord(parsed.value) ? parsed.value : {};
  for (const name of names)
    if (typeof found[name] !== "string") throw changed(`its header has no hash of ${name}`, file);
  const read = new Map(Object.entries(found) as [string, string][]);
  return { checksum: checksum!, hashes: read, metadata };
}

/** E461, for a file that is not as it was written. */
export const changed = (message: string, where: string) =>
  diagnose("E461", {
    message: `the file is not as it was written: ${message}`,
    where,
    help: `fetch it again; if another program wrote it anew, leave ${checksumKey} and ${hashesKey} out`,
  });
