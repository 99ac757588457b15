/** A disk that is soon full, where file systems may be mounted. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";

export const smallDisk = mkdtempSync(join(tmpdir(), "inarch-disk-"));

function mounted(): boolean {
  try {
    const args = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", smallDisk];
    execFileSync("mount", args, { stdio: "pipe" });
    return true;
  } catch {
    console.warn("no file system may be mounted: a full disk is not tested");
    return false;
  }
}

const isMounted = mounted();

/** Registers tests that fill `smallDisk`, of 2 MiB. */
export const describeWithDisk = (name: string, tests: () => void): void => {
  afterAll(() => {
    if (isMounted) execFileSync("umount", [smallDisk]);
    rmSync(smallDisk, { recursive: true });
  });
  describe.runIf(isMounted)(name, tests);
};
