/**
 * An adapter that trains little and is deployed as one small file: VeRA (Kopiczko et al. 2024), whose
 * two matrices are random, frozen and shared by all layers. It is trained on a layer whose weights are
 * to change, saved, and run from the base's weights and the adapter's file alone.
 *   node examples/08-vera.mjs [--steps 30]
 *
 * adapters/vera.ts shows how such an adapter is written: `own.shared()` for what all places share,
 * `{ train: false }` for what nothing trains. The file holds both, and what the adapter was made with.
 */
import { parseArgs } from "node:util";
import { adapt, compile, defineModel, deviceProfile, input, report, traceProgram } from "inarch";
import { vera } from "inarch/adapters";
import { linear } from "inarch/models";
import { openDevice } from "inarch/node";
import { gelu, mean, mul, sub } from "inarch/ops";
import { bytesSource, createSession, openWeights, writeSafetensors } from "inarch/runtime";
import { adamW, createTrainer } from "inarch/training";

const { values } = parseArgs({ options: { steps: { type: "string", default: "30" } } });
const [rows, width] = [16, 32];

const model = defineModel({
  name: "two-layers",
  build(p) {
    const hidden = gelu(linear(p.at("up"), input("x", "f32", [rows, width]), width, width));
    return { y: linear(p.at("down"), hidden, width, width) };
  },
});

/** Numbers that look random, the same in every run. */
const numbers = (count, seed) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) * seed) / 2);
const shapes = { "up.weight": [width, width], "down.weight": [width, width] };
const tensors = Object.entries({ ...shapes, "up.bias": [width], "down.bias": [width] }).map(
  ([name, shape], i) => {
    const data = new Uint8Array(
      numbers(
        shape.reduce((a, b) => a * b),
        i + 1,
      ).buffer,
    );
    return [name, { dtype: "f32", shape, data }];
  },
);
const base = await openWeights(bytesSource("the base", writeSafetensors(new Map(tensors))));

const { device } = await openDevice();
const adapted = adapt(model, vera({ rank: 64 }));
const { trainable, total } = report(adapted);
console.log(`${trainable} of ${total} parameters train`);

const trainer = await createTrainer(adapted, {
  device,
  weights: base,
  seed: 1,
  programs: { forward: {} },
  loss({ y }) {
    const off = sub(y, input("target", "f32", [rows, width]));
    return { square: mean(mul(off, off)) };
  },
  optimiser: adamW(),
  rate: 0.05,
});
const x = numbers(rows * width, 7);
const target = numbers(rows * width, 9);
const losses = [];
for (let step = 0; step < Number(values.steps); step++)
  losses.push((await trainer.step({ x, target })).loss);
console.log(
  `loss ${losses[0].toFixed(4)}, after ${losses.length} steps ${losses.at(-1).toFixed(4)}`,
);

const trained = (await trainer.run("forward", { x })).y;
const file = await openWeights(bytesSource("vera.safetensors", await trainer.saveAdapter()));
trainer.close();
console.log(`the file holds ${[...file.tensors.keys()].sort().join(", ")}`);

// Nothing of the training is left: a plan, the base, and the file.
const plan = compile(traceProgram(adapted, "forward"), {
  target: device.target,
  profile: deviceProfile(device.capabilities),
});
const session = await createSession(plan, device, { weights: base, adapter: file });
const { y } = await session.run({ x });
const apart = Math.max(...y.map((value, i) => Math.abs(value - trained[i])));
console.log(`a session of the base and the file is ${apart} apart from training`);
session.close();
device.destroy();
