/**
 * Asks for a device the way the library does and prints one line of JSON about it. A process of
 * its own, because a broken driver can end the process that opens it.
 */
import { requestGpu } from "../dist/runtime/node/gpu.js";

try {
  const gpu = await requestGpu();
  const { description, kind } = gpu.summary;
  gpu.destroy();
  console.log(JSON.stringify({ ok: true, description, kind, driver: process.env.VK_DRIVER_FILES }));
} catch (failure) {
  const { code, message, help } = failure.toJSON?.() ?? { message: String(failure) };
  console.log(JSON.stringify({ ok: false, code, message, help }));
}
