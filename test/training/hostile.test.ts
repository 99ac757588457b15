/** Training plans from a file that is torn, or of whoever means ill: refused by a code that names the field. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, defineModel, input, state } from "../../compiler/index.ts";
import { InarchError } from "../../diagnostics/index.ts";
import { linear } from "../../models/layers.ts";
import { add, mean, mul, sub } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { bytesFromJson, bytesToJson } from "../../runtime/index.ts";
import type { TrainingPlan } from "../../runtime/training/plan.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers as numbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, randomNumbers, refusal } from "../support/weights-files.ts";

const model = adapt(
  defineModel({
    name: "layer",
    build: (p) => {
      const seen = state("seen", "f32", [4]);
      const y = linear(p.at("a"), input("x", "f32", [2, 4]), 4, 4);
      return { y: add(y, seen), seen: add(seen, mean(y, 0)) };
    },
  }),
  lora({ rank: 1 }),
);
const made = compileTraining(model, {
  target: "reference",
  micro: 2,
  loss: ({ y }) => {
    const off = sub(y!, input("target", "f32", [2, 4]));
    return { square: mean(mul(off, off)) };
  },
  optimiser: adamW(),
  programs: { forward: {} },
});
const text = JSON.stringify(made, bytesToJson);
const copy = () => JSON.parse(text, bytesFromJson) as Json;

/** A JSON value, or a part of one, by keys. */
type Json = Record<string, unknown>;

const weights = await openBytes(
  writeSafetensors(
    new Map([
      ["a.weight", floats(numbers(16, 1), [4, 4])],
      ["a.bias", floats(numbers(4, 2), [4])],
    ]),
  ),
);

/** Places the plan, takes a step, and saves what there is. */
async function train(plan: unknown) {
  const session = await createTrainingSession(plan as TrainingPlan, referenceDevice(), {
    weights,
    rate: 0.1,
  });
  try {
    const micro = { x: numbers(8, 3), target: numbers(8, 4) };
    const report = await session.step(micro, micro);
    await session.save();
    await session.saveAdapter();
    return report;
  } finally {
    await session.close();
  }
}

/** The plan with another value at a place such as `tensors.0.group`; without the field where that is undefined. */
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

test("a plan that was a file trains as it did", async () => {
  expect(await train(copy())).toEqual(await train(made));
});

const damages: readonly [claim: string, path: string, value: unknown, says: string][] = [
  ["null", "", null, "the plan is not an object"],
  ["a plan of running", "", made.update, "backward is not an object"],
  ["no backward pass", "backward", undefined, "backward is not an object"],
  ["a plan inside that is none", "update.steps.0.kernel", 99, "steps[0].kernel is 99"],
  ["programs that are a list", "programs", [], "programs is not an object"],
  ["a program that is none", "programs.forward", 7, "the plan is not an object"],
  ["a trained tensor of no state", "tensors.0.state", "parameters.9", "a state that no plan has"],
  ["a frozen one of no state", "frozen.0.state", "__proto__", "a state that no plan has"],
  ["a tensor beyond its state", "tensors.0.offset", 4096, "tensors[0] ends at byte"],
  ["a trained one in a state of the model's", "tensors.0.state", "model.seen", "not of parameters"],
  ["two at one place", "tensors.1.offset", made.tensors[0]!.offset, "lies where"],
  ["one off its words", "tensors.0.offset", 2, "not a multiple of 4"],
  ["a shape of other bytes", "tensors.0.shape", [5, 5], "its shape needs 100"],
  ["a shape of fractions", "frozen.0.shape", [0.5], "frozen[0].shape[0] is 0.5"],
  ["a group that is not there", "tensors.0.group", 3, "tensors[0].group is 3 of 1"],
  ["a rate that is null, as NaN is in JSON", "groups.0.rate", null, "groups[0].rate is null"],
  ["a decay of text", "groups.0.decay", "0.1", "groups[0].decay"],
  ["a tensor twice", "tensors.1.name", made.tensors[0]!.name, "which is there already"],
  ["a first value without its number", "tensors.0.init", { kind: "uniform" }, "init.bound"],
  ["a first value of Object's", "tensors.0.init", { kind: "toString" }, "init.kind"],
  ["no micro-steps", "micro", 0, "micro is 0"],
  ["micro-steps that are not added up", "accumulate", undefined, "accumulate is not an object"],
  ["a term without an output", "terms.0", "other", "backward.outputs has no term.other"],
  ["targets of an unknown kind", "targets", { x: [{ kind: "valueOf" }] }, "targets.x[0].kind"],
  ["classes that are none", "targets", { x: [{ kind: "labels", classes: -1 }] }, "classes is -1"],
  ["settings that are a list", "settings", [], "settings is not an object"],
  ["an optimiser without a name", "optimiser", {}, "optimiser.name is not a text"],
  ["adapters without places", "adapters.0.places", undefined, "adapters[0].places"],
];

describe("E516: a malformed training plan", () => {
  test.each(damages)("%s", async (_, path, value, says) => {
    const { code, details } = await refusal(() => train(changed(path, value)));
    expect([code, details.message]).toEqual(["E516", expect.stringContaining(says)]);
  });

  test("E420: more micro-steps than anybody can give", async () => {
    const { code, details } = await refusal(() => train(changed("micro", 2 ** 31)));
    expect([code, details.help]).toEqual(["E420", "step(inputs1, …, inputs2147483648)"]);
  });

  test("E421: of another format", async () => {
    expect((await refusal(() => train(changed("format", 99)))).code).toBe("E421");
  });

  test("E153: a frozen tensor in a format of a later version", async () => {
    expect((await refusal(() => train(changed("frozen.0.stored", "toString")))).code).toBe("E153");
  });

  test("a field replaced by anything is refused by a code, or nobody reads it", async () => {
    const random = randomNumbers(5);
    const values = [null, -1, 0.5, 1e300, "x", "__proto__", true, [], {}, [[]], undefined, 2 ** 31];
    for (let i = 0; i < 300; i++) {
      const own = copy();
      // Half of all in the fields of training itself.
      const inPlans = random(2) === 0;
      const plans = ["backward", "update", "accumulate", "programs"];
      const path: string[] = [];
      let at = own;
      for (;;) {
        const keys = Object.keys(at).filter((key) => inPlans || at !== own || !plans.includes(key));
        path.push(keys[random(keys.length)]!);
        const next = at[path.at(-1)!];
        if (typeof next !== "object" || next === null || Object.keys(next).length === 0) break;
        if (random(6) === 0) break;
        at = next as Json;
      }
      at[path.at(-1)!] = values[random(values.length)];
      try {
        await train(own);
      } catch (error) {
        const code = error instanceof InarchError ? error.code : error;
        expect(code, `${path.join(".")}, ${i}`).toMatch(/^E(?!900)\d{3}$/);
      }
    }
  }, 120_000);
});
