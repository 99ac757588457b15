/** Our own programs: one device for all of this process, sessions as an application has them. */
import { compile, deviceProfile, type Graph } from "../../compiler/index.ts";
import { createSession } from "../../runtime/index.ts";
import { type DeviceOptions, type OpenedDevice, openDevice } from "../../runtime/node/index.ts";
import type { Weights } from "../../runtime/weights/index.ts";
import type { Runner } from "../measure/comparison.ts";
import type { Place } from "../measure/place.ts";
import type { NamedShape } from "../problems/numbers.ts";

let opened: Promise<OpenedDevice> | undefined;

/** The device, opened once: a process sees one place. */
export function ourDevice({ kind, threads }: Place): Promise<OpenedDevice> {
  const options = threads === undefined ? { kind } : { kind, threads };
  opened ??= openDevice(options as DeviceOptions);
  return opened;
}

export interface OurProgram {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  /** Of the plan's parameters. */
  readonly weights: (parameters: readonly NamedShape[]) => Weights;
}

/** A program of one output, compiled for the device at hand. */
export async function openOurs(
  { graph, inputs, weights }: OurProgram,
  place: Place,
): Promise<Runner> {
  const { device } = await ourDevice(place);
  const { target, capabilities } = device;
  const plan = compile(graph, { target, profile: deviceProfile(capabilities) });
  const session = await createSession(plan, device, { weights: weights(plan.parameters) });
  const output = plan.outputs[0]!.name;
  return {
    facts: `dispatches: ${plan.steps.length}`,
    run: async () => (await session.run(inputs))[output] as Float32Array,
    close: () => session.close(),
  };
}
