/** A command: a line about it, its arguments, and what it does with them. Each file of cli/ exports one. */
import type { ProgressDisplay } from "../../runtime/node/progress.ts";

interface Described {
  /** What `--help` says of it. */
  readonly description: string;
}

/** By its place in the line, always needed; the last one may take all that follow. */
export interface Positional extends Described {
  readonly type: "positional";
  readonly repeated?: boolean;
}

/** `--name VALUE`, or `-n VALUE` where it has a letter. */
export interface Text extends Described {
  readonly type: "string";
  /** What `--help` prints in place of the value. */
  readonly valueHint?: string;
  readonly letter?: string;
  readonly required?: boolean;
  readonly default?: string;
  /** Whether it may be given several times: all values count. Otherwise the last one does. */
  readonly repeated?: boolean;
}

/** `--name VALUE`, where the value is one of a few. */
export interface Choice extends Described {
  readonly type: "enum";
  readonly options: readonly string[];
  readonly default?: string;
  /** What options were called before, with what they are called now. */
  readonly formerly?: Readonly<Record<string, string>>;
  /** Options of which there may be several: `cuda:1` is the second. */
  readonly numbered?: readonly string[];
}

/** `--name`; where it is on unless told, `--no-name`. */
export interface Switch extends Described {
  readonly type: "boolean";
  readonly default?: boolean;
}

export type Argument = Positional | Text | Choice | Switch;

/** By name, in the order in which `--help` lists them and in which positional ones are given. */
export type Arguments = Readonly<Record<string, Argument>>;

type Value<A extends Argument> = A extends { readonly repeated: true }
  ? readonly string[]
  : A extends { readonly type: "boolean" }
    ? boolean
    :
        | (A extends { readonly options: readonly (infer T)[] } ? T : string)
        | (A extends
            | { readonly type: "positional" }
            | { readonly required: true }
            | { readonly default: string }
            ? never
            : undefined);

/** The values that were given, or the defaults. */
export type Given<A extends Arguments> = { readonly [Name in keyof A]: Value<A[Name]> };

export interface Command<A extends Arguments = Arguments> {
  /** A line for `inarch --help`. */
  readonly description: string;
  /** Besides `--json`, which all have. A function where only what the command runs knows them. */
  readonly args: A | (() => Promise<A>);
  /**
   * Loads what it needs by itself, so that `inarch --help` is fast. Mistakes and failures are thrown.
   */
  run(given: Given<A>, terminal: Terminal): Promise<Outcome>;
}

/** Where a command speaks before its end. With `--json` nothing is seen of it. */
export interface Terminal {
  readonly progress: ProgressDisplay;
  /** A line of the text that people read. */
  print(line: string): void;
}

export interface Outcome {
  /** What `--json` prints; bytes in it are base64. */
  readonly report: unknown;
  /** What people read instead. */
  readonly text: string;
  /** 0 unless given. */
  readonly exitCode?: number;
  /** Whether nothing is printed: another process of the same job tells it. */
  readonly isQuiet?: boolean;
}

/** Gives `run` the types of the arguments. */
export const defineCommand = <const A extends Arguments>(command: Command<A>): Command<A> =>
  command;

/** With `--json`, in the command's own words where it has some. */
export async function argumentsOf({ args }: Command): Promise<Arguments> {
  const own: Arguments = typeof args === "function" ? await args() : args;
  return { ...own, json: own.json ?? { type: "boolean", description: "print the result as JSON" } };
}
