/** What a picture's file is, before a decoder sees it. */
import { diagnose } from "../../diagnostics/index.ts";
import { type Decoded, kindOfFile, type Other } from "./format.ts";

export interface Meaning {
  readonly kind: Decoded;
}

/** What a file is and what its samples mean. Errors: E300, E303, E305, E307. */
export function meaningOf(bytes: Uint8Array, where: string | undefined): Meaning {
  if (bytes.length === 0)
    throw diagnose("E305", { message: "the image file is empty (0 bytes)", where });
  const kind = kindOfFile(bytes);
  if (kind === undefined)
    throw diagnose("E303", {
      message: `this is not an image: ${bytes.length} bytes that begin with ${beginning(bytes)}`,
      where,
      help: "give a PNG or a JPEG file",
    });
  if (typeof kind !== "string") throw notRead(kind, where);
  if (kind === "png") checkPngSize(bytes, where);
  return { kind };
}

const notRead = ({ words, help }: Other, where: string | undefined) =>
  diagnose("E303", {
    message: `this is ${words}: it is not read`,
    where,
    help: `${help}; PNG, JPEG, WebP, TIFF, GIF and AVIF are read`,
  });

/** The decoder calls a PNG without pixels corrupt; it is worth a better word. */
function checkPngSize(bytes: Uint8Array, where: string | undefined): void {
  if (bytes.length < 24) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width > 0 && height > 0) return;
  throw diagnose("E300", {
    message: `the PNG header says ${width} x ${height} pixels (bytes 16 to 23)`,
    where,
    help: "save the image again: it has no pixels",
  });
}

const beginning = (bytes: Uint8Array) =>
  JSON.stringify(String.fromCharCode(...bytes.subarray(0, 16)).replace(/[^\x20-\x7e]/g, "."));
