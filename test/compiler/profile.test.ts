/** What a compile profile says of workgroups. */
import { expect, test } from "vitest";
import { compileStages } from "../../compiler/compile.ts";
import { graphOf, input } from "../../compiler/index.ts";
import { defaultProfile, deviceProfile, threadsFor } from "../../compiler/profile.ts";
import { add, sum } from "../../ops/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";

const processor = deviceProfile(cpuDevice({ threads: 1 }).capabilities);

test.each([
  [640, 64],
  [16464, 16],
  [12, 4],
  [7, 64],
  [1, 64],
])("%i tasks of a processor are shared by %i threads", (count, threads) => {
  expect(threadsFor(count, processor)).toBe(threads);
  expect(threadsFor(count, defaultProfile)).toBe(64);
});

test("no thread of a processor is without a line, or an element, where vectors are whole", () => {
  const x = input("x", "f32", [48, 14, 14]);
  for (const y of [add(x, 1), sum(x, 2)]) {
    const graph = graphOf([{ name: "y", tensor: y }]);
    const { kernels } = compileStages(graph, { target: "wasm", profile: processor });
    const text = JSON.stringify(kernels.map(({ kernel }) => kernel.body));
    expect(text.includes('"kind":"if"')).toBe(false);
  }
});
