/** What steps made of a model's states, in adapters' files and merged weights. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/adapter.ts";
import {
  adapt,
  compile,
  defineModel,
  type Init,
  state,
  traceProgram,
} from "../../compiler/index.ts";
import { add, mul, sum } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSessions } from "../../runtime/programs.ts";
import { createSession } from "../../runtime/session.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { createTrainer, mergeAdapters, type TrainerOptions } from "../../training/index.ts";
import { batches, centred, rows, trainingOn } from "../support/running-mean.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

describe("an adapter's file", () => {
  /** `w` trains, `b` is the base; outside training the running mean is read and not moved. */
  const partly = adapt(
    defineModel({
      name: "partly",
      dims: { rows },
      build: (p) => {
        const { y, ...moved } = centred(p);
        const result = { y: add(y, p.f32("b", [1])) };
        return p.scope.training ? { ...result, ...moved } : result;
      },
    }),
    defineAdapter({ name: "part", train: ["w"] }),
  );
  const base = async () =>
    openBytes(
      writeSafetensors(
        new Map([
          ["w", floats([0.5, -0.25, 1], [3, 1])],
          ["b", floats([2], [1])],
        ]),
      ),
    );
  const trained = async () => {
    const options = trainingOn(referenceDevice(), await base());
    const trainer = await createTrainer(partly, options);
    for (const x of batches.slice(0, 3)) await trainer.step({ x });
    return { trainer, options };
  };
  const x = batches[6]!;

  test("has the states that steps moved, for sessions, resets and other trainings", async () => {
    const { trainer, options } = await trained();
    const adapter = await openBytes(await trainer.saveAdapter());
    const { y } = await trainer.run("forward", { x });
    const mean = [...(await trainer.state("mean"))];

    const plan = compile(traceProgram(partly, "forward"), { target: "reference" });
    const weights = await base();
    const alone = await createSession(plan, referenceDevice(), { weights, adapter });
    const { together } = await createSessions({ together: plan }, referenceDevice(), {
      weights,
      adapter,
    });
    for (const session of [alone, together]) {
      expect([...(await session.run({ x })).y!]).toEqual([...y!]);
      await session.write({ mean: [0, 0, 0] });
      expect([...(await session.run({ x })).y!]).not.toEqual([...y!]);
      await session.reset();
      expect([...(await session.read(["mean"])).mean!]).toEqual(mean);
    }
    const other = await createTrainer(partly, options);
    await other.loadAdapter(adapter);
    expect([...(await other.state("mean"))]).toEqual(mean);
    expect([...(await other.state("batches"))]).toEqual([3]);
    // A step that does not count goes back to what was loaded.
    await other.step({ x: x.map((v, i) => (i === 4 ? 3e38 : v)) });
    expect([...(await other.state("mean"))]).toEqual(mean);
  });

  test("keeps them when it is merged: weights have them too", async () => {
    const { trainer } = await trained();
    const adapter = await openBytes(await trainer.saveAdapter());
    const { y } = await trainer.run("forward", { x });
    const merged = await mergeAdapters(partly, [await base(), adapter]);
    const plan = compile(traceProgram(partly, "forward"), { target: "reference" });
    const session = await createSession(plan, referenceDevice(), { weights: merged });
    expect([...(await session.run({ x })).y!]).toEqual([...y!]);
  });

  test("is refused with another shape of a state (E434), or a state that is NaN (E205)", async () => {
    const { trainer } = await trained();
    const bytes = await trainer.saveAdapter();
    const changed = async (mean: TensorData) => {
      const file = await openBytes(bytes);
      const tensors = new Map<string, TensorData>();
      for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
      tensors.set("state:mean", mean);
      return openBytes(writeSafetensors(tensors, file.metadata));
    };
    const plan = compile(traceProgram(partly, "forward"), { target: "reference" });
    for (const [code, mean] of [
      ["E434", floats([1, 2], [2])],
      ["E205", floats([1, Number.NaN, 2], [3])],
    ] as const) {
      const adapter = await changed(mean);
      const weights = await base();
      const refused = await refusal(() =>
        createSession(plan, referenceDevice(), { weights, adapter }),
      );
      expect(refused.code).toBe(code);
      expect((await refusal(() => trainer.loadAdapter(adapter))).code).toBe(code);
    }
  });

  test("is not written where a counter is beyond what it can hold: E255", async () => {
    const counting = adapt(
      defineModel({
        name: "counting",
        build: (p) => {
          const init: Init = { kind: "constant", value: 2 ** 24 };
          const next = add(state("n", "i32", [1], { init }), 1);
          return { y: sum(mul(p.f32("w", [2]), p.f32("b", [2]))), n: next };
        },
      }),
      defineAdapter({ name: "part", train: ["w"] }),
    );
    const given = await openBytes(
      writeSafetensors(
        new Map([
          ["w", floats([1, 2], [2])],
          ["b", floats([1, 2], [2])],
        ]),
      ),
    );
    const loss: TrainerOptions["loss"] = ({ y }) => ({ y: y! });
    const options = trainingOn(referenceDevice(), given, { loss, programs: {} });
    const trainer = await createTrainer(counting, options);
    await trainer.step({});
    expect((await refusal(() => trainer.saveAdapter())).code).toBe("E255");
    await trainer.reset("n");
    await trainer.saveAdapter();
  });
});
