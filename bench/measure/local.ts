/** Runs and times a contestant in the process at hand. */
import type { Contestant } from "./comparison.ts";
import type { Handle, Timing } from "./rounds.ts";

export async function openHere(contestant: Contestant): Promise<Handle> {
  const runner = await contestant.open();
  rest();
  let last: Float32Array | undefined;
  return {
    facts: runner.facts,
    async run() {
      const idle = sinceLastRun();
      const start = performance.now();
      last = await runner.run();
      const milliseconds = performance.now() - start;
      rest();
      return { milliseconds, idle };
    },
    result: async () => {
      rest();
      return last ?? new Float32Array(0);
    },
    close: async () => runner.close(),
  };
}

let resting: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;

function rest(): void {
  resting = { at: performance.now(), cpu: process.cpuUsage() };
}

/** Of this process, whoever of it ran last. */
function sinceLastRun(): Timing["idle"] {
  if (!resting) return { elapsed: 0, used: 0 };
  const { user, system } = process.cpuUsage(resting.cpu);
  return { elapsed: performance.now() - resting.at, used: (user + system) / 1000 };
}
