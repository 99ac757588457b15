/** What a run of the comparison computes on: a kind of device and, of a processor, the number of threads. */
import { availableParallelism } from "node:os";
import type { DeviceKind } from "../../runtime/node/index.ts";

export interface Place {
  readonly kind: DeviceKind;
  /** Of all systems alike; undefined for GPUs. */
  readonly threads?: number;
}

/** Whether the machine's own processor computes, without WebGPU. */
export const isProcessor = ({ kind }: Place): boolean => kind !== "webgpu";

/** Of a comparison: threads of a pool wait for work at full speed, those of ONNX Runtime for up to 40 ms. */
export const pauseAt = ({ threads = 1 }: Place) => (threads > 1 ? { pause: 100 } : {});

/** What distinguishes the names of comparisons: ", 2 threads". */
export const wordsFor = ({ threads }: Place): string =>
  threads === undefined ? "" : `, ${threads} ${threads === 1 ? "thread" : "threads"}`;

/**
 * The places of a run, as the environment says, by which processes of systems are told: INARCH_DEVICE, and the numbers
 * of threads in INARCH_BENCH_THREADS, one and two unless given.
 */
export function placesAsked(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Place[] {
  const kind = (environment.INARCH_DEVICE || "cpu") as DeviceKind;
  if (!isProcessor({ kind })) return [{ kind }];
  const usual = [1, 2].filter((threads) => threads <= availableParallelism());
  const given = environment.INARCH_BENCH_THREADS;
  return (given ? given.split(",").map(Number) : usual).map((threads) => ({ kind, threads }));
}
