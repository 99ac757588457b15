/**
 * Makes the calls as drawn, and once more one by one in plain numbers, without those that were refused or
 * aborted: every result must be the same. What is refused says why, with a code.
 */
import { InarchError } from "../../../diagnostics/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { webgpuDevice } from "../../../runtime/devices/webgpu.ts";
import { requestGpu } from "../../../runtime/node/index.ts";
import { type Call, overwrite, real, showCall } from "./call.ts";
import type { CallsCase } from "./draw.ts";
import { anything, type Host, hosts, refused, type Twin, type Watch } from "./hosts.ts";

interface Done {
  readonly value?: unknown;
  readonly error?: unknown;
  /** From the abort to the end, in milliseconds. */
  readonly late?: number;
}

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));

const turn = () => new Promise((resolve) => setImmediate(resolve));

export async function callsFault(
  drawn: CallsCase,
  gpu: Device | undefined,
): Promise<string | undefined> {
  unhandled.length = 0;
  const { device, lose, end } = await deviceFor(drawn, gpu);
  try {
    const host = await (hosts[drawn.host].open as (d: Device, micro: number) => Promise<Host>)(
      device,
      drawn.micro,
    );
    const done = await makeAll(drawn.calls, host, lose);
    if (done === undefined) return "the calls have not ended after 30 s";
    await Promise.resolve(host.close()).catch(() => {});
    await turn();
    if (unhandled.length > 0) return `an unhandled rejection: ${words(unhandled[0])}`;
    return await judged(drawn, done, gpu);
  } catch (error) {
    return `opening failed: ${words(error)}`;
  } finally {
    end();
  }
}

async function deviceFor({ on }: CallsCase, gpu: Device | undefined) {
  const nothing = { lose: () => {}, end: () => {} };
  if (on === "reference" || !gpu) return { device: referenceDevice(), ...nothing };
  if (on === "webgpu") return { device: gpu, ...nothing };
  const own = await requestGpu();
  return {
    device: webgpuDevice(own.device),
    lose: () => own.device.destroy(),
    end: () => own.destroy(),
  };
}

const reason = new RangeError("enough");

async function makeAll(
  calls: readonly Call[],
  host: Host,
  lose: () => void,
): Promise<readonly Done[] | undefined> {
  const pending: Promise<Done>[] = [];
  for (const call of calls) {
    if (call.after === "promises") await Promise.resolve();
    if (call.after === "events") await turn();
    if (call.after === "all") await Promise.all(pending);
    pending.push(makeOne(call, host, lose));
  }
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), 30_000);
  });
  const all = await Promise.race([Promise.all(pending), hang]);
  clearTimeout(timer);
  return all;
}

/** The call is made before this returns. */
function makeOne(call: Call, host: Host, lose: () => void): Promise<Done> {
  const controller = new AbortController();
  if (call.method === "lose") {
    lose();
    return Promise.resolve({});
  }
  let aborted: number | undefined;
  const abort = () => {
    aborted = performance.now();
    controller.abort(reason);
  };
  if (call.abort !== undefined && call.abort < 0) abort();
  const args = call.args.map(real);
  const finished = (rest: Done): Done => ({
    ...rest,
    ...(aborted === undefined ? {} : { late: performance.now() - aborted }),
  });
  let made: unknown;
  try {
    made =
      call.method === "close"
        ? host.close()
        : host.call(
            call.method,
            args,
            call.abort === undefined ? undefined : { signal: controller.signal },
          );
  } catch (error) {
    // Nothing that returns a promise throws instead.
    made = Promise.reject(new TypeError(`thrown, not rejected: ${words(error)}`));
  }
  if (call.abort !== undefined && call.abort === 0) queueMicrotask(abort);
  if (call.abort !== undefined && call.abort > 0) setTimeout(abort, call.abort);
  if (call.overwritten) overwrite(args);
  return Promise.resolve(made).then(
    (value) => finished({ value }),
    (error) => finished({ error }),
  );
}

/** What does not fit what plain numbers give. */
async function judged(
  { host, on, micro, calls }: CallsCase,
  done: readonly Done[],
  gpu: Device | undefined,
): Promise<string | undefined> {
  const kind = hosts[host] as { readonly twin?: () => Twin; readonly watch?: () => Watch };
  const open = hosts[host].open as (d: Device, micro: number) => Promise<Host>;
  const device = on === "reference" || !gpu ? referenceDevice() : gpu;
  const same = kind.twin ? undefined : await open(device, micro);
  const twin = kind.twin?.();
  const watch = kind.watch?.();
  let [isClosed, isLost] = [false, false];
  for (const [i, call] of calls.entries()) {
    const { value, error, late } = done[i]!;
    const say = (text: string) => `call ${i + 1}, ${showCall(call)}: ${text}`;
    if (call.method === "close" || call.method === "lose") {
      if (call.method === "close") isClosed = true;
      else isLost = true;
      if (error !== undefined) return say(`failed with ${words(error)}`);
      continue;
    }
    const isAborted = error === reason;
    if (isAborted && call.abort === undefined) return say("was aborted by another call's signal");
    if (isAborted && late !== undefined && late > 1000)
      return say(`rejected ${Math.round(late)} ms after its abort`);
    if (isAborted) continue;
    // A result that came just before the abort counts.
    if (error === undefined && late !== undefined && (call.abort! < 0 || late > 100))
      return say(`gave a result ${Math.round(late)} ms after its abort`);
    if (error !== undefined && !(error instanceof InarchError && error.code !== "E900")) {
      return say(`failed with ${words(error)}`);
    }
    const code = error instanceof InarchError ? error.code : undefined;
    if (isClosed) {
      if (code !== "E427" && !(call.bad && code))
        return say(`after close it gave ${code ?? "a result"}, not E427`);
      continue;
    }
    if (isLost || (calls.some(({ method }) => method === "lose") && code === "E422")) {
      if (code === undefined && isLost) return say("gave a result on a lost device");
      if (code !== undefined && code !== "E422" && !call.bad)
        return say(`gave ${code} on a lost device, not E422`);
      continue;
    }
    if (call.bad) {
      if (code === undefined) return say("was not refused");
      continue;
    }
    const args = call.args.map(real);
    const wanted = twin ? twin(call.method, args) : await settled(same!, call.method, args);
    if (wanted === anything) continue;
    if (wanted === refused) {
      if (code === undefined) return say("gave a result, though what it needs was never given");
      continue;
    }
    if (code !== undefined) return say(`was refused: ${words(error)}`);
    const seen = watch?.(call.method, args, value);
    if (seen) return say(seen);
    const [got, expected] = [plain(value), plain(wanted)];
    if (call.method !== "one.profile" && got !== expected)
      return say(`gave ${got}, one by one it is ${expected}`);
  }
  return undefined;
}

async function settled(host: Host, method: string, args: readonly unknown[]): Promise<unknown> {
  try {
    return await host.call(method, args);
  } catch {
    return refused;
  }
}

/** Results as text: typed arrays as lists, files by their bytes. */
const plain = (value: unknown): string =>
  JSON.stringify(value ?? null, (_name, x) =>
    ArrayBuffer.isView(x) ? Array.from(x as Float32Array) : Object.is(x, -0) ? 0 : x,
  ).slice(0, 4000);

function words(error: unknown): string {
  if (error instanceof InarchError) return `${error.code}: ${error.details.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
