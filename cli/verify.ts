/** `npm run verify -- FILE…`: compares what the compiled models compute with reference files. */
import { parseArgs } from "node:util";
import { diagnose } from "../diagnostics/index.ts";
import { deviceKinds } from "../runtime/node/device.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import type { Check } from "../verify/compare.ts";
import { verify } from "../verify/verify.ts";

/** Runs the command line. Returns the exit code: 1 when anything is past its tolerance. */
export async function runVerify(
  args: readonly string[],
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const { files, device, json } = parse(args);
  const progress = openProgress(progressStyle(json));
  const print = (text: string) => {
    progress.end();
    if (!json) write(`${text}\n`);
  };
  try {
    const report = await verify({
      files,
      device,
      onProgress: progress.report,
      onFile: (file, kind, name) => print(`${file}: ${kind}, on ${name}`),
      onCheck: (check) => print(describe(check)),
    });
    for (const { file, unread } of report.files)
      if (unread.length > 0) print(`${file}: nothing was compared with ${unread.join(", ")}`);
    const all = report.files.flatMap(({ checks }) => checks);
    const failed = all.filter((check) => !check.passed).length;
    print(`${all.length - failed} right, ${failed} past their tolerance`);
    if (json) write(`${JSON.stringify(report, null, 2)}\n`);
    return report.passed ? 0 : 1;
  } finally {
    progress.end();
  }
}

const describe = ({ name, found, allowed, passed }: Check): string =>
  `  ${passed ? "ok    " : "FAILED"} ${name.padEnd(44)} ${found} (${allowed})`;

function parse(args: readonly string[]) {
  const parsed = (() => {
    try {
      return parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          device: { type: "string", default: "webgpu" },
          json: { type: "boolean", default: false },
        },
      });
    } catch (cause) {
      throw misused((cause as Error).message);
    }
  })();
  const { values, positionals: files } = parsed;
  const device = deviceKinds.find((name) => name === values.device);
  if (files.length === 0) throw misused("no reference file is given");
  if (device === undefined) throw misused(`--device cannot be "${values.device}"`);
  return { files, device, json: values.json };
}

const misused = (message: string) =>
  diagnose("E370", {
    message,
    where: "verify",
    help: `npm run verify -- FILE… [--device ${deviceKinds.join("|")}] [--json]`,
  });
