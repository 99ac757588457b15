/** A session whose device is lost goes on on another. */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, Parameters } from "../../compiler/index.ts";
import { add, matmul } from "../../ops/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import { createSession } from "../../runtime/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const target = "wasm";
const open = () => cpuDevice({ threads: 1 });
const linear = graphOf([
  {
    name: "y",
    tensor: add(matmul(input("x", "f32", [2, 3]), new Parameters().f32("w", [3, 2])), 1),
  },
]);
const plan = compile(linear, { name: "linear", target });
const weights = await openBytes(
  writeSafetensors(new Map([["w", floats([1, 2, 3, 4, 5, 6], [3, 2])]]), {}),
);
const x = [1, 0, 0, 0, 1, 0];
const wanted = { y: Float32Array.from([2, 3, 4, 5]) };

describe("a session whose device is lost", () => {
  test("runs on another, with its weights, once its inputs are given again", async () => {
    const device = open();
    const session = await createSession(plan, device, { weights });
    expect(await session.run({ x })).toEqual(wanted);
    device.destroy();
    expect((await refusal(() => session.run({ x }))).code).toBe("E422");
    await session.restore(open());
    expect((await refusal(() => session.run())).code).toBe("E420");
    expect(await session.run({ x })).toEqual(wanted);
    await session.close();
  });

  test("may be restored again where that failed, or moved while all is well", async () => {
    const session = await createSession(plan, open(), { weights });
    const gone = open();
    gone.destroy();
    expect((await refusal(() => session.restore(gone))).code).toBe("E422");
    expect(await session.run({ x })).toEqual(wanted);
    const before = session.run({ x });
    await session.restore(open());
    expect(await before).toEqual(wanted);
    expect(await session.run({ x })).toEqual(wanted);
  });

  test("is bound to the tensors of the other device that it is given", async () => {
    const twice = graphOf([{ name: "z", tensor: add(input("y", "f32", [2, 2]), 0.5) }]);
    const device = open();
    const first = await createSession(plan, device, { weights });
    const bound = { bind: { y: first.output("y") } };
    const second = await createSession(compile(twice, { target }), device, bound);
    device.destroy();
    const other = open();
    await first.restore(other);
    expect((await refusal(() => second.restore(other))).message).toMatch(/another device/);
    await second.restore(other, { bind: { y: first.output("y") } });
    await first.run({ x }, []);
    expect(await second.run()).toEqual({ z: Float32Array.from([2.5, 3.5, 4.5, 5.5]) });
  });

  test("E427: not once it is closed, or is being closed", async () => {
    const session = await createSession(plan, open(), { weights });
    const restoring = refusal(() => session.restore(open()));
    await session.close();
    expect((await restoring).code).toBe("E427");
    expect((await refusal(() => session.restore(open()))).code).toBe("E427");
  });
});
