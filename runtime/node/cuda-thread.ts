/** A thread that assembles PTX for the GPU of a context, which another thread has opened. */
import { parentPort, workerData } from "node:worker_threads";
import { assembled, hostMemory, type Job } from "./cuda-assembling.ts";
import { loadDriver } from "./cuda-driver.ts";

export interface ThreadStart {
  /** The driver's library. */
  readonly path: string;
  readonly context: bigint;
}

const { path, context } = workerData as ThreadStart;
const driver = await loadDriver(path);
driver.call("cuCtxSetCurrent", context);
const host = hostMemory(driver);
parentPort!.on("message", (job: Job | undefined) => {
  // Without a job, it is to end.
  if (job) parentPort!.postMessage(assembled(driver, host, job));
  else parentPort!.close();
});
