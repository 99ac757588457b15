/**
 * Faults that were mended, to be put back one at a time: the fuzzer must find each. A change names text
 * that stands exactly once in a file, and what it is instead.
 */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Fault {
  readonly name: string;
  readonly changes: readonly Change[];
  /** The kind of cases that finds it, and the seed of a case that does. */
  readonly kind: "graphs" | "calls" | "files";
  readonly seed: number;
}

export const faults: readonly Fault[] = [
  {
    name: "a state that is only written is none",
    changes: [
      {
        file: "compiler/graph/graph.ts",
        find: 'graphOf(outputs, "inputs first", states)',
        replace: 'graphOf(outputs, "inputs first")',
      },
    ],
    kind: "graphs",
    seed: 0,
  },
  {
    name: "programs have states of their own",
    changes: [
      {
        file: "runtime/programs.ts",
        find: "shared: { ...shared, release },",
        replace: "",
      },
    ],
    kind: "calls",
    seed: 0,
  },
  {
    name: "states begin as zeros",
    changes: [
      {
        file: "runtime/states.ts",
        find: 'init?.kind === "constant" ? init.value : 0',
        replace: "0",
      },
    ],
    kind: "calls",
    seed: 0,
  },
];
