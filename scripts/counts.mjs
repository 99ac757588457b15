/** A vitest reporter that leaves the numbers of a run in the file named by INARCH_COUNTS. */
import { writeFileSync } from "node:fs";

export default class Counts {
  /**
   * Every error outside a test is a failure, and so is a file that does not load and a test whose
   * process died before it could end. Vitest does not say which process died, so this does.
   */
  onTestRunEnd(files, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0, skippedInBrowser: 0 };
    for (const file of files) {
      const states = [...file.children.allTests()].map((test) => test.result().state);
      const died = states.filter((state) => state === "pending").length;
      if (died > 0) process.stdout.write(`DIED: ${file.relativeModuleId}, ${died} tests lost\n`);
      counts.passed += states.filter((state) => state === "passed").length;
      const skipped = states.filter((state) => state === "skipped").length;
      counts.skipped += skipped;
      if (file.relativeModuleId.startsWith("test/browser/")) counts.skippedInBrowser += skipped;
      counts.failed += states.filter((state) => state === "failed").length + died;
      const unloaded = !file.ok() && died === 0 && !states.includes("failed");
      if (unloaded) counts.failed++;
    }
    writeFileSync(process.env.INARCH_COUNTS, JSON.stringify(counts));
  }
}
