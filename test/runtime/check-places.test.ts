/** Plans whose places contradict their buffers: refused before a device sees them (E442). */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, type Plan, state } from "../../compiler/index.ts";
import { add, matmul, softmax } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { refusal } from "../support/weights-files.ts";

const x = input("x", "f32", [8, 16]);
const sum = add(state("sum", "f32", [8, 8]), softmax(matmul(x, input("w", "f32", [16, 8]))));
const graph = graphOf([
  { name: "y", tensor: add(sum, 1) },
  { name: "sum", tensor: sum },
]);
const plan = compile(graph, { target: "reference" });

type Step = Plan["steps"][number];
const withStep = (change: (step: Step) => Partial<Step>): Plan => ({
  ...plan,
  steps: plan.steps.map((step, i) => (i === 0 ? { ...step, ...change(step) } : step)),
});
const withBinding = (change: object) =>
  withStep(({ bindings }) => ({
    bindings: bindings.map((place, i) => (i === 0 ? { ...place, ...change } : place)),
  }));
const withBuffer = (change: object): Plan => ({
  ...plan,
  buffers: plan.buffers.map((buffer, i) => (i === 0 ? { ...buffer, ...change } : buffer)),
});
const withInput = (change: object): Plan => ({
  ...plan,
  inputs: plan.inputs.map((t, i) => (i === 0 ? { ...t, ...change } : t)),
});

describe("a plan is refused (E442)", () => {
  test.each([
    [
      "a binding beyond its buffer",
      withBinding({ offset: 4096 }),
      /binding 0 of step 0 \(.*\) takes/,
    ],
    ["a binding longer than its buffer", withBinding({ bytes: 1e6 }), /takes 1000000 bytes at 0/],
    ["a binding before its buffer", withBinding({ offset: -4 }), /at -4 of a buffer/],
    ["a binding at half a word", withBinding({ offset: 2 }), /at 2 of a buffer/],
    ["a binding of a buffer that is not there", withBinding({ buffer: 99 }), /in buffer 99/],
    ["a binding without bytes", withBinding({ bytes: undefined }), /takes undefined bytes/],
    ["a step of a kernel that is not there", withStep(() => ({ kernel: 7 })), /runs kernel 7/],
    ["a step that binds too few", withStep(() => ({ bindings: [] })), /binds 0 buffers, but/],
    ["groups that are no numbers", withStep(() => ({ groups: [1, 1, Number.NaN] })), /1 x 1 x NaN/],
    ["a buffer that is too small", withBuffer({ bytes: 8 }), /of a buffer of 8 bytes/],
    ["a buffer of negative size", withBuffer({ bytes: -8 }), /has -8 bytes/],
    ["an input beyond its buffer", withInput({ offset: 1 << 20 }), /input x takes 512 bytes at/],
    [
      "an input larger than its place",
      withInput({ shape: [8, 99] }),
      /input x has 512 bytes but needs/,
    ],
    [
      "a commit beyond its buffer",
      { ...plan, commits: plan.commits.map((c) => ({ ...c, to: { ...c.to, offset: 4096 } })) },
      /target of commit 0 takes/,
    ],
    [
      "a commit of less than it copies",
      { ...plan, commits: plan.commits.map((c) => ({ ...c, from: { ...c.from, bytes: 8 } })) },
      /source of commit 0 has 8 bytes but needs 256/,
    ],
  ] as [string, Plan, RegExp][])("for %s", async (_, broken, words) => {
    const error = await refusal(() => createSession(broken, referenceDevice()));
    expect([error.code, error.message]).toEqual(["E442", expect.stringMatching(words)]);
  });

  test("for shared memory that is smaller than its states", async () => {
    const device = referenceDevice();
    const [small] = await device.allocate([{ role: "state", bytes: 16, name: "sum" }]);
    const shared = { states: new Map([["sum", small!]]), arenas: [] };
    expect((await refusal(() => createSession(plan, device, { shared }))).code).toBe("E442");
  });
});

test("a plan as it was compiled is taken", async () => {
  const session = await createSession(plan, referenceDevice());
  await session.close();
});
