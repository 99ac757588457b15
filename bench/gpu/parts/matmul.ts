/** Products alone, both operands in the device's memory: times, and elements computed again here. */
import { trace } from "../../../compiler/index.ts";
import { matmul } from "../../../ops/index.ts";
import { generator } from "../../measure/rounds.ts";
import { numbers, weightsFor } from "../../problems/numbers.ts";
import type { Part, Setting } from "../part.ts";
import { asStored, openProgram } from "../programs.ts";
import { type Product, productName, sizes } from "../sizes.ts";
import { rounded, timeRuns } from "../timing.ts";
import { openVariant, timedAlone, type Variant } from "../variants.ts";

export const matmuls: Part = {
  name: "matmul",
  about: "matrix products alone",
  seconds: { full: [60, 15], small: [600, 120] },
  items: async (setting) =>
    timedAlone.flatMap((variants) =>
      sizes[setting.scale].products.flatMap((shape) =>
        variants.map((variant) => ({
          name: `${productName(shape)}, ${variant.name}`,
          run: () => timeProduct(shape, variant, setting),
        })),
      ),
    ),
};

async function timeProduct(shape: Product, variant: Variant, { tell }: Setting): Promise<void> {
  const what = productName(shape);
  const opened = await openVariant(variant);
  if (typeof opened === "string")
    return tell({ type: "left out", what: `${what}, ${variant.name}`, reason: opened });
  const [m, k, n] = shape;
  const values = valuesOf(shape);
  // Inputs are singles always, as parameters they are what the variant says.
  const graph = trace((p) => ({ y: matmul(p.f32("x", [m, k]), p.f32("weight", [k, n])) }), {});
  const program = await openProgram(
    {
      graph,
      weights: (parameters) =>
        weightsFor(parameters, (name) => values[name as keyof typeof values]),
    },
    opened,
  );
  try {
    const y = await program.run();
    const read = (name: keyof Values) => asStored(program, name, values[name]);
    const error = errorOf(y, read("x"), read("weight"), shape);
    tell({
      ...{ type: "check", what: `${what}, ${variant.name}`, passed: error <= tolerance },
      ...{ found: `off by ${error.toExponential(1)}`, allowed: `at most ${tolerance}` },
    });
    const timing = await timeRuns(program);
    const teraflops = rounded((2 * m * k * n) / timing.milliseconds / 1e9);
    tell({ type: "time", what, system: "inarch", how: variant.name, ...timing, teraflops });
  } finally {
    program.close();
  }
}

interface Values {
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
}

/** Those of the last product: several ways of computing it follow each other. */
let last: { readonly name: string; readonly values: Values } | undefined;

function valuesOf(shape: Product): Values {
  const name = productName(shape);
  if (last?.name === name) return last.values;
  const [m, k, n] = shape;
  const weight = numbers(2, k * n);
  const size = 1 / Math.sqrt(k);
  for (let i = 0; i < weight.length; i++) weight[i]! *= size;
  const values = { x: numbers(1, m * k), weight };
  last = { name, values };
  return values;
}

/** Absolute: results are of the size of one, sums of singles. */
const tolerance = 1e-4;
const checked = 200;

/** The largest difference of some elements, in all parts of the result. NaN where there is one. */
function errorOf(
  y: Float32Array,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  [m, k, n]: Product,
): number {
  const random = generator(3);
  let largest = 0;
  for (let i = 0; i < checked; i++) {
    const [row, column] = [Math.floor(random() * m), Math.floor(random() * n)];
    let sum = 0;
    for (let j = 0; j < k; j++) sum += x[row * k + j]! * weight[j * n + column]!;
    const error = Math.abs(y[row * n + column]! - sum);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}
