/** What a file is, by its first bytes: extensions lie, and downloads fail in recognisable ways. */
import { peftSettings } from "./foreign-adapters.ts";

export type Container =
  | { readonly format: "safetensors" }
  | { readonly format: "torch" }
  /** Not readable; `looks` and `help` say what it seems to be and what to do. */
  | { readonly format: "unknown"; readonly looks: string; readonly help: string };

/** How many of the first bytes `detect` wants. */
export const detectBytes = 512;

/** Recognises a checkpoint by its first bytes and the size of the file. */
export function detect(head: Uint8Array, size: number): Container {
  if (size === 0) return unknown("is empty", "the download or copy did not happen: fetch it again");
  // One character per byte, so that patterns can name bytes.
  const text = String.fromCharCode(...head);
  // A safetensors file has no signature: its header's length, then the brace that opens the JSON.
  const header = head.byteLength < 9 ? Number.POSITIVE_INFINITY : headerLength(head);
  if (text[8] === "{" && 8 + header <= size) return { format: "safetensors" };
  if (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06")) return { format: "torch" };
  const known = recognise(text);
  if (known) return unknown(...known);
  // Damaged or cut short, but meant to be one.
  if (text[8] === "{" || header <= size) return { format: "safetensors" };
  const start = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  return unknown(
    `starts with the bytes ${start.join(" ")}, which no format that inarch knows does`,
    "give a .safetensors file, or a .pth or .pt file written by torch.save",
  );
}

const unknown = (looks: string, help: string): Container => ({ format: "unknown", looks, help });

function headerLength(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, 8);
  return Number(view.getBigUint64(0, true));
}

const resave = 'in Python, with a current PyTorch: torch.save(torch.load(path), "weights.pth")';
const torchMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
const convert = "convert it to safetensors with the library that wrote it";

type Recognised = readonly [looks: string, help: string];

/** By the bytes at the start, one character each; `@257` moves to that offset. */
const signatures: readonly (readonly [starts: readonly string[], ...Recognised])[] = [
  [[torchMagic], "is a checkpoint of PyTorch before 1.6, whose format was one long pickle", resave],
  [["@257ustar"], "is a tar archive (unpack it), or a checkpoint of PyTorch before 0.2", resave],
  [
    ["\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"],
    "is a bare pickle, which may run any code when Python loads it",
    resave,
  ],
  [
    ["version https://git-lfs"],
    "is a Git LFS pointer: the name of the weights, not the weights",
    "type: git lfs pull",
  ],
  [["\x89HDF"], "is an HDF5 file (Keras)", convert],
  [["GGUF"], "is a GGUF file", convert],
  [["\x93NUMPY"], "is a NumPy array", convert],
  [["\x1f\x8b", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd"], "is compressed", "unpack it first"],
  [
    ["\x89PNG", "\xff\xd8\xff", "GIF8", "RIFF"],
    "is a picture",
    "--weights takes the checkpoint, a file .pth or .safetensors",
  ],
];

/** By the text at the start. */
const texts: readonly (readonly [pattern: RegExp, ...Recognised])[] = [
  [
    /^\s*(?:<!doctype|<html|<\?xml)/i,
    "is a web page: the download was answered with an error or a login",
    "fetch the file itself: what was saved is a page, not the weights",
  ],
  [peftSettings.pattern, peftSettings.looks, peftSettings.help],
  [
    /^\s*\{.*"weight_map"/s,
    "is the index of a checkpoint in several files",
    "open it by its path with openWeightsFile, beside its files",
  ],
  [
    /^\s*[{[]\s*["{[\d\]}]/,
    "is JSON, perhaps a configuration",
    "give the file with the weights; a configuration goes to --config",
  ],
];

function recognise(text: string): Recognised | undefined {
  for (const [starts, looks, help] of signatures) {
    for (const start of starts) {
      const [, offset = "0", bytes = start] = /^@(\d+)(.*)/.exec(start) ?? [];
      if (text.startsWith(bytes, Number(offset))) return [looks, help];
    }
  }
  for (const [pattern, looks, help] of texts) if (pattern.test(text)) return [looks, help];
  return undefined;
}
