/**
 * Tests that need a WebGPU device. `npm test` installs a software device where it can; where it
 * cannot, it says so, sets INARCH_WEBGPU_TESTS=skip, and these tests are counted as skipped.
 * Everywhere else, a plain `vitest run` included, they run, and fail without a device.
 */
import { describe, test } from "vitest";

const missing = process.env.INARCH_WEBGPU_TESTS === "skip";

/** `test` on a device. */
export const deviceTest = test.skipIf(missing);

/** `describe` on a device. */
export const describeOnDevice = describe.skipIf(missing);
