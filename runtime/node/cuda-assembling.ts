/** How the driver assembles PTX, in whatever thread. */
import { type CudaDriver, CudaFailure } from "./cuda-driver.ts";

export interface Job {
  /** The kernel's name, for the driver's words. */
  readonly name: string;
  readonly text: string;
}

export type Assembled =
  | { readonly cubin: Uint8Array<ArrayBuffer> }
  /** The call that failed, and what the assembler says. */
  | { readonly failure: Pick<CudaFailure, "call" | "code" | "words">; readonly log: string };

/** Memory of the host that stays where it is: the driver writes there. */
export interface HostMemory {
  readonly address: bigint;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** For what calls are told: arguments of a launch, options, and what the assembler says. */
const hostBytes = 16 * 1024;
const logAt = 8 * 1024;

export function hostMemory(driver: CudaDriver): HostMemory {
  const address = driver.made("cuMemHostAlloc", hostBytes, 0);
  return { address, bytes: driver.view(address, hostBytes) };
}

/** What is linked. */
const ptxInput = 1;
const options = { errorLog: 5, errorLogBytes: 6 } as const;

/** For the GPU of the context that is this thread's. */
export function assembled(
  driver: CudaDriver,
  { address, bytes }: HostMemory,
  { name, text }: Job,
): Assembled {
  const log = bytes.subarray(logAt).fill(0);
  new Int32Array(bytes.buffer, bytes.byteOffset, 2).set([options.errorLog, options.errorLogBytes]);
  const values = new BigUint64Array(bytes.buffer, bytes.byteOffset + 8, 2);
  values.set([address + BigInt(logAt), BigInt(log.length)]);
  const state = new BigUint64Array(1);
  try {
    driver.call("cuLinkCreate_v2", 2, address, address + 8n, state);
    const given = new TextEncoder().encode(`${text}\0`);
    driver.call("cuLinkAddData_v2", state[0]!, ptxInput, given, given.length, name, 0, null, null);
    const [cubin, size] = [new BigUint64Array(1), new BigUint64Array(1)];
    driver.call("cuLinkComplete", state[0]!, cubin, size);
    return { cubin: driver.view(cubin[0]!, Number(size[0])).slice() };
  } catch (cause) {
    if (!(cause instanceof CudaFailure)) throw cause;
    const { call, code, words } = cause;
    return { failure: { call, code, words }, log: new TextDecoder().decode(log).split("\0")[0]! };
  } finally {
    if (state[0] !== 0n) driver.try("cuLinkDestroy", state[0]!);
  }
}
