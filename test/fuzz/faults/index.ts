/** Every fault that can be put back. */
import { callFaults, stateFaults } from "./calls.ts";
import type { Fault } from "./fault.ts";
import { graphFaults } from "./graphs.ts";

export const faults: readonly Fault[] = [...callFaults, ...stateFaults, ...graphFaults];
