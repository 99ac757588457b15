/** How long a run takes: from steps and validations that were measured. */
import type { RunSettings } from "../settings.ts";

/** How far a run is. */
export interface Status {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly rate: number;
  /** Pictures a second, of the last steps. */
  readonly speed: number;
  /** Seconds until the last step, validations included. */
  readonly left: number;
}

export interface Clock {
  /** Since the first step of this start. */
  seconds(): number;
  /** Measures a validation. */
  validation<T>(run: () => Promise<T>): Promise<T>;
  /** After a step. */
  status(step: number, values: { readonly loss: number; readonly rate: number }): Status;
}

/** As many steps as a speed is the mean of. */
const most = 20;

/** Of a start of a run that begins now. */
export function startClock({ steps, batch, validateEvery }: RunSettings): Clock {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  // Validations stand between steps, and count by themselves.
  const [took, checks]: [number[], number[]] = [[], []];
  let last = seconds();
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    seconds,
    async validation(run) {
      const before = seconds();
      const result = await run();
      checks.push(seconds() - before);
      last = seconds();
      return result;
    },
    status(step, { loss, rate }) {
      took.push(seconds() - last);
      last = seconds();
      // The first step of a start also makes what the others find.
      if (took.length > most || took.length === 2) took.shift();
      const each = mean(took);
      const validations = Math.ceil(steps / validateEvery) - Math.floor(step / validateEvery);
      const left = (steps - step) * each + (checks.length > 0 ? validations * mean(checks) : 0);
      return { step, steps, loss, rate, speed: batch / each, left };
    },
  };
}
