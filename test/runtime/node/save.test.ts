/** Files appear whole or not at all, whatever happens to the process, the disk and the path. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readlinkSync, statSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { saveTo, writeFileAtOnce } from "../../../runtime/node/save.ts";
import { isTemporary, temporaryFor } from "../../../runtime/node/temporary.ts";
import { buildPackage, repository } from "../../support/command-line.ts";
import { goneProcess, killed } from "../../support/processes.ts";
import { refusal } from "../../support/weights-files.ts";

let root = "";
let folder = "";
let tests = 0;
beforeAll(async () => {
  await buildPackage();
  root = await mkdtemp(join(tmpdir(), "inarch-save-"));
});
beforeEach(async () => {
  folder = join(root, String(tests++));
  await mkdir(folder);
});
afterAll(() => rm(root, { recursive: true }));

const text = (path: string) => readFile(path, "utf8");
const failing = (path: string) =>
  writeFileAtOnce(path, async (sink) => {
    await sink.write(Uint8Array.of(1));
    throw new RangeError("stop");
  });
const module = JSON.stringify(pathToFileURL(join(repository, "dist/runtime/node/save.js")).href);

describe("a file is replaced at once or not at all", () => {
  test("when all is written", async () => {
    const path = join(folder, "new");
    await writeFile(path, "old");
    await writeFileAtOnce(path, async (sink) => {
      await sink.write(Uint8Array.of(110, 101));
      expect(await text(path)).toBe("old");
      await sink.write(Uint8Array.of(119));
    });
    expect(await text(path)).toBe("new");
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test("when writing fails, the old one stays and nothing is left behind", async () => {
    const path = join(folder, "kept");
    await writeFile(path, "old");
    await expect(failing(path)).rejects.toThrow(RangeError);
    expect(await text(path)).toBe("old");
    expect(await readdir(folder)).toEqual(["kept"]);
  });

  test("when many write to it at once: it is what one of them wrote", async () => {
    const path = join(folder, "shared");
    const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(100_000));
    await Promise.all(contents.map((content) => saveTo(path, content)));
    expect(contents).toContain(await text(path));
    expect(await readdir(folder)).toEqual(["shared"]);
  });

  test("when the disk is full: the old one stays, and E241 names the path", async () => {
    const path = join(folder, "large");
    await writeFile(path, "old");
    const script = `import { saveTo } from ${module};
      await saveTo(${JSON.stringify(path)}, new Uint8Array(2 ** 20)).catch((e) => console.log(e.message));`;
    const node = [process.execPath, "--no-warnings", "--input-type=module", "-e", script];
    const said = execFileSync("sh", ["-c", 'ulimit -f 64; exec "$@"', "sh", ...node]);
    expect(String(said)).toMatch(/E241.*EFBIG[\s\S]*large/);
    expect(await text(path)).toBe("old");
    expect(await readdir(folder)).toEqual(["large"]);
  });
});

describe("saveTo", () => {
  test("takes bytes and text, paths and addresses of files", async () => {
    await saveTo(join(folder, "a"), Uint8Array.of(104, 105));
    await saveTo(pathToFileURL(join(folder, "b")), "grüß");
    expect([await text(join(folder, "a")), await text(join(folder, "b"))]).toEqual(["hi", "grüß"]);
  });

  test("E362: what is not awaited, and what has no bytes, is not written", async () => {
    const path = join(folder, "none");
    const promise = await refusal(() => saveTo(path, Promise.resolve("x") as never));
    expect([promise.code, promise.details.help]).toEqual([
      "E362",
      `await it: saveTo(${JSON.stringify(path)}, await …)`,
    ]);
    for (const content of [undefined, null, 7, [1, 2], {}, new Float32Array(2)])
      expect((await refusal(() => saveTo(path, content as never))).code).toBe("E362");
    expect(await readdir(folder)).toEqual([]);
  });

  test("follows links, also to what is not there yet, and leaves them links", async () => {
    await writeFile(join(folder, "there"), "old");
    await symlink("there", join(folder, "link"));
    await mkdir(join(folder, "sub"));
    await symlink("../later", join(folder, "sub", "link"));
    await saveTo(join(folder, "link"), "new");
    await saveTo(join(folder, "sub", "link"), "made");
    expect(await text(join(folder, "there"))).toBe("new");
    expect(await text(join(folder, "later"))).toBe("made");
    expect(readlinkSync(join(folder, "link"))).toBe("there");
    expect(readlinkSync(join(folder, "sub", "link"))).toBe("../later");
  });

  test("keeps the permissions of the file it replaces", async () => {
    const path = join(folder, "private");
    await writeFile(path, "old", { mode: 0o600 });
    await saveTo(path, "new");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("leaves devices and pipes what they are", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const read = readFile(pipe, "utf8");
    await saveTo(pipe, "through");
    expect(await read).toBe("through");
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect((await refusal(() => saveTo("/dev/full", "x"))).details.help).toContain("disk is full");
  });

  test("a name of 255 bytes is no trouble", async () => {
    const name = "é".repeat(127);
    await saveTo(join(folder, name), "x");
    expect(await readdir(folder)).toEqual([name]);
  });

  const places: readonly [claim: string, path: () => Promise<string>, words: string][] = [
    ["no folder", async () => join(folder, "no", "where"), "does not exist"],
    ["a folder", async () => folder, "this is a folder"],
    [
      "below a file",
      async () => {
        await writeFile(join(folder, "file"), "");
        return join(folder, "file", "below");
      },
      "its folder is a file",
    ],
    [
      "a circle of links",
      async () => {
        await symlink("b", join(folder, "a"));
        await symlink("a", join(folder, "b"));
        return join(folder, "a");
      },
      "circle",
    ],
    ["a name that is too long", async () => join(folder, "x".repeat(300)), "too long"],
    ["a place without writers", async () => "/proc/none", "does not exist"],
  ];
  test.each(places)("E241: %s", async (_, make, words) => {
    const path = await make();
    const { code, kind, details } = await refusal(() => saveTo(path, "x"));
    expect([code, kind, details.where]).toEqual(["E241", "environment", path]);
    expect(details.help).toContain(words);
  });

  test("E241: a file or a folder that may not be written, unless one is the superuser", async () => {
    const path = join(folder, "fixed");
    await writeFile(path, "old", { mode: 0o444 });
    const closed = join(folder, "closed");
    await mkdir(closed, { mode: 0o555 });
    await chmod(closed, 0o555);
    const mayAll = process.getuid?.() === 0;
    for (const place of [path, join(closed, "x")]) {
      const script = `import { saveTo } from ${module};
        process.setgid?.(65534); process.setuid?.(65534);
        await saveTo(${JSON.stringify(place)}, "new").catch((e) => console.log(e.message));`;
      const own = script.replace(/process\.set[gu]id.*\n/, mayAll ? "$&" : "\n");
      await chmod(root, 0o755);
      const said = execFileSync(process.execPath, [
        "--no-warnings",
        "--input-type=module",
        "-e",
        own,
      ]);
      expect(String(said)).toMatch(/E241.*(?:EACCES|EPERM)[\s\S]*may not write there/);
      expect(String(said)).toContain(place);
    }
    expect(await text(path)).toBe("old");
  });
});

describe("what a killed process has left", () => {
  /** The name that a process of this number would give. */
  const leftOf = (pid: number, name: string) =>
    temporaryFor(join(folder, name)).replace(/\.\d+-\d+-/, `.${pid}-1-`);

  test("goes with the next file that is saved beside it, whatever its name", async () => {
    const pid = goneProcess();
    await writeFile(leftOf(pid, "other"), "half");
    await mkdir(leftOf(pid, "a folder"));
    await writeFile(join(folder, ".mine.tmp"), "the user's");
    await saveTo(join(folder, "file"), "x");
    expect((await readdir(folder)).sort()).toEqual([".mine.tmp", "file"]);
  });

  test("goes although a new process has its number, as in a container", async () => {
    const path = temporaryFor(join(folder, "file")).replace(/\.(\d+)-\d+-/, ".$1-1-");
    await writeFile(path, "half");
    await saveTo(join(folder, "file"), "x");
    // Where the system does not tell when a process began, it is taken for the one that is alive.
    expect(await readdir(folder)).toEqual(
      existsSync("/proc/self/stat") ? ["file"] : [basename(path), "file"].sort(),
    );
  });

  test("what another process or thread still writes stays", async () => {
    const script = `const { parentPort } = require("node:worker_threads");
      import(${module}).then(({ writeFileAtOnce }) =>
        writeFileAtOnce(${JSON.stringify(join(folder, "slow"))}, async (sink) => {
          await sink.write(Uint8Array.of(1));
          const told = new Promise((go) => parentPort.once("message", go));
          parentPort.postMessage("begun");
          await told;
        }));`;
    const worker = new Worker(script, { eval: true });
    await once(worker, "message");
    await saveTo(join(folder, "other"), "x");
    expect((await readdir(folder)).filter(isTemporary)).toHaveLength(1);
    worker.postMessage("go");
    await once(worker, "exit");
    expect((await readdir(folder)).sort()).toEqual(["other", "slow"]);
  });

  test("what another machine has left in a shared folder goes after a day", async () => {
    const name = (machine: string) =>
      temporaryFor(join(folder, "file")).replace(/-[0-9a-f]{8}\./, `-${machine}.`);
    const [recent, old] = [name("00000000"), name("00000001")];
    await writeFile(recent, "");
    await writeFile(old, "");
    await utimes(old, new Date(0), new Date(Date.now() - 25 * 60 * 60 * 1000));
    await saveTo(join(folder, "file"), "x");
    expect((await readdir(folder)).sort()).toEqual([basename(recent), "file"]);
  });

  test("a kill at any moment leaves the old file or the new one, whole", async () => {
    const path = join(folder, "checkpoint");
    const size = 2 ** 22;
    await saveTo(path, new Uint8Array(size));
    const script = `import { saveTo } from ${module};
      console.log("begun");
      for (let step = 1; ; step++) await saveTo(${JSON.stringify(path)}, new Uint8Array(${size}).fill(step));`;
    const random = (i: number) => 150 + ((i * 37) % 100);
    for (let i = 0; i < 6; i++) {
      const args = ["--no-warnings", "--input-type=module", "-e", script];
      expect(await killed(args, { after: random(i) })).toBe("killed");
      const bytes = await readFile(path);
      expect(bytes.length).toBe(size);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    }
    await saveTo(path, "last");
    expect(await readdir(folder)).toEqual(["checkpoint"]);
  });
});
