/** Patterns of parameter paths: `*` is one part or a piece of one, `**` any number of parts. */

/** `image_encoder.blocks.*.attn.qkv`, `**.bias`, `mask_decoder.**`. */
export const matchesPath = (pattern: string, path: string): boolean =>
  matches(pattern.split("."), path.split("."));

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === "**") return path.some((_, i) => matches(rest, path.slice(i))) || matches(rest, []);
  return path.length > 0 && matchesPart(first, path[0]!) && matches(rest, path.slice(1));
}

const matchesPart = (pattern: string, part: string): boolean =>
  pattern === "*" ||
  new RegExp(
    `^${pattern
      .split("*")
      .map((s) => s.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  ).test(part);

/** Whether the last pattern that matches a path says yes; `!` before a pattern says no. */
export const selects = (patterns: readonly string[], path: string, otherwise = false): boolean =>
  patterns.reduce((chosen, pattern) => {
    const no = pattern.startsWith("!");
    return matchesPath(no ? pattern.slice(1) : pattern, path) ? !no : chosen;
  }, otherwise);
