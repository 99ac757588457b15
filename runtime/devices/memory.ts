/** Memory of the reference device: every access is checked, and writers are remembered. */
import { diagnose } from "../../diagnostics/index.ts";

/** The time of an access: barrier intervals within a group, groups within a dispatch. */
export interface Clock {
  interval: number;
  group: number;
  /** The last access of a whole subgroup: a number below those of threads, new each time. */
  collective: number;
}

/** Below every mark in a log of accesses. */
export const firstCollective = -10;

export interface Memory {
  read(i: number, me: number): number;
  write(i: number, value: number, me: number): void;
}

/** What a store makes of a number. */
export type Rounding = (value: number) => number;

export const exact: Rounding = (value) => value;

interface Name {
  readonly name: string;
  readonly kernel: string;
}

/** A tensor that a kernel is bound to. Only what the kernel writes can race. */
export function tensorMemory(
  of: Name,
  data: Float64Array,
  written: Uint8Array,
  rules: { readonly tracked: boolean; readonly round: Rounding },
  clock: Clock,
): Memory {
  const checked = plainMemory(of, data, written, rules.round);
  return rules.tracked ? tracked(of, checked, data.length, clock) : checked;
}

export const sharedMemory = (of: Name, size: number, round: Rounding, clock: Clock): Memory =>
  tracked(of, plainMemory(of, new Float64Array(size), new Uint8Array(size), round), size, clock);

export const localMemory = (of: Name, size: number, round: Rounding): Memory =>
  plainMemory(of, new Float64Array(size), new Uint8Array(size), round);

/** Bounds, and reads of what nobody wrote. */
function plainMemory(of: Name, data: Float64Array, written: Uint8Array, round: Rounding): Memory {
  const bounds = (verb: string, i: number) => {
    if (!(i >= 0 && i < data.length && Number.isInteger(i)))
      strict(`${verb} ${of.name}[${i}] is out of bounds (size ${data.length})`, of.kernel);
  };
  return {
    read(i) {
      bounds("read", i);
      if (!written[i]) strict(`read ${of.name}[${i}] before any write`, of.kernel);
      return data[i]!;
    },
    write(i, value) {
      bounds("write", i);
      data[i] = round(value);
      written[i] = 1;
    },
  };
}

const several = -2;

/** Races: two threads at one place, at least one writing, with no barrier between. */
function tracked(of: Name, memory: Memory, size: number, clock: Clock): Memory {
  const log = () => ({
    by: new Int32Array(size).fill(-1),
    at: new Int32Array(size).fill(-1),
    group: new Int32Array(size).fill(-1),
  });
  const [reads, writes] = [log(), log()];
  const clash = (l: ReturnType<typeof log>, i: number, me: number) =>
    (l.group[i]! >= 0 && l.group[i] !== clock.group) ||
    l.group[i] === several ||
    (l.at[i] === clock.interval && l.by[i] !== me);
  const note = (l: ReturnType<typeof log>, i: number, me: number) => {
    l.by[i] = l.at[i] === clock.interval && l.by[i] !== me ? several : me;
    l.at[i] = clock.interval;
    const before = l.group[i]!;
    l.group[i] = before !== -1 && before !== clock.group ? several : clock.group;
  };
  const race = (verb: string, i: number, me: number, other: string) =>
    strict(
      `race: thread ${me} ${verb} ${of.name}[${i}], ${other} with no barrier between`,
      of.kernel,
    );
  return {
    read(i, me) {
      const value = memory.read(i, me);
      if (clash(writes, i, me)) race("reads", i, me, "written by another thread");
      note(reads, i, me);
      return value;
    },
    write(i, value, me) {
      if (clash(writes, i, me)) race("writes", i, me, "written by another thread");
      if (clash(reads, i, me)) race("writes", i, me, "read by another thread");
      memory.write(i, value, me);
      note(writes, i, me);
    },
  };
}

/** The device's objection. Kernels are ours, so it is a bug of ours or of an op's author. */
export function strict(message: string, kernel: string): never {
  throw diagnose("E450", {
    message,
    where: `kernel ${kernel}`,
    help: "a kernel breaks the rules of kernel IR; see compiler/kernel/ir.ts",
  });
}
