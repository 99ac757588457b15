/** What is compared with what: data, from which rounds, checks and tables are made. */

/** A program that is ready to run. */
export interface Runner {
  /** Once, from inputs on the host to the whole result on the host. */
  run(): Promise<Float32Array>;
  /** What a reader of the table ought to know that shows only when it is opened. */
  readonly facts?: string;
  close(): void | Promise<void>;
}

export interface Contestant {
  /** What tables call it; unique within a comparison. */
  readonly name: string;
  /** Contestants that name the same process share it: ours by default, each peer has its own. */
  readonly process: string;
  /** Called in that process. */
  open(): Promise<Runner>;
}

/** A ratio of interest: the time of one contestant divided by that of another. */
export interface Pair {
  readonly of: string;
  readonly to: string;
}

/** Results of two contestants that must be equal, element by element, to `tolerance`. */
export interface Agreement extends Pair {
  readonly tolerance: number;
}

export interface Comparison {
  /** Unique: "matmul 1024 x 1024 x 1024". */
  readonly name: string;
  /** What `--only` selects, beside the name itself. */
  readonly group: Group;
  /** Timed in every round, the first of them twice: that is the A/A row. */
  readonly contestants: readonly [Contestant, ...Contestant[]];
  /** Run once, for its result alone. */
  readonly checks?: readonly Contestant[];
  readonly pairs: readonly Pair[];
  readonly agreements: readonly Agreement[];
  /** Milliseconds between runs, so that nobody's end is another's beginning; 10 unless given. */
  readonly pause?: number;
  /** Left out unless `--only` names it: it takes too long for every run. */
  readonly onlyByName?: boolean;
  /** What a reader of the table must know. */
  readonly note?: string;
}

export const groups = [
  "matmul",
  "attention",
  "encoder-224",
  "encoder-512",
  "vit-b-512",
  "adapters",
  "step",
] as const;

export type Group = (typeof groups)[number];

/** Whether peers must be installed for it. */
export const needsPeers = ({ contestants, checks = [] }: Comparison): boolean =>
  [...contestants, ...checks].some((c) => c.process !== ours);

/** The process of what is ours. */
export const ours = "inarch";
