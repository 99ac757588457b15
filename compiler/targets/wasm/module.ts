/**
 * A module of one kernel: it imports the device's memory, and exports one function and how many bytes of
 * scratch memory a call of it needs.
 */
import { unsigned, type ValueType, valueTypes } from "./instructions.ts";

export interface ModuleParts {
  /** How many parameters the function has, all of them `i32`. */
  readonly params: number;
  /** The types of its other locals, in their order. */
  readonly locals: readonly ValueType[];
  /** Its instructions, without the last `end`. */
  readonly code: readonly number[];
  readonly scratchBytes: number;
}

/** The names by which the device finds what a module has. */
const names = { run: "run", scratch: "scratch", from: "inarch", memory: "memory" } as const;

export function moduleBytes({ params, locals, code, scratchBytes }: ModuleParts): Uint8Array {
  const { i32 } = valueTypes;
  const declared = vector(runs(locals));
  const bodyBytes = declared.length + code.length + 1;
  const body = [1, ...unsigned(bodyBytes), ...declared];
  const begin = [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector(Array(params).fill([i32])), 0]])),
    // A memory of any size.
    ...section(2, vector([[...text(names.from), ...text(names.memory), 2, 0, 0]])),
    ...section(3, vector([[0]])),
    ...section(6, vector([[i32, 0, 0x41, ...signedSize(scratchBytes), 0x0b]])),
    ...section(
      7,
      vector([
        [...text(names.run), 0, 0],
        [...text(names.scratch), 3, 0],
      ]),
    ),
    ...[10, ...unsigned(body.length + code.length + 1), ...body],
  ];
  const bytes = new Uint8Array(begin.length + code.length + 1);
  bytes.set(begin);
  bytes.set(code, begin.length);
  bytes[bytes.length - 1] = 0x0b;
  return bytes;
}

/** Locals are declared as counts of one type after another. */
function runs(locals: readonly ValueType[]): number[][] {
  const counts: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = counts.at(-1);
    if (last?.type === type) last.count++;
    else counts.push({ type, count: 1 });
  }
  return counts.map(({ type, count }) => [...unsigned(count), valueTypes[type]]);
}

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];

const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

const text = (of: string): number[] => vector(Array.from(of, (c) => [c.charCodeAt(0)]));

/** A size as a signed number: its highest bit of seven must be 0. */
function signedSize(bytes: number): number[] {
  const all = unsigned(bytes);
  const last = all.at(-1)!;
  return last < 0x40 ? all : [...all.slice(0, -1), last | 0x80, 0];
}
