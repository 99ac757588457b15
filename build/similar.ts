/**
 * An order in which like texts are neighbours. What compresses a module remembers 32 kilobytes: kernels of one op in
 * several sizes differ in a few lines, and cost little where they follow one another.
 */

/** The texts from the first on, after each the one that shares most with it. The same texts give the same order. */
export function bySimilarity(texts: readonly string[]): readonly string[] {
  const lines = new Map(texts.map((text) => [text, new Set(text.split("\n"))]));
  const left = new Set(texts);
  const ordered: string[] = [];
  let [next] = texts;
  while (next !== undefined) {
    ordered.push(next);
    left.delete(next);
    next = closest(lines.get(next)!, left, lines);
  }
  return ordered;
}

function closest(
  to: ReadonlySet<string>,
  among: Iterable<string>,
  lines: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  let best: string | undefined;
  let most = -1;
  for (const text of among) {
    const own = lines.get(text)!;
    const shared = lengthOf([...own].filter((line) => to.has(line)));
    const likeness = shared / (lengthOf(own) + lengthOf(to) - shared + 1);
    if (likeness <= most) continue;
    most = likeness;
    best = text;
  }
  return best;
}

const lengthOf = (lines: Iterable<string>): number => {
  let sum = 0;
  for (const line of lines) sum += line.length;
  return sum;
};
