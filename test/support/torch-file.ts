/**
 * Writes PyTorch checkpoints for tests, without PyTorch: a small pickle writer and a small zip
 * writer. Both can write what a correct program would not, so that readers can be tested against
 * it.
 */
import { crc32 } from "../../runtime/weights/crc32.ts";

/** What a pickle is made of. A function of names is `{ global }`, a call is `{ call, args }`. */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | { readonly tuple: readonly Picklable[] }
  | { readonly list: readonly Picklable[] }
  | { readonly dict: readonly (readonly [Picklable, Picklable])[] }
  | { readonly global: string }
  | { readonly call: Picklable; readonly args: readonly Picklable[] }
  | { readonly build: Picklable; readonly state: Picklable }
  | { readonly persistent: Picklable }
  /** Opcodes as they are. */
  | { readonly raw: readonly number[] };

/** A pickle of protocol 2. */
export function pickle(value: Picklable): Uint8Array {
  return Uint8Array.from([0x80, 2, ...encode(value), 0x2e]);
}

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
  /** The storage's type, such as "FloatStorage". */
  readonly type: string;
  readonly key: string;
  /** Elements that the pickle claims for the storage. */
  readonly elements: number;
}

/** The call that rebuilds a tensor. */
export function tensorCall({
  shape,
  strides,
  offset,
  type,
  key,
  elements,
}: StoredTensor): Picklable {
  const rowMajor = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const storage: Picklable = {
    persistent: { tuple: ["storage", { global: `torch ${type}` }, key, "cpu", elements] },
  };
  const hooks: Picklable = { call: { global: "collections OrderedDict" }, args: [] };
  return {
    call: { global: "torch._utils _rebuild_tensor_v2" },
    args: [storage, offset ?? 0, { tuple: shape }, { tuple: strides ?? rowMajor }, false, hooks],
  };
}

/** An ordered dict with the attributes that `state_dict()` gives it. */
export function stateDict(entries: readonly (readonly [string, Picklable])[]): Picklable {
  const dict = {
    call: { global: "collections OrderedDict" },
    args: [{ list: entries.map((pair) => ({ tuple: pair })) }],
  };
  return {
    build: dict,
    state: { dict: [["_metadata", { dict: [["", { dict: [["version", 1]] }]] }]] },
  };
}

export interface ZipPart {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
}

/**
 * Stored entries; contents start at multiples of 64 bytes as PyTorch has it. `wide` adds the 64-bit
 * records and puts sizes and offsets into 64-bit fields; `descriptors` puts sizes behind the
 * contents.
 */
export function zip(
  parts: readonly ZipPart[],
  style: { readonly wide?: true; readonly descriptors?: true; readonly comment?: string } = {},
): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  const directory: number[] = [];
  for (const { name, content, method = 0, flags = 0 } of parts) {
    const start = out.length;
    const bytes = utf8(name);
    const [crc, size] = [crc32(content), content.length];
    const used = flags | (style.descriptors ? 8 : 0);
    const padding = (64 - ((start + 30 + bytes.length + 4) % 64)) % 64;
    const extra = [0x46, 0x42, ...u16(padding), ...new Array<number>(padding).fill(0x5a)];
    const local = style.descriptors ? [0, 0, 0] : [crc, size, size];
    out.push(...u32(0x04034b50), ...u16(20), ...u16(used), ...u16(method), ...u32(0));
    out.push(...local.flatMap(u32), ...u16(bytes.length), ...u16(extra.length), ...bytes, ...extra);
    for (const byte of content) out.push(byte);
    const descriptor = style.wide ? [...u64(size), ...u64(size)] : [...u32(size), ...u32(size)];
    if (style.descriptors) out.push(...u32(0x08074b50), ...u32(crc), ...descriptor);
    const wide = style.wide
      ? [...u16(1), ...u16(24), ...u64(size), ...u64(size), ...u64(start)]
      : [];
    const narrow = style.wide ? [0xffffffff, 0xffffffff] : [size, size];
    directory.push(
      ...u32(0x02014b50),
      ...u16(20),
      ...u16(20),
      ...u16(used),
      ...u16(method),
      ...u32(0),
    );
    directory.push(...u32(crc), ...narrow.flatMap(u32), ...u16(bytes.length), ...u16(wide.length));
    directory.push(...u16(0), ...u16(0), ...u16(0), ...u32(0));
    directory.push(...u32(style.wide ? 0xffffffff : start), ...bytes, ...wide);
  }
  const start = out.length;
  const count = parts.length;
  out.push(...directory);
  if (style.wide) {
    const end = out.length;
    out.push(...u32(0x06064b50), ...u64(44), ...u16(45), ...u16(45), ...u32(0), ...u32(0));
    out.push(...u64(count), ...u64(count), ...u64(directory.length), ...u64(start));
    out.push(...u32(0x07064b50), ...u32(0), ...u64(end), ...u32(1));
  }
  const comment = utf8(style.comment ?? "");
  const [size, at] = style.wide ? [0xffffffff, 0xffffffff] : [directory.length, start];
  out.push(...u32(0x06054b50), ...u16(0), ...u16(0), ...u16(count), ...u16(count));
  out.push(...u32(size), ...u32(at), ...u16(comment.length), ...comment);
  return Uint8Array.from(out);
}

/** A whole checkpoint: the pickle, and the storages by key. */
export function torchFile(
  value: Picklable,
  storages: Readonly<Record<string, ArrayBufferView>> = {},
  style: Parameters<typeof zip>[1] & { readonly byteorder?: string } = {},
): Uint8Array<ArrayBuffer> {
  const parts: ZipPart[] = [{ name: "model/data.pkl", content: pickle(value) }];
  if (style.byteorder) parts.push({ name: "model/byteorder", content: utf8(style.byteorder) });
  for (const [key, view] of Object.entries(storages)) {
    const content = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    parts.push({ name: `model/data/${key}`, content });
  }
  return zip([...parts, { name: "model/version", content: utf8("3\n") }], style);
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const littleEndian = (bytes: number) => (value: number) =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);
const u16 = littleEndian(2);
const u32 = littleEndian(4);
const u64 = littleEndian(8);

function encode(value: Picklable): number[] {
  if (value === null) return [0x4e];
  if (value === true) return [0x88];
  if (value === false) return [0x89];
  if (typeof value === "string") {
    const bytes = [...utf8(value)];
    return [0x58, ...u32(bytes.length), ...bytes];
  }
  if (typeof value === "number") return encodeNumber(value);
  if ("tuple" in value) return [0x28, ...value.tuple.flatMap(encode), 0x74];
  if ("list" in value) return [0x5d, 0x28, ...value.list.flatMap(encode), 0x65];
  if ("dict" in value)
    return [0x7d, 0x28, ...value.dict.flatMap((pair) => pair.flatMap(encode)), 0x75];
  if ("global" in value) {
    const [module, name] = value.global.split(" ");
    return [0x63, ...utf8(`${module}\n${name}\n`)];
  }
  if ("call" in value) return [...encode(value.call), ...encode({ tuple: value.args }), 0x52];
  if ("build" in value) return [...encode(value.build), ...encode(value.state), 0x62];
  if ("persistent" in value) return [...encode(value.persistent), 0x51];
  return [...value.raw];
}

function encodeNumber(value: number): number[] {
  if (!Number.isInteger(value)) {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return [0x47, ...new Uint8Array(view.buffer)];
  }
  if (value >= 0 && value < 2 ** 31) return [0x4a, ...u32(value)];
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt(value), true);
  return [0x8a, 8, ...new Uint8Array(view.buffer)];
}
