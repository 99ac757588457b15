/** The flag --tile: pictures in overlapping tiles. */
import { flagReaders } from "./values.ts";

export const tileFlag = {
  type: "string",
  valueHint: "SIDE[,OVERLAP]",
  description: "see pictures in overlapping tiles, in pixels; a quarter overlaps unless given",
} as const;

/** @throws E370 for what is no side of a tile. */
export function tilesOf(command: string, text: string | undefined) {
  if (text === undefined) return undefined;
  const [, side, overlap] = /^(\d+)(?:,(\d+))?$/.exec(text.trim()) ?? [];
  if (side !== undefined)
    return { side: Number(side), overlap: overlap === undefined ? undefined : Number(overlap) };
  throw flagReaders(command).misused(
    `--tile cannot be "${text}"`,
    "give the side of a tile, and what neighbours share: --tile 1024,256",
  );
}
