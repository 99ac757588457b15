/** What a training session trains. */
import { bug } from "../../diagnostics/index.ts";
import type { Device, DeviceBuffer } from "../devices/device.ts";
import type { TrainingPlan } from "./plan.ts";
import type { Settings } from "./settings.ts";
import type { ModelStates } from "./states.ts";

/** What is trained, and where it is. */
export interface Trained {
  readonly plan: TrainingPlan;
  readonly device: Device;
  readonly states: ReadonlyMap<string, DeviceBuffer>;
  /** The model's own. */
  readonly model: ModelStates;
  /** Fingerprints of the frozen tensors as they are, by name. */
  readonly base: Map<string, string>;
  readonly seed: number;
  readonly settings: Settings;
}

export const stateOf = ({ states }: Trained, name: string): DeviceBuffer =>
  states.get(name) ?? bug(`no state ${name}`);
