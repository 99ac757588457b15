/**
 * `npm run test:matrix`: the tests of matrix fragments on a device. The newest release of Mesa's
 * software driver multiplies them; it comes with Debian sid, which is put into a folder of its own
 * (about 800 MB; 1 minute) and used from there: the system itself stays as it is.
 *
 * INARCH_MATRIX_SYSTEM names the folder; deleting it undoes everything. Arguments go to vitest.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aptSources, backportsSource } from "./mesa.mjs";
import { capture, main, root, run, SetupError, say } from "./processes.mjs";

const packages = ["mesa-vulkan-drivers", "libvulkan1", "nodejs"];
const files = ["matmul", "attention"].map((op) => `test/ops/${op}/fragments.test.ts`);
const driver = "/usr/share/vulkan/icd.d/lvp_icd.json";

await main(async (args) => {
  const reason = await whyNot();
  if (reason) throw new SetupError(`the tests of matrix fragments do not run here: ${reason}`);
  const system = process.env.INARCH_MATRIX_SYSTEM || join(tmpdir(), "inarch-matrix-system");
  if (!existsSync(join(system, "ready"))) await makeSystem(system);
  const test = args.length > 0 ? args : [...files, "-t", "^on the device"];
  return inSystem(system, ["node", "node_modules/vitest/vitest.mjs", "run", ...test]);
});

/** Why the other system cannot be made or entered here; undefined where it can. */
async function whyNot() {
  if (process.platform !== "linux") return "they need Linux";
  if (process.getuid() !== 0) return "entering another system takes root: sudo npm run test:matrix";
  for (const command of ["debootstrap", "unshare", "chroot"]) {
    const { code } = await capture(command, ["--version"]);
    if (code !== 0) return `there is no ${command}: apt-get install debootstrap util-linux`;
  }
  return existsSync(join(root, "node_modules")) ? undefined : "type npm start once before";
}

async function makeSystem(system) {
  const place = /^URIs:\s*(\S+)/m.exec(backportsSource(aptSources(), "sid") ?? "")?.[1];
  if (!place) throw new SetupError("the system's apt has no source to take Debian sid from");
  say(`putting Debian sid from ${place} into ${system}`);
  mkdirSync(system, { recursive: true });
  await must("debootstrap", "--variant=minbase", "sid", system, place);
  for (const file of ["resolv.conf", "hosts"])
    copyFileSync(join("/etc", file), join(system, "etc", file));
  const install = ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
  await must("chroot", system, "env", "DEBIAN_FRONTEND=noninteractive", ...install);
  mkdirSync(join(system, "project"), { recursive: true });
  writeFileSync(join(system, "ready"), "");
}

async function must(command, ...args) {
  const { code, output } = await capture(command, args);
  if (code === 0) return;
  const end = output.trim().split("\n").slice(-5).join("\n");
  throw new SetupError(`${command} ${args[0]} ended with code ${code}:\n${end}`);
}

/** Runs a command there, with the checkout as its folder. What is mounted is so for it alone. */
function inSystem(system, command) {
  return run(
    "unshare",
    [
      ...["--mount", "--propagation", "private", "sh", "-ec"],
      `mount -t proc proc "$1/proc"
       mount --rbind /dev "$1/dev"
       mount --bind "$2" "$1/project"
       system=$1
       shift 2
       exec chroot "$system" sh -ec 'cd /project && exec "$@"' sh "$@"`,
      ...["sh", system, root, ...command],
    ],
    {
      ...{ HOME: "/tmp", TMPDIR: "/tmp", XDG_RUNTIME_DIR: "/tmp", PATH: process.env.PATH },
      ...{ VK_DRIVER_FILES: driver, INARCH_MATRICES: "required" },
    },
  );
}
