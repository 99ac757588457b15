/** Studies in files of YAML and JSON. */
import { dirname, isAbsolute, join } from "node:path";
import { parseYaml } from "../../data/node/yolo.ts";
import { type Study, studyFrom, withPaths } from "../study.ts";

/**
 * Reads a study. Paths in it are relative to the file's folder.
 * @throws E1003 for a file that cannot be read, E1106 for one that holds something else, E460 for a name that a study
 * does not have, with the nearest, E465 for a value that it cannot have, E400 and E401 without the package yaml.
 */
export const readStudy = async (file: string): Promise<Study> =>
  studyOf(await parseYaml(file), file);

/** What a file holds, as a study. @throws E460, E465, E1106. */
export const studyOf = (content: unknown, file: string): Study =>
  withPaths(studyFrom(content, file), (path) =>
    isAbsolute(path) ? path : join(dirname(file), path),
  );
