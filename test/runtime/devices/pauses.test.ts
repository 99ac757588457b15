/** Pauses of work on the host. */
import { afterEach, expect, test, vi } from "vitest";
import { pausesFor } from "../../../runtime/devices/pauses.ts";

afterEach(() => void vi.restoreAllMocks());

test("end where timers wait, as those of a page in the background", async () => {
  vi.spyOn(globalThis, "setTimeout").mockImplementation(() => 0 as never);
  const pauses = pausesFor(undefined);
  await pauses.take();
  expect(pauses.isDue()).toBe(false);
});

test("let events pass, an abort among them", async () => {
  const aborting = new AbortController();
  const pauses = pausesFor(aborting.signal);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    aborting.abort(new Error("enough"));
  };
  port2.postMessage(undefined);
  await expect(
    (async () => {
      for (;;) await pauses.take();
    })(),
  ).rejects.toThrow("enough");
});

test("let timers of the same thread pass", async () => {
  let isHeard = false;
  setTimeout(() => {
    isHeard = true;
  }, 1);
  const pauses = pausesFor(undefined);
  for (const end = performance.now() + 5000; !isHeard && performance.now() < end; )
    await pauses.take();
  expect(isHeard).toBe(true);
});
