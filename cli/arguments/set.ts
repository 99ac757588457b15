/** What commands that read sets of pictures share: files that describe sets, and mistakes in flags. */
import { diagnose } from "../../diagnostics/index.ts";
import type { SetDescription } from "../../study/data/node/open.ts";

/** A description in a file of JSON or YAML. Errors: E1003, E400 and E401 without the package yaml. */
export async function readSet(path: string): Promise<SetDescription> {
  const { parseYaml } = await import("../../study/data/node/yolo.ts");
  return (await parseYaml(path)) as SetDescription;
}

/** Mistakes in the flags of a command: E370. */
export function misusing(where: string) {
  const misused = (message: string, help: string) => diagnose("E370", { message, where, help });

  function numberOf(flag: string, text: string): number;
  function numberOf(flag: string, text: string | undefined): number | undefined;
  function numberOf(flag: string, text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value)) return value;
    throw misused(`${flag} cannot be "${text}"`, `give a number: ${flag} 1`);
  }

  return { misused, numberOf };
}
