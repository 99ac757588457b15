/** Makes a failing case smaller, as long as it fails in the same way. */

export interface Shrinking<C> {
  /** Smaller cases, those that cut away most first. */
  readonly smaller: (of: C) => Iterable<C>;
  /** The words of the failure, or undefined where there is none. */
  readonly failure: (of: C) => Promise<string | undefined>;
  /** What two failures share that are the same one. */
  readonly sameness: (words: string) => string;
  /** Milliseconds that it may take. */
  readonly patience: number;
}

export async function shrink<C>(
  first: C,
  words: string,
  { smaller, failure, sameness, patience }: Shrinking<C>,
): Promise<{ readonly least: C; readonly words: string }> {
  const end = performance.now() + patience;
  let [least, said] = [first, words];
  for (let found = true; found; ) {
    found = false;
    for (const one of smaller(least)) {
      if (performance.now() > end) return { least, words: said };
      const now = await failure(one);
      if (now === undefined || sameness(now) !== sameness(words)) continue;
      [least, said, found] = [one, now, true];
      break;
    }
  }
  return { least, words: said };
}
