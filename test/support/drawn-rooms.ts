/** Pictures of balls before a wall, on a floor, with labels, depth and normals; a task is missing of most. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { colour, grey, png, wide } from "./image-files.ts";

export interface Rooms {
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

export const roomClasses = ["wall", "floor", "ball"];

interface Point {
  readonly label: number;
  /** Metres. */
  readonly depth: number;
  readonly normal: readonly [x: number, y: number, z: number];
}

/** What is seen at a place from 0 to 1 of room `i`. */
function pointAt(i: number, x: number, y: number): Point {
  const draw = (k: number) => (Math.sin(12.9898 * (i + 1) + 78.233 * k) * 43758.5453) % 1;
  const [centre, radius] = [0.5 + 0.3 * draw(1), 0.2 + 0.06 * draw(2)];
  const [horizon, level] = [0.55 + 0.1 * draw(3), 0.55 + 0.12 * draw(4)];
  const [right, down] = [(x - centre) / radius, (y - level) / radius];
  const near = Math.sqrt(1 - right ** 2 - down ** 2);
  if (near > 0) return { label: 2, depth: 1.6 - 0.4 * near, normal: [right, down, -near] };
  if (y > horizon)
    return { label: 1, depth: 3 - (2 * (y - horizon)) / (1 - horizon), normal: [0, -1, 0] };
  return { label: 0, depth: 3, normal: [0, 0, -1] };
}

/**
 * Writes `0.png` and so on into `pictures`, `labels`, `depth` (16 bits, millimetres) and `normals` of a folder, which it
 * makes. Of every four rooms one lacks labels, one depth and one normals. A column of labels counts nowhere (9).
 * @returns The set's description.
 */
export function drawRooms(folder: string, { width, height, count }: Rooms) {
  const place = (name: string) => join(folder, name);
  for (const name of ["pictures", "labels", "depth", "normals"])
    mkdirSync(place(name), { recursive: true });
  for (let i = 0; i < count; i++) {
    const rows = (value: (point: Point, x: number, y: number) => readonly number[]) =>
      Array.from({ length: height }, (_, y) =>
        Array.from({ length: width }, (_x, x) =>
          value(pointAt(i, (x + 0.5) / width, (y + 0.5) / height), x, y),
        ).flat(),
      );
    const write = (name: string, depth: number, type: number, samples: number[][]) =>
      writeFileSync(join(place(name), `${i}.png`), png(width, depth, type, samples));
    const shade = ({ label, depth, normal }: Point, x: number, y: number) => {
      const light = 0.55 - 0.25 * normal[1] - 0.2 * normal[2] - 0.08 * depth;
      const grain = ((x * 7 + y * 13 + i * 5) % 11) - 5;
      const own = [
        [190, 180, 160],
        [120, 90, 60],
        [200, 60, 50],
      ][label]!;
      return own.map((c) => Math.max(0, Math.min(255, Math.round(1.3 * c * light + grain))));
    };
    write("pictures", 8, colour, rows(shade));
    if (i % 4 !== 1)
      write(
        "labels",
        8,
        grey,
        rows(({ label }, x) => [x === 0 ? 9 : label]),
      );
    if (i % 4 !== 2)
      write(
        "depth",
        16,
        grey,
        rows(({ depth }) => wide(Math.round(1000 * depth))),
      );
    if (i % 4 !== 3)
      write(
        "normals",
        8,
        colour,
        rows(({ normal }) => normal.map((n) => Math.round(127.5 * (n + 1)))),
      );
  }
  return {
    format: "folders",
    pictures: place("pictures"),
    targets: {
      labels: { kind: "classes", classes: roomClasses, ignore: 9, folder: place("labels") },
      depth: { kind: "depth", scale: 0.001, folder: place("depth") },
      normals: { kind: "normals", folder: place("normals") },
    },
  } as const;
}
