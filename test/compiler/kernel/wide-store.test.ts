/**
 * A kernel that copies four elements at a time: it asks its ports for plain memory, and stores wide where
 * places are multiples of four for certain. On the reference device and on Dawn.
 */
import { describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import { Parameters } from "../../../compiler/graph/parameters.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { apply, type Tensor } from "../../../compiler/graph/tensor.ts";
import { printKernel } from "../../../compiler/kernel/pseudo-text.ts";
import {
  type In,
  type KernelOp,
  type KernelSite,
  type Out,
  portable,
} from "../../../compiler/op-kit.ts";
import { add, permute, slice, stack } from "../../../ops/index.ts";
import { randomNumbers, runOnReference } from "../../../verify/ops/evaluate.ts";
import { deviceTest } from "../../support/device.ts";
import { runOnDevice } from "../../support/on-device.ts";

type Copy = (site: KernelSite<unknown>) => void;

/** An op whose kernel is one workgroup of four threads. */
const copyOp = (write: Copy): KernelOp => ({
  name: "copy",
  kind: "kernel",
  type: ([x]) => [x!],
  forms: [
    portable({
      kernel(site) {
        write(site);
        return site.k.finish("copy", [4, 1, 1], [1, 1, 1]);
      },
      reads: () => 1,
    }),
  ],
  oracle: ([x]) => [x!.data],
  work: () => 0,
  tests: { samples: [{ inputs: [1], call: (x) => x!, outputs: [1] }] },
});

const copy = (x: Tensor, write: Copy): Tensor => apply(copyOp(write), [x], {})[0]!;

/** Rows of a matrix, one for each thread, four elements at a time from `start` on. */
const byFours =
  (start = 0): Copy =>
  ({ k, inputs, outputs }) => {
    const [x, y] = [inputs[0]!.plain!(), outputs[0]!.plain!()];
    const [rows, columns] = inputs[0]!.shape;
    const row = k.thread(0, rows);
    k.for("c", (columns! - start) / 4, (c) => {
      const at = row.mul(x.strides[0]!).add(c.mul(4)).add(start);
      const four = [0, 1, 2, 3].map((j) => k.let("v", k.load(x.buffer, at.add(x.offset + j))));
      k.storeWide(y.buffer, at.add(y.offset), four);
    });
  };

const matrix = (columns: number) => input("x", "f32", [4, columns]);
const graph = (y: Tensor): Graph => graphOf([{ name: "y", tensor: y }]);
const textOf = (of: Graph) => printKernel(compileStages(of).kernels[0]!.kernel);

describe("a wide store", () => {
  const wide = graph(copy(matrix(12), byFours()));

  const mixed = graph(
    copy(matrix(12), (site) => {
      byFours()(site);
      const [x, y] = [site.inputs[0]!.plain!(), site.outputs[0]!.plain!()];
      const first = site.k.thread(0, 4).mul(12);
      site.k.store(y.buffer, first, site.k.load(x.buffer, first));
    }),
  );

  test("is one statement beside one wide load", () => {
    const text = textOf(wide);
    expect(text).toMatch(/copy\[.* \.\. \+ 4\] = v, v_1, v_2, v_3;/);
    expect(text).not.toMatch(/copy\[[^.]*\] = /);
  });

  test("is spelled by every target that prints text", () => {
    const text = (target: string) => compile(wide, { target }).kernels[0]!.source;
    expect(text("wgsl")).toMatch(/copy: array<vec4<f32>>;/);
    expect(text("wgsl")).toMatch(/copy\[.*\] = vec4<f32>\(v, v_1, v_2, v_3\);/);
    expect(text("cuda")).toMatch(
      /reinterpret_cast<float4\*>\(copy\)\[.*\] = \{v, v_1, v_2, v_3\};/,
    );
  });

  test.each([
    ["a place that is no multiple of four", graph(copy(matrix(13), byFours(1)))],
    ["rows of a length that is no multiple of four", graph(copy(matrix(10), byFours(2)))],
    ["a tensor that is also written element by element", mixed],
  ])("of %s is four stores", (_, of) => {
    expect(textOf(of)).not.toMatch(/copy\[.* \.\. \+ 4\]/);
    expect(textOf(of).match(/copy\[.*\] = v(_\d)?;/g)).toHaveLength(4);
  });

  const numbers = { x: randomNumbers(48, 1) };
  test.each([
    ["wide", wide],
    ["taken apart", mixed],
  ])("is right on the reference device, %s", async (_, of) => {
    const { y } = await runOnReference(of, numbers);
    expect(y).toEqual(numbers.x.map(Math.fround));
  });

  deviceTest("is right on a device", async () => {
    const { y } = await runOnDevice(wide, numbers);
    expect(y).toEqual(numbers.x.map(Math.fround));
  });
});

describe("a port is plain memory", () => {
  /** What the ports of a copy of `x` are, with `behind` computed after it. */
  const portsOf = (x: Tensor, behind: (y: Tensor) => Tensor = (y) => y) => {
    let found: { x: ReturnType<Plain>; y: ReturnType<Plain> } | undefined;
    type Plain = (port: In | Out) => readonly [string, readonly number[], number] | undefined;
    const plain: Plain = (port) => {
      const at = port.plain?.();
      return at && [at.buffer.name, at.strides, at.offset];
    };
    const write: Copy = ({ k, inputs, outputs }) => {
      found = { x: plain(inputs[0]!), y: plain(outputs[0]!) };
      const zeros = inputs[0]!.shape.map(() => k.thread(0, 1));
      outputs[0]!.put(inputs[0]!.at(...zeros), ...zeros);
    };
    compile(graph(behind(copy(x, write))), { policy: "fused" });
    return found!;
  };

  test("where nothing melted, row-major", () => {
    expect(portsOf(matrix(12))).toEqual({ x: ["x", [12, 1], 0], y: ["copy", [12, 1], 0] });
  });

  test("where parameters lie side by side, with the distance between them", () => {
    const p = new Parameters();
    const { x } = portsOf(stack([p.f32("a", [3]), p.f32("b", [3])]));
    expect(x).toEqual(["stack", [64, 1], 0]);
  });

  test("but not where something melted in front", () => {
    expect(portsOf(permute(matrix(4), [1, 0])).x).toBe(undefined);
    expect(portsOf(slice(matrix(8), [[], [0, 4]])).x).toBe(undefined);
  });

  test("but not where something melted behind", () => {
    const { x, y } = portsOf(matrix(12), (made) => add(made, 1));
    expect([x?.[0], y]).toEqual(["x", undefined]);
  });

  test("but not of booleans, which are stored as words", () => {
    expect(portsOf(input("b", "bool", [4, 4]))).toEqual({ x: undefined, y: undefined });
  });
});
