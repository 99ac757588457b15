/**
 * Tests that need a WebGPU device, software or not, or a browser. Where there is none, `npm test` says so, sets
 * INARCH_WEBGPU_TESTS=skip, and these tests are counted as skipped. Everywhere else, a plain `vitest run` included, they run, and fail without a device.
 */
import { describe, test } from "vitest";

export const withoutWebGpu = process.env.INARCH_WEBGPU_TESTS === "skip";

/** `test` on a device. */
export const deviceTest = test.skipIf(withoutWebGpu);

/** `describe` on a device. */
export const describeOnDevice = describe.skipIf(withoutWebGpu);

/** Where there is no Chromium, `npm test` says so and sets INARCH_BROWSER_TESTS=skip. */
export const withoutBrowser = process.env.INARCH_BROWSER_TESTS === "skip";

/** `describe` in a Chromium. */
export const describeInBrowser = describe.skipIf(withoutBrowser);
