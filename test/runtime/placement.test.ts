/** Where plans lie: memory that is shared must have room for them. */
import { expect, test } from "vitest";
import { compile, graphOf, input, state } from "../../compiler/index.ts";
import { add } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { refusal } from "../support/weights-files.ts";

const sum = add(state("sum", "f32", [8, 8]), input("x", "f32", [8, 8]));
const plan = compile(graphOf([{ name: "sum", tensor: sum }]), { target: "reference" });

test("shared memory that is smaller than its states is E442", async () => {
  const device = referenceDevice();
  const shared = async (bytes: number) => {
    const [buffer] = await device.allocate([{ role: "state", bytes, name: "sum" }]);
    return { states: new Map([["sum", buffer!]]), arenas: [] };
  };
  const small = await shared(16);
  const error = await refusal(() => createSession(plan, device, { shared: small }));
  expect([error.code, error.details.message]).toEqual([
    "E442",
    expect.stringMatching(/256 bytes in sum \(state\), the memory that it shares has 16/),
  ]);
  await (await createSession(plan, device, { shared: await shared(256) })).close();
});

test("a plan that contradicts itself is E516 before anything is allocated", async () => {
  const beyond = plan.steps.map((step) => ({
    ...step,
    bindings: step.bindings.map((place) => ({ ...place, offset: 4096 })),
  }));
  const error = await refusal(() => createSession({ ...plan, steps: beyond }, referenceDevice()));
  expect(error.code).toBe("E516");
});
