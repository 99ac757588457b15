/** How elements lie in memory, by what a buffer holds: the instructions for one, for a lane, for neighbours. */
import { bug } from "../../../diagnostics/index.ts";
import type { NativeName } from "../../../formats/index.ts";
import type { Buffer, Element } from "../../kernel/ir.ts";
import type { Code } from "./code.ts";
import { roundBfloats, roundHalves, widenBfloats, widenHalves } from "./halves.ts";

export interface MemoryType {
  /** An element's bytes as a power of two, which is its alignment as well. */
  readonly shift: number;
  readonly load: string;
  readonly store: string;
  readonly loadLane: string;
  readonly storeLane: string;
  /** The numbers of the four threads' lanes for these. */
  readonly places: readonly number[];
  /** Neighbours of four threads. */
  readonly loadFour: string;
  /** What is computed with, of patterns in the lanes of a vector, and of one. */
  readonly widen?: (code: Code) => void;
  readonly widenOne?: (code: Code) => void;
  /** Patterns of what was computed. */
  readonly round?: (code: Code) => void;
}

const words = {
  shift: 2,
  loadLane: "v128.load32_lane",
  storeLane: "v128.store32_lane",
  places: [0, 1, 2, 3],
  loadFour: "v128.load",
} as const;

const whole: MemoryType = { ...words, load: "i32.load", store: "i32.store" };
/** Booleans are any bits or none. */
const bool: MemoryType = {
  ...whole,
  widen(code) {
    code.patterns(0);
    code.op("i32x4.ne");
  },
  widenOne(code) {
    code.i32(0);
    code.op("i32.ne");
  },
};

/** Numbers of 16 bits. */
function narrow(widen: (code: Code) => void, round: (code: Code) => void): MemoryType {
  return {
    shift: 1,
    load: "i32.load16_u",
    store: "i32.store16",
    loadLane: "v128.load16_lane",
    storeLane: "v128.store16_lane",
    places: [0, 2, 4, 6],
    loadFour: "v128.load64_zero",
    widen,
    widenOne(code) {
      code.op("i32x4.splat");
      widen(code);
      code.op("f32x4.extract_lane", 0);
    },
    round,
  };
}

const memoryTypes: Partial<Record<Element, MemoryType>> = {
  f32: { ...words, load: "f32.load", store: "f32.store" },
  i32: whole,
  u32: whole,
  bool,
  f16: narrow(widenHalves, roundHalves),
  bf16: narrow(widenBfloats, roundBfloats),
} satisfies Record<NativeName | "bool", MemoryType>;

export const memoryTypeOf = ({ scalar }: Buffer): MemoryType =>
  memoryTypes[scalar] ?? bug(`${scalar} in memory`);

/** Of an array that each of four threads has for itself: the threads' elements lie side by side. */
export const ownShift = 4;

/** Whether elements are half words, which lie in the lower halves of lanes. */
export const isNarrow = ({ shift }: MemoryType): boolean => shift === 1;
