/** `inarch verify FILE…`: compares what the compiled models compute with reference files. */
import type { Check } from "../verify/compare.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";

export const command = defineCommand({
  description: "compare what the compiled models compute with reference files",
  args: async () =>
    ({
      file: {
        type: "positional",
        repeated: true,
        description: "reference files; their metadata say of what kind they are",
      },
      device: await deviceFlag(),
    }) as const,
  /** 1 when anything is past its tolerance. */
  async run(given, { progress, print }) {
    const { verify } = await import("../verify/verify.ts");
    const report = await verify({
      files: given.file,
      device: given.device,
      onProgress: progress.report,
      onDevice: (words) => progress.note(`on ${words}`),
      onFile: (file, kind, name) => print(`${file}: ${kind}, on ${name}`),
      onCheck: (check) => print(describe(check)),
    });
    for (const { file, unread } of report.files)
      if (unread.length > 0) print(`${file}: nothing was compared with ${unread.join(", ")}`);
    const all = report.files.flatMap(({ checks }) => checks);
    const failed = all.filter((check) => !check.passed).length;
    return {
      report,
      text: `${all.length - failed} right, ${failed} past their tolerance`,
      exitCode: report.passed ? 0 : 1,
    };
  },
});

const describe = ({ name, found, allowed, passed }: Check): string =>
  `  ${passed ? "ok    " : "FAILED"} ${name.padEnd(44)} ${found} (${allowed})`;
