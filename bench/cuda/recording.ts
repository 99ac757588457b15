/** A reference device that keeps what lies in memory before and after each step that somebody asks for. */
import type { PlanStep } from "../../compiler/plan.ts";
import type { Device, DeviceBuffer, StepTime } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";

type Held = readonly (Uint32Array<ArrayBuffer> | undefined)[];

export interface RecordedStep {
  /** Of the plan. */
  readonly plan: string;
  readonly number: number;
  /** What each binding held; undefined where not all of it was written. */
  readonly before: Held;
  readonly after: Held;
  /** Runs the step on other numbers. @returns what the bindings hold then. */
  again(before: Held): Promise<Held>;
}

export function recordingDevice(
  isWanted: (plan: string, step: number) => boolean,
  record: (step: RecordedStep) => void,
): Device {
  const inner = referenceDevice();
  return {
    ...inner,
    async load(plan, buffers) {
      const { name, commits } = plan;
      const single = async (step: PlanStep) => {
        const kernels = [plan.kernels[step.kernel]!];
        const own = { ...step, kernel: 0 };
        const program = { name, kernels, steps: [own], commits: [] };
        const again = (before: Held) =>
          runAlone(inner, { ...program, steps: [apart(own)] }, before);
        return { step, again, program: await inner.load(program, buffers) };
      };
      const singles = await Promise.all(plan.steps.map(single));
      const last = await inner.load({ name, kernels: [], steps: [], commits }, buffers);
      const run = async (signal?: AbortSignal) => {
        for (const [number, { step, program, again }] of singles.entries()) {
          const wanted = isWanted(name, number);
          const before = wanted ? await held(inner, step, buffers) : [];
          await (await program.run(signal)).accepted;
          if (!wanted) continue;
          record({ plan: name, number, before, after: await held(inner, step, buffers), again });
        }
        return last.run(signal);
      };
      return { run, profile: async (): Promise<readonly StepTime[]> => [] };
    },
  };
}

/** The step with a buffer for each binding. */
export const apart = (step: PlanStep): PlanStep => ({
  ...step,
  bindings: step.bindings.map((place, buffer) => ({ ...place, buffer, offset: 0 })),
});

async function runAlone(
  device: Device,
  program: Parameters<Device["load"]>[0],
  before: Held,
): Promise<Held> {
  const [step] = program.steps;
  const buffers = await device.allocate(
    step!.bindings.map(({ bytes }) => ({ role: "arena" as const, bytes })),
  );
  for (const [i, words] of before.entries()) if (words) await device.write(buffers[i]!, 0, words);
  await (await (await device.load(program, buffers)).run()).accepted;
  return held(device, step!, buffers);
}

const held = (device: Device, { bindings }: PlanStep, buffers: readonly DeviceBuffer[]) =>
  Promise.all(
    bindings.map(async ({ buffer, offset, bytes }) => {
      try {
        const words = await device.read(buffers[buffer]!, offset, Math.ceil(bytes / 4), "u32");
        return words as Uint32Array<ArrayBuffer>;
      } catch {
        return undefined;
      }
    }),
  );
