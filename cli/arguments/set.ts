/** Files that describe sets of pictures. */
import type { SetDescription } from "../../study/data/node/open.ts";

/** A description in a file of JSON or YAML. Errors: E1003, E400 and E401 without the package yaml. */
export async function readSet(path: string): Promise<SetDescription> {
  const { parseYaml } = await import("../../study/data/node/yolo.ts");
  return (await parseYaml(path)) as SetDescription;
}
