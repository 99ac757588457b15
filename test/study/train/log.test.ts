/** Logs of runs as tables and as events of TensorBoard. */
import { describe, expect, test } from "vitest";
import { csvOf, eventsOf, type LogLine } from "../../../study/train/log.ts";

const log: readonly LogLine[] = [
  {
    step: 0,
    validation: {
      ...{ loss: 2, score: 0.5, iou: { "sky, grey": 0.5, road: null }, accuracy: null },
      ...{ metrics: { iou: 0.5, loss: 2 }, counts: [] },
    },
  },
  { step: 300, loss: 1.5, terms: { structure: 1.5 }, norm: 3, rate: 0.25 },
];

describe("a log", () => {
  test("is a table, with a cell for what is defined", () => {
    expect(csvOf(log)).toBe(
      `step,validation/iou,validation/loss,"validation/iou/sky, grey",training/loss,training/structure,training/norm,training/rate
0,0.5,2,0.5,,,,
300,,,,1.5,1.5,3,0.25
`,
    );
  });

  test("is a file of records that TensorBoard reads", () => {
    const bytes = eventsOf(log);
    const view = new DataView(bytes.buffer);
    // How every file of TensorFlow's begins: a length of 24, and its checksum.
    expect([...bytes.subarray(0, 12)]).toEqual([24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
    expect(new TextDecoder().decode(bytes.subarray(23, 36))).toBe("brain.Event:2");
    const tags = new TextDecoder("latin1").decode(bytes);
    for (const tag of ["validation/iou", "training/norm", "training/rate"])
      expect(tags).toContain(tag);
    const lengths: number[] = [];
    for (let at = 0; at < bytes.length; at += lengths.at(-1)! + 16)
      lengths.push(view.getUint32(at, true));
    expect(lengths.reduce((sum, length) => sum + length + 16, 0)).toBe(bytes.length);
    expect(lengths).toHaveLength(3);
  });
});
