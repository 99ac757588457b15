/** Loading that is aborted rejects at once, whatever is under way, and frees what it had made. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, Parameters } from "../../compiler/index.ts";
import { matmul } from "../../ops/index.ts";
import { openBundle } from "../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../runtime/bundle/model.ts";
import type { Device, DeviceBuffer } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { writeWithChecksums } from "../../runtime/weights/index.ts";
import { bundleOf, weightsOf as weightsIn } from "../support/bundles.ts";
import { floats } from "../support/training-file.ts";
import { refusal } from "../support/weights-files.ts";
import { weightsOf } from "../support/weights-of.ts";

const x = input("x", "f32", [2, 3]);
const w = new Parameters().f32("w", [3, 2]);
const plan = compile(graphOf([{ name: "y", tensor: matmul(x, w) }]), { target: "reference" });

/** Aborts in a moment, with a reason of its own. */
function soon() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new RangeError("enough")), 5);
  return controller.signal;
}

const never = () => new Promise<never>(() => {});

/** A device that remembers what it allocated. */
function watched(more: Partial<Device> = {}) {
  const device = referenceDevice();
  const made: DeviceBuffer[] = [];
  const on: Device = {
    ...device,
    async allocate(buffers) {
      const some = await device.allocate(buffers);
      made.push(...some);
      return some;
    },
    ...more,
  };
  return { on, made };
}

describe("a session that is being created", () => {
  test("stops while weights are read", async () => {
    const weights = {
      ...(await weightsOf({ w: [3, 2] })),
      chunks: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
    };
    const { on, made } = watched();
    const loading = createSession(plan, on, { weights, signal: soon() });
    await expect(loading).rejects.toThrow("enough");
    await new Promise((resolve) => setTimeout(resolve));
    expect(made.map((b) => b.isFreed)).toEqual(made.map(() => true));
    expect(made.length).toBeGreaterThan(0);
  });

  test("stops while kernels compile, and tells of no more progress", async () => {
    let finish = () => {};
    const device = referenceDevice();
    const slow: Device["load"] = async (...given) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      given[2]?.(1, 1, "kernels");
      return device.load(...given);
    };
    const { on, made } = watched({ load: slow });
    const told: string[] = [];
    const loading = createSession(plan, on, {
      ...{ weights: await weightsOf({ w: [3, 2] }), signal: soon() },
      onProgress: (_done, _total, what) => told.push(what),
    });
    await expect(loading).rejects.toThrow("enough");
    const before = told.length;
    finish();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(told.length).toBe(before);
    expect(made.every((b) => b.isFreed)).toBe(true);
  });

  test("does not begin with a signal that is aborted already", async () => {
    const { on, made } = watched();
    const weights = await weightsOf({ w: [3, 2] });
    const signal = AbortSignal.abort(new RangeError("enough"));
    await expect(createSession(plan, on, { weights, signal })).rejects.toThrow("enough");
    expect(made).toEqual([]);
  });

  test("says which names the weights have where one is missing (E420)", async () => {
    const help = async (names: Record<string, readonly number[]>) =>
      (
        await refusal(async () =>
          createSession(plan, referenceDevice(), { weights: await weightsOf(names) }),
        )
      ).details.help;
    expect(await help({ W: [3, 2] })).toMatch(/did you mean W\?.*renameWeights/);
    expect(await help({ "layer.weight": [3, 2], "layer.bias": [1] })).toMatch(
      /2 tensors, the first is/,
    );
    expect(await help({})).toContain("they are empty");
  });
});

describe("a bundle that is being opened", () => {
  const parts = { name: "layer", plans: new Map([["forward", plan]]) };

  test("stops while a module is imported, and is not called missing", async () => {
    const bundle = await bundleOf(parts);
    const profiles = [{ ...bundle.profiles[0]!, load: never }];
    const opening = openBundle({ ...bundle, profiles }, referenceDevice(), { signal: soon() });
    await expect(opening).rejects.toThrow("enough");
  });

  test("stops the fetch of its weights", async () => {
    // The request is never answered, and aborted once it has come.
    const controller = new AbortController();
    let closed = 0;
    const server = createServer((_, response) => {
      response.on("close", () => closed++);
      controller.abort(new RangeError("enough"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/w`);
    const weights = { bytes: 1, checksum: "", files: ["w"], urls: () => [url] };
    const bundle = { ...(await bundleOf(parts)), weights };
    const { signal } = controller;
    await expect(loadBundle(bundle, referenceDevice(), { signal })).rejects.toThrow("enough");
    while (closed < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    server.close();
  });
});

describe("weights that are on their way", () => {
  const file = writeWithChecksums(new Map([["w", floats([1, 2, 3, 4, 5, 6], [3, 2])]]));
  const header = file.byteLength - 24;

  /** A server that gives the file in two parts, the second when it is told to. */
  async function served(second: (response: ServerResponse) => void) {
    const server = createServer((_, response) => {
      response.write(file.subarray(0, header));
      second(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/w`);
    const given = await weightsIn(file);
    const plans = new Map([["forward", plan]]);
    const parts = await bundleOf({ name: "small", plans });
    const bundle = { ...parts, weights: { ...given, urls: () => [url] } };
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    return { bundle, close };
  }

  test("kernels compile meanwhile", async () => {
    let begin = () => {};
    const compiling = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const { on } = watched({
      load(...given) {
        begin();
        return referenceDevice().load(...given);
      },
    });
    // It would wait for ever if kernels waited for weights.
    const { bundle, close } = await served(
      (response) => void compiling.then(() => response.end(file.subarray(header))),
    );
    const model = await loadBundle(bundle, on);
    const { y } = await model.run("forward", { x: [1, 0, 0, 0, 1, 0] });
    expect(y).toEqual(new Float32Array([1, 2, 3, 4]));
    close();
  });

  test("E614: cut short", async () => {
    const { bundle, close } = await served((response) => response.end(file.subarray(header, -8)));
    const { on, made } = watched();
    const { code, details } = await refusal(() => loadBundle(bundle, on));
    expect([code, details.message]).toEqual([
      "E614",
      expect.stringContaining(`they have ${file.byteLength - 8} bytes`),
    ]);
    expect(made.every((b) => b.isFreed)).toBe(true);
    close();
  });

  test("E614: more than were built, which come last", async () => {
    const { bundle, close } = await served((response) => {
      response.write(file.subarray(header));
      setTimeout(() => response.end(new Uint8Array(5)), 50);
    });
    const { code, details } = await refusal(() => loadBundle(bundle, watched().on));
    expect([code, details.message]).toEqual([
      "E614",
      `the weights are not those that were built: they have ${file.length + 5} bytes, the bundle of small says ${file.length}`,
    ]);
    close();
  });

  test("E613: a connection that breaks off", async () => {
    const { bundle, close } = await served((response) => {
      setTimeout(() => response.socket?.destroy(), 20);
    });
    const { code, details } = await refusal(() => loadBundle(bundle, referenceDevice()));
    expect([code, details.message]).toEqual(["E613", expect.stringContaining("breaks off")]);
    close();
  });

  test("an abort between two tensors, which the server sees", async () => {
    let isClosed = false;
    const controller = new AbortController();
    const { bundle, close } = await served((response) => {
      response.on("close", () => {
        isClosed = true;
      });
      setTimeout(() => controller.abort(new RangeError("enough")), 30);
    });
    const { on, made } = watched();
    const { signal } = controller;
    await expect(loadBundle(bundle, on, { signal })).rejects.toThrow("enough");
    while (!isClosed) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve));
    expect(made.every((b) => b.isFreed)).toBe(true);
    close();
  });
});
