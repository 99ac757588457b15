/**
 * Plans as JSON. Kernels that are bytes become `{ "bytes": base64 }` on the way there, and bytes on the
 * way back; all else in a plan is JSON already. For plans of training as well, which hold several.
 */
import type { Plan } from "../compiler/plan.ts";

/** The plan format that this runtime reads. */
export const planFormat: Plan["format"] = 4;

/** For `JSON.stringify(plan, bytesToJson)`. */
export function bytesToJson(this: unknown, key: string, value: unknown): unknown {
  // Not `value`: Node's Buffer has turned itself into something else by now.
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? { bytes: toBase64(original) } : value;
}

/** For `JSON.parse(text, bytesFromJson)`. */
export function bytesFromJson(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [name, ...others] = Object.keys(value);
  const { bytes } = value as { bytes?: unknown };
  return name === "bytes" && others.length === 0 && typeof bytes === "string"
    ? fromBase64(bytes)
    : value;
}

/** `btoa` takes characters, and a call takes no more arguments than a stack holds. */
const piece = 8192;

function toBase64(bytes: Uint8Array): string {
  let characters = "";
  for (let i = 0; i < bytes.length; i += piece)
    characters += String.fromCharCode(...bytes.subarray(i, i + piece));
  return btoa(characters);
}

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
