/** What not every page needs is in modules of its own, which are loaded when they are first wanted. */
import { diagnose } from "../diagnostics/index.ts";

/** A module that is being imported. @throws E613 where it cannot be. */
export async function late<Module>(importing: Promise<Module>, where?: string): Promise<Module> {
  try {
    return await importing;
  } catch (cause) {
    throw diagnose("E613", {
      message: `the module cannot be imported (${(cause as Error)?.message ?? cause})`,
      where,
      help: "serve all files of the build; a page that was open while they were replaced must be loaded again",
      cause,
    });
  }
}
