/**
 * Folds by shuffles: on devices whose subgroups have one width, threads of a tile's row pass each other what
 * they fold, without workgroup memory and without barriers.
 */
import { describe, expect, test, vi } from "vitest";
import { compileStages } from "../../../compiler/compile.ts";
import type { Graph } from "../../../compiler/index.ts";
import { Builder } from "../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { printKernel } from "../../../compiler/kernel/pseudo-text.ts";
import type { Value } from "../../../compiler/kernel/value.ts";
import { unverified } from "../../../compiler/kernel/verify.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import { targetNamed } from "../../../compiler/targets/find.ts";
import { reasonAgainst, type Target } from "../../../compiler/targets/target.ts";
import { kernelText } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { webgpuDevice } from "../../../runtime/devices/webgpu.ts";
import { openDevice, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { type Arrays, evaluate } from "../../../verify/ops/evaluate.ts";
import { unequal } from "../../../verify/ops/faults.ts";
import { findOps } from "../../../verify/ops/programs.ts";
import { deviceTest } from "../../support/device.ts";
import { runKernel } from "../../support/one-kernel.ts";
import { runPlan } from "../../support/run-plan.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";

/** Tiles with several threads in a row, of two subgroups if there are some, come first. */
vi.mock(import("../../../compiler/tile/walk-tiles.ts"), async (original) => {
  const { walkTiles } = await original();
  return {
    walkTiles: (walk, profile) => {
      const far = ({ down, across }: { readonly down: number; readonly across: number }) =>
        (across > 1 && profile.subgroup % across === 0 ? 0 : 1e6) +
        Math.abs(down * across - 2 * profile.subgroup);
      return walkTiles(walk, profile).toSorted((a, b) => far(a) - far(b));
    },
  };
});

const widths = [8, 16, 32, 64];

const profileOf = (subgroup: number, more: Partial<Profile> = {}): Profile => ({
  ...{ ...defaultProfile, name: "shuffles", subgroup, shuffles: true },
  // The forms of one subgroup are for devices whose barriers are slow.
  ...{ slowBarriers: false, ...more },
});

const { subjects } = await findOps();
const attentions = subjects.filter(({ name }) => name.startsWith("attention"));
const samples = attentions.flatMap(({ name, examples, claims }) =>
  examples.map((example, i) => ({ name: `${name}: ${claims[i]}`, example })),
);

const compiled = (graph: Graph, target: string, profile: Profile) =>
  compileStages(graph, { target, profile });

const shuffled = (kernel: Kernel) => /\bshuffle\(/.test(printKernel(kernel));

describe.each(samples)("$name", ({ example }) => {
  test.each(widths)("in subgroups of %i: right, and no barrier can be left out", async (width) => {
    const made = example();
    const { kernels, plan } = compiled(made.graph, "reference", profileOf(width));
    const wanted = await evaluate(made.graph, made.arrays);
    expect(unequal(made, await runPlan(plan, made.arrays, referenceDevice()), wanted)).toBe(
      undefined,
    );
    for (const { kernel } of kernels)
      if (kernel.name.startsWith("attention_")) expect(shuffled(kernel)).toBe(true);
    if (width === 64) return;
    for (const [step, { kernel }] of kernels.entries())
      for (const [n, broken] of withoutBarriers(plan, step, kernel).entries())
        await expect(
          runPlan(broken, made.arrays, referenceDevice()),
          `${kernel.name} without barrier ${n}`,
        ).rejects.toThrow(/E450/);
  });
});

/** The largest sample of attention. */
const large = samples
  .map(({ example }) => example())
  .toSorted((a, b) => sizeOf(a.arrays) - sizeOf(b.arrays))
  .at(-1)!;
function sizeOf(arrays: Arrays): number {
  return Object.values(arrays).reduce((sum, v) => sum + v.length, 0);
}

const kernelsOf = (profile: Profile, target = "wgsl") =>
  compiled(large.graph, target, profile).kernels.map(({ kernel }) => kernel);

describe("what threads of a row fold", () => {
  const { shuffles: _, ...without } = profileOf(32);

  test("takes no workgroup memory and no barrier", () => {
    const [passed, stored] = [kernelsOf(profileOf(32)), kernelsOf(without)];
    const barriers = (kernels: readonly Kernel[]) =>
      kernels.reduce((n, k) => n + printKernel(k).split("barrier;").length - 1, 0);
    const bytes = (kernels: readonly Kernel[]) =>
      kernels
        .flatMap((k) => k.scratch)
        .reduce((n, b) => n + (b.space === "shared" ? b.size : 0), 0);
    expect(passed.some(shuffled)).toBe(true);
    expect(stored.some(shuffled)).toBe(false);
    expect(barriers(passed)).toBeLessThan(barriers(stored));
    expect(bytes(passed)).toBeLessThan(bytes(stored));
  });

  test("goes through memory where no width is known, and on targets without shuffles", () => {
    expect(kernelsOf(profileOf(0)).some(shuffled)).toBe(false);
    for (const [target, width] of [
      ["wasm", 4],
      ["c", 8],
    ] as const)
      expect(kernelsOf(profileOf(width, { deviceClass: "unknown" }), target).some(shuffled)).toBe(
        false,
      );
  });
});

test("a device's profile has shuffles where all subgroups have one width and a number", () => {
  const { capabilities } = referenceDevice();
  const shuffles = (least: number, most: number, numbered: boolean) =>
    deviceProfile({ ...capabilities, subgroups: { least, most, numbered } }).shuffles;
  expect([shuffles(32, 32, true), shuffles(32, 32, false), shuffles(8, 32, true)]).toEqual([
    ...[true, undefined, undefined],
  ]);
  expect(deviceProfile(capabilities).shuffles).toBe(undefined);
});

const threads = 16;

/** Of two subgroups of eight; each thread writes at its number. */
function built(body: (k: Builder, number: Value) => Value): Kernel {
  const k = new Builder();
  const y = k.param("y", "f32", threads, "write");
  const number = k.let("number", k.subgroup(2).mul(8).add(k.lane(8)));
  k.store(y, number, k.let("value", body(k, number)));
  return k.finish("passing", [threads, 1, 1], [1, 1, 1]);
}

const turned = (mask: number) => built((k, number) => k.shuffle(number.cast("f32"), mask));

describe("a shuffle", () => {
  test.each([1, 2, 4, 5])("gives what the lane %i apart has", async (mask) => {
    const { y } = await runKernel(referenceDevice(), turned(mask), {});
    expect([...y!]).toEqual(Array.from({ length: threads }, (_, i) => i ^ mask));
  });

  test("tells nothing of which threads make a subgroup: they need not follow each other", async () => {
    const ofThreads = built((k) => k.shuffle(k.thread(0, threads).cast("f32"), 1));
    const { y } = await runKernel(referenceDevice(), ofThreads, {});
    expect([...y!]).not.toEqual(Array.from({ length: threads }, (_, i) => i ^ 1));
  });

  test.each(
    unverified(
      () =>
        [
          ["that some lanes do not reach", 3],
          ["over another distance in some lanes", 8],
        ] as const,
    ),
  )("%s is objected to (E450)", async (_, most) => {
    const odd = unverified(() =>
      built((k, number) => {
        const got = k.var("got", number.cast("f32"));
        k.if(number.mod(8).lt(3), () => got.set(k.shuffle(number.cast("f32"), 1)));
        if (most === 8)
          k.if(number.mod(8).lt(3).not(), () => got.set(k.shuffle(number.cast("f32"), 2)));
        return got.get;
      }),
    );
    await expect(runKernel(referenceDevice(), odd, {})).rejects.toMatchObject({
      code: "E450",
      message: expect.stringMatching(/divergent shuffle/),
    });
  });

  deviceTest("has the same meaning on a GPU whose subgroups have that width", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    const { subgroup } = deviceProfile(device.capabilities);
    if (subgroup === 8)
      for (const mask of [1, 2, 4, 5]) {
        const { y } = await runKernel(device, turned(mask), {});
        expect([...y!]).toEqual(Array.from({ length: threads }, (_, i) => i ^ mask));
      }
    device.destroy();
  });

  test.each(["c", "wasm"])("is not for %s", (name) => {
    expect(reasonAgainst(targetNamed(name) as Target, turned(1))).toMatch(/several subgroups/);
  });

  test("is __shfl_xor_sync in CUDA", () => {
    const texts = compiled(large.graph, "cuda", profileOf(32)).plan.kernels.map(kernelText);
    expect(texts.join()).toMatch(/__shfl_xor_sync\(0xffffffffu, \w+, 1\)/);
  });
});

describe("WebGPU", () => {
  test("Dawn accepts the text", async () => {
    const gpu = await requestNullGpu();
    for (const width of widths)
      for (const { example, name } of samples)
        for (const { source } of compiled(example().graph, "wgsl", profileOf(width)).plan.kernels) {
          gpu.device.pushErrorScope("validation");
          gpu.device.createShaderModule({ code: source as string });
          const error = await gpu.device.popErrorScope();
          expect(error?.message, `${name}\n${source}`).toBe(undefined);
        }
    gpu.destroy();
  });

  test("a device without numbers of subgroups refuses the plan (E424)", async () => {
    const gpu = await requestNullGpu({ features: ["subgroups"] });
    const device = webgpuDevice(gpu.device, { language: new Set() });
    const { least = 0, most = 0 } = device.capabilities.subgroups ?? {};
    const { plan } = compiled(large.graph, "wgsl", profileOf(least === most ? least : 32));
    await expect(createSession(plan, device)).rejects.toMatchObject({
      code: "E424",
      message: expect.stringMatching(least === most ? /numbers subgroups/ : /needs subgroups/),
    });
    gpu.destroy();
  });

  deviceTest("a device gives what the oracles give", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    const { subgroup, shuffles } = deviceProfile(device.capabilities);
    for (const { example, name } of shuffles ? samples : []) {
      const made = example();
      const { plan } = compiled(made.graph, "wgsl", { ...profileOf(subgroup), rolled: true });
      const got = await runPlan(plan, made.arrays, device);
      const wanted = await evaluate(made.graph, made.arrays);
      expect(unequal(made, got, wanted), name).toBe(undefined);
    }
    device.destroy();
  });
});
