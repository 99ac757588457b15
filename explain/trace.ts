/**
 * The measured steps in the trace event format, which chrome://tracing and Perfetto read. Steps are
 * measured one at a time, so the trace lays them end to end.
 */
import type { ProgramFacts } from "./facts.ts";
import type { Measured } from "./measure.ts";

export interface Trace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ms";
  readonly otherData: Readonly<Record<string, string>>;
}

/** `X` is something that takes a while, `M` a name. Times are in microseconds. */
export type TraceEvent =
  | {
      readonly ph: "X";
      readonly name: string;
      readonly cat: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
      readonly args: Readonly<Record<string, string | number>>;
    }
  | {
      readonly ph: "M";
      readonly name: "process_name" | "thread_name";
      readonly pid: number;
      readonly tid: number;
      readonly args: { readonly name: string };
    };

/** Each program is a process with two threads: its blocks, and its steps. */
export function traceOf(
  model: string,
  programs: readonly { readonly facts: ProgramFacts; readonly measured: Measured }[],
): Trace {
  return {
    displayTimeUnit: "ms",
    otherData: { model, device: programs[0]?.measured.device ?? "none" },
    traceEvents: programs.flatMap(({ facts, measured }, i) => eventsOf(facts, measured, i + 1)),
  };
}

const threads = { blocks: 1, steps: 2 } as const;

function eventsOf(facts: ProgramFacts, { steps }: Measured, pid: number): TraceEvent[] {
  const ends: number[] = [];
  let now = 0;
  for (const milliseconds of steps) {
    now += milliseconds * 1000;
    ends.push(now);
  }
  const name = (what: "process_name" | "thread_name", tid: number, name: string): TraceEvent => ({
    ph: "M",
    name: what,
    pid,
    tid,
    args: { name },
  });
  return [
    name("process_name", 0, facts.program),
    name("thread_name", threads.blocks, "blocks"),
    name("thread_name", threads.steps, "steps"),
    ...facts.blocks.map(({ name, first, end }): TraceEvent => {
      const ts = ends[first - 1] ?? 0;
      const args = { steps: end - first };
      const dur = ends[end - 1]! - ts;
      return { ph: "X", name, cat: "block", pid, tid: threads.blocks, ts, dur, args };
    }),
    ...facts.regions.map((region, i): TraceEvent => {
      const { work, step, groups } = region;
      const args = {
        step,
        kernel: facts.kernels[region.kernel]!.name,
        groups,
        multiplications: work.multiplications,
        bytes: work.bytes,
      };
      const ts = ends[i - 1] ?? 0;
      const dur = steps[i]! * 1000;
      const label = region.title === region.op ? region.op : `${region.title} (${region.op})`;
      return { ph: "X", name: label, cat: "step", pid, tid: threads.steps, ts, dur, args };
    }),
  ];
}
