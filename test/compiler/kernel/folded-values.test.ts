/** What more than 65535 workgroups compute on a device, forward and backward, looked at in some places. */
import { expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { elements, type Tensor } from "../../../compiler/graph/tensor.ts";
import { gradient } from "../../../compiler/op-kit.ts";
import { defaultProfile, deviceProfile } from "../../../compiler/profile.ts";
import { conv2d, full, matmul } from "../../../ops/index.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { describeOnDevice } from "../../support/device.ts";

const numbersOf = (shape: readonly number[], seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: elements(shape) }, (_, i) => (((i + seed) * 7) % 11) / 4 - 1.25);

/** The result of `call` and the gradients of its sum, with the inputs' numbers. */
async function computed(
  shapes: readonly (readonly number[])[],
  call: (...inputs: Tensor[]) => Tensor,
  forms: { readonly subgroups: boolean },
) {
  const inputs = shapes.map((shape, i) => input(`x${i}`, "f32", shape) as Tensor);
  const y = call(...inputs);
  const all = [y, ...gradient([y], [full(1, y.shape) as Tensor], inputs)];
  const graph = graphOf(all.map((tensor, i) => ({ name: `y${i}`, tensor: tensor! })));
  const { device } = await openDevice({ kind: "webgpu" });
  try {
    const { subgroup, slowBarriers } = deviceProfile(device.capabilities);
    const own = forms.subgroups ? { subgroup, slowBarriers } : {};
    const plan = compile(graph, { target: device.target, profile: { ...defaultProfile, ...own } });
    const session = await createSession(plan, device);
    const given = shapes.map((shape, i) => numbersOf(shape, i));
    const results = await session.run(Object.fromEntries(given.map((v, i) => [`x${i}`, v])));
    const isFolded = plan.steps.some((s) => elements(s.groups) > 65535);
    return { isFolded, given, results: all.map((_, i) => results[`y${i}`] as Float32Array) };
  } finally {
    device.destroy();
  }
}

const sumOf = (count: number, term: (i: number) => number): number =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);

describeOnDevice.each([{ subgroups: true }, { subgroups: false }])("%o", (forms) => {
  test("a product of 5,000,000 rows", async () => {
    const rows = 5_000_000;
    const { isFolded, given, results } = await computed(
      [
        [rows, 2],
        [2, 3],
      ],
      (a, b) => matmul(a, b) as Tensor,
      forms,
    );
    expect(isFolded).toBe(true);
    const [a, b] = given as [Float32Array, Float32Array];
    const [y, da] = results as [Float32Array, Float32Array];
    for (const i of [0, 1, 65536, 4_194_303, 4_194_304, rows - 1]) {
      for (let j = 0; j < 3; j++)
        expect(y[i * 3 + j]).toBeCloseTo(
          sumOf(2, (l) => a[i * 2 + l]! * b[l * 3 + j]!),
          4,
        );
      for (let k = 0; k < 2; k++)
        expect(da[i * 2 + k]).toBeCloseTo(
          sumOf(3, (m) => b[k * 3 + m]!),
          4,
        );
    }
  });

  test("a 1 x 1 convolution of 1700 x 1700 pixels", async () => {
    const pixels = 1700 * 1700;
    const { isFolded, given, results } = await computed(
      [
        [1, 3, 1700, 1700],
        [2, 3, 1, 1],
      ],
      (map, weight) => conv2d(map, weight),
      forms,
    );
    // Tiles in workgroup memory are so wide that one axis is enough.
    expect(isFolded).toBe(forms.subgroups);
    const [map, weight] = given as [Float32Array, Float32Array];
    const [y, dMap] = results as [Float32Array, Float32Array];
    for (const p of [0, 1, 65535, 65536, 2_097_120, 2_097_152, pixels - 1]) {
      for (const o of [0, 1])
        expect(y[o * pixels + p]).toBeCloseTo(
          sumOf(3, (c) => weight[o * 3 + c]! * map[c * pixels + p]!),
          4,
        );
      for (const c of [0, 1, 2])
        expect(dMap[c * pixels + p]).toBeCloseTo(
          sumOf(2, (o) => weight[o * 3 + c]!),
          4,
        );
    }
  });
});
