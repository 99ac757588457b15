/** Settings of an adapter from the command line. */
import { diagnose } from "../../diagnostics/index.ts";

/**
 * `["alpha=6", "parts=q,v"]` -> `{ alpha: 6, parts: ["q", "v"] }`: a number, a word, or a list with commas;
 * `parts=q,` is a list of one. Errors: E503.
 */
export function parseSettings(
  values: readonly string[],
  method: string | undefined,
): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const value of values) {
    const [, name, text] = /^([A-Za-z_]\w*)=(.+)$/.exec(value.trim()) ?? [];
    if (name === undefined || text === undefined || method === undefined || name in settings)
      throw diagnose("E503", {
        message:
          method === undefined
            ? `--setting ${value} is of a method, and none is given`
            : `--setting cannot be "${value}"${name !== undefined && name in settings ? " as well" : ""}`,
        help:
          method === undefined
            ? "add --method NAME; a model's file makes its adapters itself"
            : "give a name and a value, each name once: --setting alpha=6 --setting parts=q,v",
      });
    const parts = text.split(",").map((part) => part.trim());
    const list = parts.filter((part, i) => part !== "" || i < parts.length - 1).map(numberOrWord);
    settings[name] = parts.length > 1 ? list : list[0];
  }
  return settings;
}

/** A number where it is one. */
const numberOrWord = (text: string): string | number =>
  /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
