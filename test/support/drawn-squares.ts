/** Pictures of bright squares on dark ground, elsewhere in each, and masks of them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { colour, grey, png } from "./image-files.ts";

export const [width, height] = [24, 20];

/**
 * Writes `0.png`, `1.png` and so on into both folders, which it makes. In masks 1 is a square, 2 what is below it,
 * 0 the rest; a column of 9 counts nowhere.
 */
export function drawSquares(pictures: string, masks: string, count: number): void {
  for (const path of [pictures, masks]) mkdirSync(path);
  for (let i = 0; i < count; i++) {
    const isInside = (x: number, y: number) => Math.abs(x - 5 - 2 * i) < 5 && Math.abs(y - 10) < 6;
    const rows = (value: (x: number, y: number) => number[]) =>
      Array.from({ length: height }, (_, y) =>
        Array.from({ length: width }, (_x, x) => value(x, y)).flat(),
      );
    const picture = rows((x, y) => (isInside(x, y) ? [230, 200, 40 + x] : [30, 40 + y, 60]));
    writeFileSync(join(pictures, `${i}.png`), png(width, 8, colour, picture));
    const mask = rows((x, y) => [x === 23 ? 9 : isInside(x, y) ? 1 : y > 17 ? 2 : 0]);
    writeFileSync(join(masks, `${i}.png`), png(width, 8, grey, mask));
  }
}
