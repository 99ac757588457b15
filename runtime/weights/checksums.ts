/**
 * Checksums of the safetensors files that inarch writes, in the file's metadata: `inarch.hashes` has
 * that of each tensor, and `inarch.checksum` that of the header, hashes included, in which its own digits
 * count as zeros. So any changed bit of the file is seen, and the checksum alone tells the file from any
 * other. A file with one of the two lost the other.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { ownHash, zeros } from "./hash.ts";
import { isRecord, parseJson } from "./json.ts";

/** Of each tensor, by name: `hashOf` its bytes. */
export type Hashes = ReadonlyMap<string, string>;

const checksumKey = "inarch.checksum.2";
/** Of a hash that was computed before this one. */
const earlierKey = "inarch.checksum";
const hashesKey = "inarch.hashes";

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

/** The text of a header, which is given with its length in front. */
const textOf = (header: Uint8Array) => new TextDecoder().decode(header.subarray(8));

/** Puts the checksum into a header (its length included) whose metadata is `unsealed`, and returns it. */
export function sealHeader(header: Uint8Array<ArrayBuffer>): string {
  const text = textOf(header);
  const checksum = ownHash(text, stated);
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
 * @throws E461 where it does not agree, E246 for checksums of an earlier version.
 */
export function readChecksums(
  header: Uint8Array,
  all: Readonly<Record<string, string>>,
  names: Iterable<string>,
  file: string,
): Checksums {
  const { [checksumKey]: checksum, [hashesKey]: hashes, ...metadata } = all;
  if (earlierKey in all)
    throw diagnose("E246", {
      message:
        "an earlier version of inarch wrote the file, with checksums that are no longer read",
      where: file,
      help: "build, merge or train it again with this version, or read it with the one that wrote it",
    });
  const text = textOf(header);
  if (checksum === undefined && hashes === undefined && !nameless.test(text)) return { metadata };
  if (ownHash(text, stated, checksum) !== checksum)
    throw changed("its header does not match its checksum", file);
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
