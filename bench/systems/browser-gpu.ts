/** What libraries for browsers look for in Node: `navigator.gpu`, which Dawn gives. */
import { create, globals } from "webgpu";

/** What libraries for browsers compute with. */
export type BrowserBackend = "webgpu" | "wasm";

let gpu: GPU | undefined;

/** Puts what they look for where a browser has it: Dawn with WebGPU's constants, or a navigator without a GPU. */
export function provideBackend(backend: BrowserBackend): void {
  if (backend === "wasm") provideNavigator({});
  else provideGpu();
}

function provideGpu(): void {
  if (gpu) return;
  // Kept here: Dawn's instance must outlive its devices.
  gpu = create([]);
  Object.assign(globalThis, globals);
  provideNavigator({ gpu });
}

function provideNavigator(own: object): void {
  const { navigator = {} } = globalThis as { readonly navigator?: object };
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: Object.assign(Object.create(navigator), { ...own, userAgent: "Node" }),
  });
}

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits as our own runtime does, with the same sleeps: Dawn in Node otherwise polls at full speed,
 * which costs a software device one of its cores. The peers gain from it.
 */
export async function resting<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  const start = performance.now();
  while (!settled) {
    const waited = performance.now() - start;
    Atomics.wait(never, 0, 0, Math.min(25, Math.max(1, waited / 20)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}
