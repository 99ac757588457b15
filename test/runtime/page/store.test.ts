/** What a page's store says of a browser that keeps nothing, or no more. The browser is a stand-in here. */
import { afterEach, expect, test, vi } from "vitest";
import { openFileStore } from "../../../runtime/page/store.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A request or a transaction that ends as IndexedDB says it: by an event that comes later. */
function later(event: string, fields: object): Record<string, unknown> {
  const one: Record<string, unknown> = { ...fields };
  queueMicrotask(() => (one[event] as (() => void) | undefined)?.());
  return one;
}

const failure = (name: string) => new DOMException("it is full", name);

test("a site that may keep nothing is told so: E623", async () => {
  vi.stubGlobal("indexedDB", {
    open: () => later("onerror", { error: failure("InvalidStateError") }),
  });
  await expect(openFileStore("tuned")).rejects.toMatchObject({
    code: "E623",
    details: {
      message: expect.stringContaining("tuned (InvalidStateError: it is full)"),
      help: expect.stringContaining("the browser's settings"),
    },
  });
});

test("a file that the browser has no room for is told with what makes room: E623", async () => {
  const puts: unknown[] = [];
  const database = {
    transaction: () =>
      later("onabort", {
        error: failure("QuotaExceededError"),
        objectStore: () => ({ put: (...given: unknown[]) => puts.push(given) }),
      }),
  };
  vi.stubGlobal("indexedDB", { open: () => later("onsuccess", { result: database }) });
  const store = await openFileStore();
  await expect(store.write("adapter", new Uint8Array([1, 2]))).rejects.toMatchObject({
    code: "E623",
    details: {
      message: expect.stringContaining("adapter (QuotaExceededError"),
      help: expect.stringContaining("navigator.storage.persist()"),
    },
  });
  expect(puts).toEqual([[new Uint8Array([1, 2]), "adapter"]]);
});
