/**
 * Builds a model ahead of time, then loads the module, for which the runtime is enough:
 *   node examples/05-ahead-of-time.mjs
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openDevice } from "inarch/node";
import { floatEntry, makeWeights } from "inarch/runtime";

// What you type once, or in a build script; in a project of yours: npx inarch build MODEL --out DIR
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const model = path("01-mlp.graph.ts");
const folder = path("../out/examples/tiny-mlp");
const inarch = path("../dist/cli/main.js");
// It holds kernels for several kinds of devices, and whatever opens here takes its own.
const build = [inarch, "build", model, "--out", folder];
execFileSync(process.execPath, build, { stdio: "inherit" });
const { device } = await openDevice();

// What the application does: the generated module knows the inputs and outputs of the model.
const { load } = await import("../out/examples/tiny-mlp/tiny-mlp.mjs");
const mlp = await load(device, { weights: ones() });
const { y } = await mlp.forward({ x: new Float32Array(4 * 64).fill(1) });
console.log(`4 rows of 10 results, the first is ${y[0]}`);

await mlp.close();
device.destroy();

/** Weights that are all one, in place of a checkpoint: inarch build --weights FILE stores a real one. */
function ones() {
  const shapes = { "up.weight": [64, 256], "up.bias": [256], "down.weight": [256, 10] };
  const count = (shape) => shape.reduce((a, b) => a * b);
  return makeWeights({
    source: "ones",
    tensors: new Map(Object.entries(shapes).map(([name, shape]) => [name, floatEntry(shape)])),
    metadata: {},
    async *stream(name) {
      yield new Uint8Array(new Float32Array(count(shapes[name])).fill(1).buffer);
    },
    close: async () => {},
  });
}
