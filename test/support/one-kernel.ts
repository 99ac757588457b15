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
  const [only] = await runKernels(device, [kernel], given);
  return only!;
}

/** Of each kernel, with memory of its own: they are compiled together. */
export async function runKernels(
  device: Device,
  all: readonly Kernel[],
  given: Readonly<Record<string, Held>>,
): Promise<Record<string, Numbers>[]> {
  const kernels = new PlanKernels(targetNamed(device.target));
  const params = all.flatMap((kernel) => kernel.params);
  const sizes = params.map((b) => storedBytes(b.scalar as FormatName, b.size));
  const buffers = await device.allocate(sizes.map((bytes) => ({ bytes, role: "input" as const })));
  for (const [i, b] of params.entries())
    if (given[b.name]) await device.write(buffers[i]!, 0, wholeWords(given[b.name]!));
  const bindings = sizes.map((bytes, buffer) => ({ buffer, offset: 0, bytes }));
  const rest = [...bindings];
  const steps = all.map((kernel) => {
    const roles = kernel.params.map((b) => (b.writable ? "output" : "input"));
    const own = rest.splice(0, kernel.params.length);
    return {
      kernel: kernels.add(kernel, roles),
      groups: kernel.groups,
      bindings: own,
      label: kernel.name,
    };
  });
  const plan = { name: all[0]!.name, kernels: kernels.all, steps, commits: [] };
  const program = await device.load(plan, buffers);
  await program.run();
  const results = await Promise.all(
    steps.map(async ({ bindings: own }, k) => {
      const { params } = all[k]!;
      const written = params.map(async ({ name, scalar, writable }, i) => {
        const { buffer, bytes } = own[i]!;
        const of = formatOf(scalar as FormatName).array ? (scalar as "f32") : "u32";
        return writable
          ? ([[name, await device.read(buffers[buffer]!, 0, bytes / 4, of)]] as const)
          : [];
      });
      return Object.fromEntries((await Promise.all(written)).flat());
    }),
  );
  for (const buffer of buffers) buffer.destroy();
  return results;
}

function wholeWords(held: Held): ArrayBufferView<ArrayBuffer> {
  if (held.byteLength % 4 === 0) return held;
  const words = new Uint8Array(Math.ceil(held.byteLength / 4) * 4);
  words.set(new Uint8Array(held.buffer, held.byteOffset, held.byteLength));
  return words;
}
