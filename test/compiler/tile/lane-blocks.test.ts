/** Products of WebAssembly whose operands are read where they lie: which are, and what they compute. */
import { expect, test, vi } from "vitest";
import { compile, input, trace } from "../../../compiler/index.ts";
import type { Tensor } from "../../../compiler/op-kit.ts";
import { deviceProfile } from "../../../compiler/profile.ts";
import { wasm } from "../../../compiler/targets/wasm/index.ts";
import { inPlaceOf } from "../../../compiler/tile/lane-blocks.ts";
import { matmul, permute } from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import { createSession } from "../../../runtime/session.ts";
import { weightsOf } from "../../support/weights-of.ts";

const rows = (m: number, k: number) => input("x", "f32", [m, k]) as Tensor;
const columns = (m: number, k: number) => permute(rows(k, m), [1, 0]);

const product = (m: number, k: number, n: number, left = rows) =>
  trace((p) => ({ y: matmul(left(m, k), p.f32("w", [k, n]) as Tensor) }), {});

test("blocks and what is left over of rows, columns and depth", async () => {
  const device = cpuDevice({ threads: 1 });
  const { target, capabilities } = device;
  for (const [m, k, n] of [
    [3, 5, 16],
    [7, 1021, 24],
    [4, 9000, 20],
    [50, 33, 40],
    [197, 100, 28],
    [98, 1536, 24],
    [13, 768, 260],
  ] as const) {
    const plan = compile(product(m, k, n), { target, profile: deviceProfile(capabilities) });
    const session = await createSession(plan, device, { weights: await weightsOf({ w: [k, n] }) });
    const x = Float32Array.from({ length: m * k }, (_, i) => (i % 3) - 1);
    const { y } = await session.run({ x });
    const exact = (row: number, column: number) => {
      let sum = 0;
      for (let d = 0; d < k; d++) sum += x[row * k + d]! * (d * n + column + 1);
      return sum;
    };
    let largest = 0;
    for (let i = 0; i < m * n; i++)
      largest = Math.max(largest, Math.abs(y![i]! - exact(Math.floor(i / n), i % n)));
    // Sums of up to k terms, none larger than k n.
    expect(largest, `${m} x ${k} x ${n}`).toBeLessThanOrEqual(k * n * 2 ** -24 * Math.sqrt(k) * 4);
    await session.close();
  }
  device.destroy();
});

test("only operands that lie otherwise are copied", () => {
  const { capabilities } = cpuDevice({ threads: 1 });
  const copied = (left: typeof rows) => {
    const print = vi.spyOn(wasm, "print");
    compile(product(24, 64, 48, left), { target: "wasm", profile: deviceProfile(capabilities) });
    const kernels = print.mock.calls.map(([kernel]) => kernel);
    print.mockRestore();
    expect(kernels).toHaveLength(1);
    return kernels[0]!.scratch.some(({ space }) => space === "shared");
  };
  expect(copied(rows)).toBe(false);
  expect(copied(columns)).toBe(true);
});

test("parts are equal, or whole where there are no equal ones", () => {
  for (const m of [3, 14, 196, 197, 4096, 65536])
    for (const k of [1, 4, 384, 1021, 1024, 100_003])
      for (const n of [12, 16, 20, 48, 1000, 4036]) {
        const work = { kind: "product", images: 1, rows: m, columns: n, depths: [k] } as const;
        const { panel, sizes } = inPlaceOf(work, 4)!;
        const what = `${m} x ${k} x ${n}`;
        expect(n % panel, what).toBe(0);
        expect(n % sizes.columns, what).toBe(0);
        expect(sizes.columns % panel, what).toBe(0);
        expect(k % sizes.depth, what).toBe(0);
        expect(sizes.rows, what).toBeLessThanOrEqual(Math.max(12, m));
        expect(Number.isInteger(sizes.rows) && sizes.rows > 0, what).toBe(true);
      }
  const narrow = { kind: "product", images: 1, rows: 8, columns: 10, depths: [8] } as const;
  expect(inPlaceOf(narrow, 4)).toBeUndefined();
});
