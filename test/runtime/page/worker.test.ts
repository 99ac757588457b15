/** A model on the other side of a channel: the same methods, arguments, results, errors, aborts and progress. */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, Parameters } from "../../../compiler/index.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { matmul } from "../../../ops/index.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { connect } from "../../../runtime/page/connect.ts";
import { type Loading, serve } from "../../../runtime/page/serve.ts";
import { writeWithChecksums } from "../../../runtime/weights/index.ts";
import { bundleOf } from "../../support/bundles.ts";
import { floats } from "../../support/training-file.ts";
import { refusal } from "../../support/weights-files.ts";

/** The two ends of a model's channel. */
function joined(load: (loading: Loading) => object | Promise<object>) {
  const { port1, port2 } = new MessageChannel();
  serve(load, port2 as never);
  const close = () => port1.close();
  return { port: port1 as unknown as MessagePort, close };
}

const plan = compile(
  graphOf([
    { name: "y", tensor: matmul(input("x", "f32", [1, 2]), new Parameters().f32("w", [2, 2])) },
  ]),
  { target: "reference" },
);
const weights = writeWithChecksums(new Map([["w", floats([1, 2, 3, 4], [2, 2])]]));
const bundle = await bundleOf({ name: "small", plans: new Map([["forward", plan]]), weights });

interface Small {
  forward(
    inputs: { x: number[] | Float32Array<ArrayBuffer> },
    options?: object,
  ): Promise<{ y: Float32Array }>;
  readonly lost: Promise<string>;
  readonly profile: string;
  memory(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

const small = async (loading: Loading): Promise<Small> => {
  const model = await loadBundle(bundle, referenceDevice(), loading);
  return {
    forward: async (inputs, options) =>
      (await model.run("forward", inputs, options)) as { y: Float32Array },
    lost: model.lost,
    profile: model.profile,
    memory: () => model.memory(),
    close: () => model.close(),
  };
};

describe("a model that is served", () => {
  test("has its members, and tells of its loading", async () => {
    const { port, close } = joined(small);
    const seen: unknown[] = [];
    const model = await connect<Small>(port, { onProgress: (...told) => seen.push(told) });
    expect(seen).toContainEqual([16, 16, "bytes of weights"]);
    expect(model.profile).toBe("only");
    expect(model.lost).toBeInstanceOf(Promise);
    expect(await model.memory()).toMatchObject({ weights: 16 });
    const x = new Float32Array([1, 2]);
    expect((await model.forward({ x })).y).toEqual(new Float32Array([7, 10]));
    // What was given is still there.
    expect(x).toEqual(new Float32Array([1, 2]));
    const runs = [1, 2, 3].map((one) => model.forward({ x: [one, 0] }));
    expect((await Promise.all(runs)).map(({ y }) => y[0])).toEqual([1, 2, 3]);
    await model.close();
    close();
  });

  test("rejects with its own errors", async () => {
    const { port, close } = joined(small);
    const model = await connect<Small>(port);
    const error = await refusal(() => model.forward({ z: [] } as never));
    expect(error).toBeInstanceOf(InarchError);
    expect([error.code, error.details.message]).toEqual(["E420", expect.stringContaining("z")]);
    await model.close();
    expect((await refusal(() => model.forward({ x: [1, 2] }))).code).toBe("E427");
    close();
  });

  test("gives the arrays of results away", async () => {
    const kept = new Float32Array([1, 2, 3]);
    const { port, close } = joined(() => ({ give: () => ({ kept, twice: [kept] }) }));
    const { give } = await connect<{ give(): { kept: Float32Array } }>(port);
    expect((await give()).kept).toEqual(new Float32Array([1, 2, 3]));
    expect(kept.length).toBe(0);
    close();
  });

  test("has the promises of now: after a restore the loss is that of the next device", async () => {
    const losses = [0, 1].map(() => {
      let resolve = (_: string) => {};
      const promise = new Promise<string>((done) => {
        resolve = done;
      });
      return { promise, resolve };
    });
    let now = 0;
    const { port, close } = joined(() => ({
      get lost() {
        return losses[now]!.promise;
      },
      restore() {
        now++;
      },
    }));
    const model = await connect<{ readonly lost: Promise<string>; restore(): void }>(port);
    const first = model.lost;
    losses[0]!.resolve("the first");
    expect(await first).toBe("the first");
    await model.restore();
    const second = model.lost;
    losses[1]!.resolve("the second");
    expect(await second).toBe("the second");
    close();
  });

  test("is aborted: the call rejects at once, and the worker is told", async () => {
    let told: (aborted: boolean) => void;
    const heard = new Promise<boolean>((resolve) => {
      told = resolve;
    });
    const { port, close } = joined(() => ({
      work: ({ signal }: { signal: AbortSignal }) =>
        new Promise(() => signal.addEventListener("abort", () => told(signal.aborted))),
    }));
    const model = await connect<{ work(options: { signal: AbortSignal }): Promise<void> }>(port);
    const controller = new AbortController();
    const working = model.work({ signal: controller.signal });
    controller.abort(new RangeError("enough"));
    await expect(working).rejects.toThrow("enough");
    expect(await heard).toBe(true);
    await expect(model.work({ signal: controller.signal })).rejects.toThrow("enough");
    close();
  });

  test("is aborted while it is loaded, and before anybody answers", async () => {
    const { port, close } = joined(() => new Promise(() => {}));
    const loading = new AbortController();
    const connecting = connect(port, { signal: loading.signal });
    setTimeout(() => loading.abort(new RangeError("enough")), 20);
    await expect(connecting).rejects.toThrow("enough");
    close();
    const silent = new MessageChannel();
    const signal = AbortSignal.timeout(20);
    await expect(connect(silent.port1 as never, { signal })).rejects.toThrow(/timeout/i);
    silent.port1.close();
  });
});

test("E415: what cannot be cloned, there and back", async () => {
  const { port, close } = joined(() => ({
    echo: (value: unknown) => value,
    give: () => () => 1,
    fail: () => Promise.reject(() => 1),
  }));
  const model = await connect<{ echo(value: unknown): unknown; give(): unknown; fail(): void }>(
    port,
  );
  expect((await refusal(() => model.echo([() => 1]))).code).toBe("E415");
  expect((await refusal(() => model.give())).code).toBe("E415");
  expect((await refusal(() => model.fail())).code).toBe("E415");
  expect(await model.echo({ x: 1 })).toEqual({ x: 1 });
  close();
});

test("E443: a signal that is none", async () => {
  const { port, close } = joined(small);
  expect((await refusal(() => connect(port, { signal: {} as never }))).code).toBe("E443");
  close();
});
