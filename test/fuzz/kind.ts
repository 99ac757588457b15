/** A kind of cases: graphs, calls, files. */
export interface Kind<C> {
  readonly name: string;
  /** The case of a seed: always the same. */
  draw(seed: number): C;
  /** What is wrong with a case, in a line; undefined: nothing. */
  fault(of: C): Promise<string | undefined>;
  smaller(of: C): Iterable<C>;
  /** A few lines to paste. */
  show(of: C): string;
  /** What two failures share that are the same one. */
  sameness(words: string): string;
  /** What a case has tried, by what is counted. */
  covered(of: C): Readonly<Record<string, readonly string[]>>;
  /** All that there is to try. */
  readonly all: Readonly<Record<string, readonly string[]>>;
}
