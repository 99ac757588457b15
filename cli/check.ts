/** `inarch check FILE`: tries the ops and adapters of a user's file by their own samples. */
import { diagnose } from "../diagnostics/index.ts";
import type { Checked } from "../verify/exports.ts";
import { defineCommand } from "./arguments/command.ts";

export const command = defineCommand({
  description: "check the ops and adapters of a file: values, kernels, derivatives, files",
  args: {
    file: { type: "positional", description: "a TypeScript file that exports ops or adapters" },
  },
  /** 0 where every claim holds, else 1. */
  async run({ file }, terminal) {
    const { resolve } = await import("node:path");
    const { importGraphFile } = await import("../build/graph-file.ts");
    const { checkExports } = await import("../verify/exports.ts");
    if (!/[./\\]/.test(file))
      throw diagnose("E510", {
        message: `"${file}" is no path of a file`,
        help: `a file is given by its path: inarch check ./${file}.ts`,
      });
    const { exports } = await importGraphFile(resolve(file), file);
    const checked: Checked[] = [];
    for await (const one of checkExports(exports, file)) {
      checked.push(one);
      terminal.print(describe(one));
    }
    const wrong = checked.filter(({ fault }) => fault !== undefined).length;
    return {
      report: { file, checked, right: checked.length - wrong, wrong },
      text: `${checked.length - wrong} right, ${wrong} wrong\n`,
      exitCode: wrong === 0 ? 0 : 1,
    };
  },
});

const describe = ({ subject, claim, fault }: Checked): string =>
  fault === undefined
    ? `  right  ${subject}: ${claim}`
    : `  WRONG  ${subject}: ${claim}\n         ${fault.replaceAll("\n", "\n         ")}`;
