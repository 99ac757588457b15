/**
 * Compiles a model and runs it, from Node, on a GPU or on the processor:
 *   node examples/02-run.mjs
 */
import { compile, defineModel, deviceProfile, input, traceProgram } from "inarch";
import { openDevice } from "inarch/node";
import { matmul, softmax } from "inarch/ops";
import { bytesSource, createSession, openWeights, writeSafetensors } from "inarch/runtime";

const model = defineModel({
  name: "classifier",
  dims: { rows: 1 },
  build(p) {
    const x = input("x", "f32", ["rows", 3]);
    return { probabilities: softmax(matmul(x, p.f32("weight", [3, 2]))) };
  },
});

// A hardware GPU where there is one, else the processor; INARCH_DEVICE=webgpu takes a software GPU too.
const { device, kind, why } = await openDevice();
console.log(`on ${kind}: ${why}`);

// A plan is plain data: buffers, kernels for one kind of device, and the steps that run them.
const plan = compile(traceProgram(model, "forward", { rows: 2 }), {
  name: model.name,
  target: device.target,
  profile: deviceProfile(device.capabilities),
});

// Weights come from a checkpoint. This one is made on the spot; openWeightsFile(path) reads a file.
const weight = new Float32Array([1, -1, 2, -2, 3, -3]);
const tensor = { dtype: "f32", shape: [3, 2], data: new Uint8Array(weight.buffer) };
const checkpoint = writeSafetensors(new Map([["weight", tensor]]));
const weights = await openWeights(bytesSource("made on the spot", checkpoint));

const session = await createSession(plan, device, { weights });
const { probabilities } = await session.run({ x: [0.5, 0, 0, 0, 0, -0.5] });
for (let row = 0; row < 2; row++) {
  const [first, second] = probabilities.subarray(2 * row, 2 * row + 2);
  console.log(`row ${row}: ${first.toFixed(4)} ${second.toFixed(4)}`);
}

session.close();
device.destroy();
