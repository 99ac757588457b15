/** Matrices in panels, as the plans of processors have them (`Panels` in `compiler/plan.ts`). */
import type { Panels } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import type { Device } from "./device.ts";

type InPanels = NonNullable<Device["inPanels"]>;

/** A matrix whole, in its panels. @throws E516 for panels that do not fit it. */
export const inPanels: InPanels = async function* (chunks, matrix) {
  const { rows, columns, down, across, width } = layoutOf(matrix);
  const whole = new Float32Array(rows * columns);
  let count = 0;
  for await (const chunk of chunks) {
    whole.set(chunk, count);
    count += chunk.length;
  }
  const laid = new Float32Array(whole.length);
  let next = 0;
  for (let panel = 0; panel < columns; panel += width)
    for (let row = 0; row < rows; row++)
      for (let column = panel; column < panel + width; column++)
        laid[next++] = whole[row * down + column * across]!;
  yield laid;
};

function layoutOf({ name, shape, panels }: Parameters<InPanels>[1]) {
  const { width, turned } = panels as Panels;
  const [first = 0, second = 0] = shape;
  const [rows, columns] = turned ? [second, first] : [first, second];
  const isMatrix = shape.length === 2 && typeof turned === "boolean";
  if (!isMatrix || !Number.isInteger(width) || width < 1 || columns % width !== 0)
    throw diagnose("E516", {
      message: `${name} of [${shape.join(", ")}] cannot lie in panels ${JSON.stringify(panels)}`,
      help: "compile the plan again",
    });
  const [down, across] = turned ? [1, second] : [second, 1];
  return { rows, columns, down, across, width };
}
