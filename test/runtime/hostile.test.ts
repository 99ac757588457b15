/** Plans that are none: refused by a code that names the field. */
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { input, type Plan, state, trace } from "../../compiler/index.ts";
import { add, matmul, relu, slice } from "../../ops/index.ts";
import { checkPlan } from "../../runtime/check-plan.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSessions } from "../../runtime/programs.ts";
import { createSession } from "../../runtime/session.ts";
import { randomNumbers, refusal } from "../support/weights-files.ts";

const graph = trace((p) => {
  const s = state("s", "f32", [2]);
  const y = matmul(input("x", "f32", [2, 3]), p.f32("w", [3, 2]));
  return { y: add(y, s), s: add(s, p.f32("b", [2])) };
}, {});
const plan = compile(graph, { name: "layer", target: "reference" });

/** A JSON value, or a part of one, by keys. */
type Json = Record<string, unknown>;

const copy = () => structuredClone(plan) as unknown as Json;

/** The plan with another value at a place such as `steps.0.kernel`; without the field where that is undefined. */
function changed(path: string, value: unknown): unknown {
  if (path === "") return value;
  const own = copy();
  const keys = path.split(".");
  const last = keys.pop()!;
  let at = own;
  for (const key of keys) at = at[key] as Json;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return own;
}

const damages: readonly [claim: string, path: string, value: unknown, says: string][] = [
  ["a buffer that is not there", "steps.0.bindings.0.buffer", 99, "bindings[0] is in buffer 99"],
  ["a parameter of no buffer", "parameters.0.buffer", 99, "parameters[0] is in buffer 99"],
  ["no threads", "kernels.0.threads", [0, 0, 0], "kernels[0].threads[0] is 0"],
  ["too many threads", "kernels.0.threads", [1024, 1024, 1], "1048576 threads"],
  ["two threads' sizes", "kernels.0.threads", [1, 1], "kernels[0].threads has 2 entries"],
  ["no workgroups", "steps.0.groups", [1, 0, 1], "steps[0].groups[1] is 0"],
  ["negative bytes", "buffers.0.bytes", -4, "buffers[0].bytes is -4"],
  ["bytes beyond counting", "buffers.0.bytes", 1e300, "buffers[0].bytes is 1e+300"],
  ["a role of Object's", "buffers.0.role", "constructor", 'buffers[0].role is "constructor"'],
  ["a parameter twice", "parameters.1.name", plan.parameters[0]!.name, "which is there already"],
  ["a state twice", "states.1", plan.states[0], "states[1].name is s"],
  ["a binding beyond its buffer", "steps.0.bindings.0.offset", 4096, "of a buffer of"],
  ["a binding off its words", "steps.0.bindings.0.offset", 2, "not a multiple of 4"],
  ["a binding too few", "steps.0.bindings", plan.steps[0]!.bindings.slice(1), "bindings has"],
  ["a kernel that is not there", "steps.0.kernel", 7, "steps[0].kernel is 7"],
  ["a shape beyond its bytes", "inputs.0.shape", [2000, 3000], "its shape needs"],
  ["a shape of fractions", "inputs.0.shape", [1.5], "inputs[0].shape[0] is 1.5"],
  ["a dtype of Object's", "inputs.0.dtype", "toString", "inputs[0].dtype"],
  ["a format that is no text", "kernels.0.params.0.scalar", 4, "params[0].scalar is not a text"],
  ["a commit beyond its buffer", "commits.0.to.bytes", 2 ** 20, "commits[0].to ends"],
  ["steps that are no list", "steps", {}, "steps is not a list"],
  ["no kernels", "kernels", undefined, "kernels is not a list"],
  ["a first value without its number", "states.0.init", { kind: "constant" }, "init.value is"],
  ["a first value of Object's", "states.0.init", { kind: "toString" }, "states[0].init.kind"],
  ["a copy of nothing", "states.0.init", { kind: "copy" }, "init.from is not a text"],
  ["fragments without a format", "kernels.0.matrices", { rows: 8 }, "matrices.operand"],
  ["a reduction that is a word", "kernels.0.reduces", "no", "kernels[0].reduces"],
  ["null", "", null, "the plan is not an object"],
  ["a list", "", [], "the plan is not an object"],
];

describe("E516: a malformed plan is refused by a session", () => {
  test.each(damages)("%s", async (_, path, put, says) => {
    const value = changed(path, put) as Plan;
    const error = await refusal(() => checkPlan(value, "a.plan.json"));
    expect([error.code, error.details.where]).toEqual(["E516", "a.plan.json"]);
    expect(error.details.message).toContain(says);
    const device = referenceDevice();
    const one = await refusal(() => createSession(value, device));
    const several = await refusal(() => createSessions({ forward: value }, device));
    expect([one.code, several.code]).toEqual(["E516", "E516"]);
  });

  test.each([
    ["kernels.0.params.0.scalar", /^kernel .* takes valueOf, a number format/],
    ["parameters.0.stored", /is stored in valueOf, a number format/],
  ])("E153: %s of Object's prototype", async (path, words) => {
    const error = await refusal(() => checkPlan(changed(path, "valueOf"), "a.plan.json"));
    expect([error.code, error.details.message]).toEqual(["E153", expect.stringMatching(words)]);
  });

  test("a field replaced by anything is refused by a code or changes nothing that is read", async () => {
    const random = randomNumbers(11);
    const values = [null, -1, 0.5, 1e300, "x", "__proto__", true, [], {}, [[]], undefined, 2 ** 31];
    for (let i = 0; i < 400; i++) {
      const own = copy();
      // A random walk to a place in the plan.
      let at = own;
      let key = "";
      for (;;) {
        const keys = Object.keys(at);
        key = keys[random(keys.length)]!;
        const next = at[key];
        if (typeof next !== "object" || next === null || Object.keys(next).length === 0) break;
        if (random(6) === 0) break;
        at = next as Json;
      }
      at[key] = values[random(values.length)];
      try {
        checkPlan(own, "fuzzed");
      } catch (error) {
        expect((error as { code?: string }).code, `${String(key)}, ${i}`).toMatch(
          /^E(?:516|421|153)$/,
        );
      }
    }
  });
});

test("the plans of the compiler are plans, also where one kernel reads a larger and a smaller tensor", () => {
  expect(checkPlan(plan, "here")).toBe(plan);
  const shared = trace(() => {
    const part = (name: string, size: number) =>
      relu(slice(input(name, "f32", [size]), [[0, 600]]));
    return { large: part("a", 2000), small: part("b", 1000) };
  }, {});
  const two = compile(shared, { name: "two", target: "wgsl" });
  expect([two.kernels.length, two.steps.length]).toEqual([1, 2]);
  expect(checkPlan(two, "here")).toBe(two);
});
