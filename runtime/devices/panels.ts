/** Matrices in panels, as the plans of processors have them (`Panels` in `compiler/plan.ts`). */
import type { Panels } from "../../compiler/plan.ts";
import type { Device } from "./device.ts";

/** A matrix whole, in its panels. */
export const inPanels: NonNullable<Device["inPanels"]> = async function* (
  chunks,
  shape,
  { width, turned }: Panels,
) {
  const [first, second] = shape as readonly [number, number];
  const whole = new Float32Array(first * second);
  let count = 0;
  for await (const chunk of chunks) {
    whole.set(chunk, count);
    count += chunk.length;
  }
  const [rows, columns] = turned ? [second, first] : [first, second];
  const [down, across] = turned ? [1, second] : [second, 1];
  const laid = new Float32Array(whole.length);
  let next = 0;
  for (let panel = 0; panel < columns; panel += width)
    for (let row = 0; row < rows; row++)
      for (let column = panel; column < panel + width; column++)
        laid[next++] = whole[row * down + column * across]!;
  yield laid;
};
