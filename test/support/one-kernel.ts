/** Runs one kernel on a device of any target, without a plan around it. */
import type { Kernel } from "../../compiler/kernel/ir.ts";
import { targetNamed } from "../../compiler/targets/find.ts";
import { PlanKernels } from "../../compiler/targets/plan-kernels.ts";
import { type FormatName, formatOf, storedBytes } from "../../formats/index.ts";
import type { Device, Numbers } from "../../runtime/devices/device.ts";

/** What each parameter holds before, and after. Words of formats that only memory has. */
export type Held = Numbers | Uint16Array<ArrayBuffer>;

/** The parameters after one run of all workgroups. Those that are written need not be given. */
export async function runKernel(
  device: Device,
  kernel: Kernel,
  given: Readonly<Record<string, Held>>,
): Promise<Record<string, Numbers>> {
  const kernels = new PlanKernels(targetNamed(device.target));
  kernels.add(
    kernel,
    kernel.params.map((b) => (b.writable ? "output" : "input")),
  );
  const sizes = kernel.params.map((b) => storedBytes(b.scalar as FormatName, b.size));
  const buffers = await device.allocate(sizes.map((bytes) => ({ bytes, role: "input" as const })));
  for (const [i, b] of kernel.params.entries())
    if (given[b.name]) await device.write(buffers[i]!, 0, wholeWords(given[b.name]!));
  const bindings = sizes.map((bytes, buffer) => ({ buffer, offset: 0, bytes }));
  const step = { kernel: 0, groups: kernel.groups, bindings, label: kernel.name };
  const plan = { name: kernel.name, kernels: kernels.all, steps: [step], commits: [] };
  const program = await device.load(plan, buffers);
  await program.run();
  const results: Record<string, Numbers> = {};
  for (const [i, b] of kernel.params.entries()) {
    const scalar = formatOf(b.scalar as FormatName).array ? (b.scalar as "f32") : "u32";
    if (b.writable) results[b.name] = await device.read(buffers[i]!, 0, sizes[i]! / 4, scalar);
  }
  for (const buffer of buffers) buffer.destroy();
  return results;
}

function wholeWords(held: Held): ArrayBufferView<ArrayBuffer> {
  if (held.byteLength % 4 === 0) return held;
  const words = new Uint8Array(Math.ceil(held.byteLength / 4) * 4);
  words.set(new Uint8Array(held.buffer, held.byteOffset, held.byteLength));
  return words;
}
