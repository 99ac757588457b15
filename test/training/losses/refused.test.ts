/** What losses refuse: shapes that do not fit, labels that are no class, masks that are none. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { gateBalance, tuckerOrthogonality } from "../../../adapters/terms.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/op-kit.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { type TensorData, writeSafetensors } from "../../../runtime/weights/index.ts";
import * as losses from "../../../training/losses/index.ts";
import { verify } from "../../../verify/verify.ts";
import { refusal } from "../../support/weights-files.ts";

describe("what is refused", () => {
  const x = (shape: readonly number[]): Tensor => input("x", "f32", shape);
  const i = (shape: readonly number[]): Tensor => input("i", "i32", shape);

  test.each<[string, string, () => unknown]>([
    [
      "bce: logits are f32[1, 1, 4, 4] and the target is f32[1, 1, 4, 5]",
      "of one shape",
      () => losses.bce(x([1, 1, 4, 4]), x([1, 1, 4, 5])),
    ],
    [
      "structureLoss: logits are f32[4, 4]",
      "f32[n, channels, height, width]",
      () => losses.structureLoss(x([4, 4]), x([4, 4])),
    ],
    [
      "crossEntropy: logits are f32[1, 3, 4] and labels f32[1, 4]",
      "i32[n, ...]",
      () => losses.crossEntropy(x([1, 3, 4]), x([1, 4])),
    ],
    [
      "l1Depth: the prediction is f32[1, 2, 4, 4]",
      "f32[n, 1, height, width]",
      () => losses.l1Depth(x([1, 2, 4, 4]), x([1, 2, 4, 4])),
    ],
    [
      "cosineNormals: the prediction is f32[1, 1, 4, 4]",
      "f32[n, 3, height, width]",
      () => losses.cosineNormals(x([1, 1, 4, 4]), x([1, 1, 4, 4])),
    ],
    [
      "setLoss: classes, masks, labels and their masks are f32[1, 3, 5]",
      "i32[n, targets]",
      () =>
        losses.setLoss(
          { classes: x([1, 3, 5]), masks: x([1, 2, 4, 4]) },
          { labels: i([1, 2]), masks: x([1, 2, 4, 4]) },
        ),
    ],
    [
      "gateBalance: 0 experts are kept",
      "keep 1 to 4 of them",
      () =>
        gateBalance(x([2, 4]), {
          clean: x([2, 4]),
          noisy: x([2, 4]),
          deviation: x([2, 4]),
          kept: 0,
        }),
    ],
    [
      "gateBalance: gates and logits are f32[2, 4], f32[2, 3]",
      "all are [batch, experts]",
      () =>
        gateBalance(x([2, 4]), {
          clean: x([2, 3]),
          noisy: x([2, 4]),
          deviation: x([2, 4]),
          kept: 1,
        }),
    ],
    ["tuckerOrthogonality: there are no layers", "one or more", () => tuckerOrthogonality([])],
    [
      "tuckerOrthogonality: factors are f32[4, 2], f32[4], f32[2, 2, 2]",
      "core is [p, q, v]",
      () => tuckerOrthogonality([{ left: x([4, 2]), right: x([4]), core: x([2, 2, 2]) }]),
    ],
  ])("E101 %s", (message, help, call) => {
    const error = refusalOf(call);
    expect(error.code).toBe("E101");
    expect(error.details.message).toContain(message);
    expect(error.details.help).toContain(help);
  });

  const label = (data: readonly number[]) => ({ name: "labels", shape: [2, 2, 2], data });
  const mask = (data: readonly number[]) => ({ name: "target", shape: [data.length], data });

  test.each<[string, string, string, () => unknown]>([
    [
      "E340",
      "labels[1, 0, 1] is 13, but classes are 0 to 12, and -1 is ignored",
      "13",
      () => losses.checkLabels(label([0, 12, -1, 3, 4, 13, 99, 0]), 13),
    ],
    [
      "E340",
      "labels[0, 0, 1] is -1, but classes are 0 to 4, and 255 is ignored",
      "255",
      () => losses.checkLabels(label([255, -1, 0, 0, 0, 0, 0, 0]), 5, 255),
    ],
    [
      "E340",
      "labels[0, 0, 0] is 1, but the only class is 0",
      "to -1",
      () => losses.checkLabels(label([1, 0, 0, 0, 0, 0, 0, 0]), 1),
    ],
    [
      "E340",
      "labels[0, 1, 0] is 0.5",
      "number of classes",
      () => losses.checkLabels(label([0, 1, 0.5, 0, 0, 0, 0, 0]), 2),
    ],
    [
      "E341",
      "target[2] is 255, but a mask goes from 0 to 1",
      "divide grey levels by 255",
      () => losses.checkMask(mask([0, 1, 255])),
    ],
    ["E341", "target[1] is -1", "0 outside and 1 inside", () => losses.checkMask(mask([0, -1]))],
    ["E341", "target[0] is NaN", "0 outside", () => losses.checkMask(mask([Number.NaN]))],
  ])("%s %s", (code, message, help, call) => {
    const error = refusalOf(call);
    expect(error.code).toBe(code);
    expect(error.details.message).toContain(message);
    expect(error.details.help).toContain(help);
  });

  test("labels that are classes or ignored, and masks from 0 to 1, pass", () => {
    losses.checkLabels(label([0, 1, -1, -1, 2, 1, 0, 2]), 3);
    losses.checkMask(mask([0, 0.5, 1]));
  });
});

function refusalOf(call: () => unknown): InarchError {
  try {
    call();
  } catch (error) {
    if (error instanceof InarchError) return error;
    expect.fail(`another error: ${error}`);
  }
  return expect.fail("nothing is refused");
}

describe("verify, given a structure loss", () => {
  const folder = mkdtempSync(join(tmpdir(), "inarch-losses-"));
  const write = (name: string, tensors: Record<string, [number[], number[]]>): string => {
    const path = join(folder, `${name}.safetensors`);
    const entries = Object.entries(tensors).map(([key, [shape, values]]): [string, TensorData] => {
      const data = new Uint8Array(Float32Array.from(values).buffer);
      return [key, { dtype: "f32", shape, data }];
    });
    writeFileSync(path, writeSafetensors(new Map(entries), { kind: "structure_loss" }));
    return path;
  };
  // One pixel of logit 0 inside: its window averages to 1/961, so w = 1 + 5 * 960/961;
  // I = w/2, U = 3w/2, and 1 - (I + 1)/(U - I + 1) = (w/2)/(w + 1).
  const weight = 1 + (5 * 960) / 961;
  const loss = Math.LN2 + weight / 2 / (weight + 1);
  const pixel = { "one/logits": [[1, 1, 1, 1], [0]], "one/target": [[1, 1, 1, 1], [1]] } as const;
  const copy = (): Record<string, [number[], number[]]> => structuredClone(pixel) as never;

  test.each([
    ["right", loss, true],
    ["wrong", loss * 1.001, false],
  ] as const)("a loss that is %s, without a gradient", async (name, value, passed) => {
    const file = write(name, { ...copy(), "one/loss": [[], [value]] });
    const { files } = await verify({ files: [file], device: "reference" });
    expect(files[0]!.checks).toMatchObject([{ name: "one/loss", passed }]);
  });

  test("a gradient that is wrong", async () => {
    const gradient: [number[], number[]] = [[1, 1, 1, 1], [0.5]];
    const file = write("steep", {
      ...copy(),
      "one/loss": [[], [loss]],
      "one/grad.logits": gradient,
    });
    const { files } = await verify({ files: [file], device: "reference" });
    expect(files[0]!.checks.map(({ passed }) => passed)).toEqual([true, false]);
  });

  test.each<[string, Record<string, [number[], number[]]>]>([
    ['it has no tensor "CASE/logits"', { "one/loss": [[], [1]] }],
    ['it has no tensor "one/target"', { "one/logits": [[1, 1, 1, 1], [0]] }],
    [
      "one/logits is [1, 1, 1, 1], but one/target [1, 1, 1, 2]",
      {
        ...copy(),
        "one/target": [
          [1, 1, 1, 2],
          [0, 1],
        ],
      },
    ],
    ["one/logits is [1], not of 4 dimensions", { ...copy(), "one/logits": [[1], [0]] }],
  ])("E361 %s", async (message, tensors) => {
    const file = write("odd", tensors);
    const error = await refusal(() => verify({ files: [file], device: "reference" }));
    expect(error.code).toBe("E361");
    expect(error.message).toContain(message);
  });
});
