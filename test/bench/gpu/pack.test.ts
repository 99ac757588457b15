/** The folder that is carried to a machine with a GPU: what it holds, and that it runs with nothing else. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { parseLdd } from "../../../bench/gpu/libraries.ts";
import { runScript } from "../../../bench/gpu/script.ts";
import { buildPackage, repository } from "../../support/command-line.ts";
import { deviceTest } from "../../support/device.ts";
import { tree } from "../../support/folders.ts";
import { refusal } from "../../support/weights-files.ts";

describe("what a pack takes along", () => {
  test("is neither the C library nor, of the machine's own, the compiler's", () => {
    const listed = [
      "\tlinux-vdso.so.1 (0x00007ffc)",
      "\tlibstdc++.so.6 => /lib/libstdc++.so.6 (0x00007f)",
      "\tlibm.so.6 => /lib/libm.so.6 (0x00007f)",
      "\tlibuv.so.1 => /lib/libuv.so.1 (0x00007f)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)",
    ].join("\n");
    expect(parseLdd(listed, "node")).toEqual([
      { name: "libstdc++.so.6", path: "/lib/libstdc++.so.6", of: "compiler" },
      { name: "libuv.so.1", path: "/lib/libuv.so.1", of: "others" },
    ]);
  });

  test("E520: must be on the machine that packs", async () => {
    const { code, details } = await refusal(() => parseLdd("\tlibuv.so.1 => not found", "node"));
    expect([code, details.message]).toEqual([
      "E520",
      "libuv.so.1, which node needs, is not on this machine",
    ]);
  });
});

const run = promisify(execFile);

/** A process's end, with an environment of its own. */
const ended = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  run(file, [...args], { env, maxBuffer: 2 ** 24 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

describe("the packed folder", () => {
  test("says why where its Node does not start", async () => {
    const pack = tree({
      run: runScript("2.34"),
      "bin/node": '#!/bin/sh\necho "GLIBC_2.34 not found"\nexit 1\n',
    });
    for (const file of ["run", "bin/node"]) chmodSync(join(pack, file), 0o755);
    const { code, stderr } = await ended(join(pack, "run"), [], { PATH: "" });
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/GLIBC_2.34 not found\n.*glibc 2.34/),
    ]);
  });

  describe("as it is carried", () => {
    beforeAll(buildPackage);
    deviceTest("measures with nothing of the machine but a driver", async () => {
      const packed = join(tree(), "packed");
      const gpu = join(repository, "dist", "bench", "gpu.js");
      const made = await ended(process.execPath, [gpu, "--pack", packed], process.env);
      if (process.platform !== "linux" || process.arch !== "x64")
        return expect(made.stderr).toMatch(/E520/);
      expect(made.stderr).toBe("");
      const size = /packed\.tar\.gz: ([\d.]+) MiB/.exec(made.stdout)?.[1];
      expect(Number(size)).toBeLessThan(64);
      // A space in its path is one more thing that a script can stumble over.
      const bare = join(tree({ "bare machine/empty": "" }), "bare machine");
      await run("tar", ["-xzf", `${packed}.tar.gz`, "-C", bare]);
      rmSync(packed, { recursive: true });
      const { VK_DRIVER_FILES } = process.env;
      const chosen = VK_DRIVER_FILES ? { VK_DRIVER_FILES } : {};
      const script = join(bare, "packed", "run");
      const { code, stdout } = await ended(script, ["--only", "device"], { PATH: "", ...chosen });
      expect(stdout).toMatch(/^\| device \| [1-9]\d* \| 0 \| 0 \|$/m);
      expect(code).toBe(0);
      const lines = readFileSync(join(bare, "packed", "out", "gpu", "results.jsonl"), "utf8");
      expect(lines).toMatch(/"type":"device"/);
      expect(existsSync(join(bare, "packed", "out", "gpu", "results.md"))).toBe(true);
    });

    test("E241: never replaces a folder that holds something else", async () => {
      const other = tree({ "thesis.txt": "years" });
      const gpu = join(repository, "dist", "bench", "gpu.js");
      const { code, stderr } = await ended(process.execPath, [gpu, "--pack", other], process.env);
      expect([code, stderr]).toEqual([3, expect.stringMatching(/E241|E520/)]);
      expect(existsSync(join(other, "thesis.txt"))).toBe(true);
    });

    test("E370: flags that it does not know are refused", async () => {
      const gpu = join(repository, "dist", "bench", "gpu.js");
      const wrong = [["--fast"], ["--minutes", "soon"], ["--part", "nothing"], ["--only", "all"]];
      for (const flags of wrong) {
        const { code, stderr } = await ended(process.execPath, [gpu, ...flags], process.env);
        expect([code, stderr]).toEqual([1, expect.stringMatching(/E370/)]);
      }
    });
  });
});
