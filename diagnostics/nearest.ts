/** The likeliest meaning of a name that was mistyped, for the help of an error. */

/** The known name that is reached with the fewest edits, or `undefined` when none is known. */
export function nearest(wanted: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = editDistance(wanted.slice(0, longest), name.slice(0, longest));
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
}

/** The known name that is nearest to `typed`, case apart, if it is near enough to be meant. */
export function meant(typed: string, known: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  const names = [...known];
  const best = nearest(
    wanted,
    names.map((name) => name.toLowerCase()),
  );
  if (best === undefined || editDistance(wanted, best) > Math.max(2, typed.length / 2))
    return undefined;
  return names.find((name) => name.toLowerCase() === best);
}

/** Longer names are compared by their beginnings: the work grows with the square. */
const longest = 200;

/** The fewest characters to insert, delete or replace to make one text of the other. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
