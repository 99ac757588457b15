/** Several processes train together under MPI, where it is installed. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { openMpi } from "../../../study/train/node/mpi.ts";
import { buildPackage, inarch, repository } from "../../support/command-line.ts";
import { drawSquares } from "../../support/drawn-squares.ts";
import {
  describeOverTcp,
  describeWithBoth,
  describeWithMpi,
  launchers,
  wordsBetween,
} from "../../support/mpi.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-mpi-"));
const main = join(repository, "dist", "cli", "main.js");
const environment = {
  ...process.env,
  // Containers run as root, and have fewer processors than there are ranks.
  ...{ OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" },
  ...{ OMPI_MCA_rmaps_base_oversubscribe: "1", OMPI_MCA_btl_vader_single_copy_mechanism: "none" },
};

const base = ["--weights", "tiny.safetensors", "--config", "tiny.json", "--device", "cpu"];
const set = ["--pictures", "pictures", "--masks", "masks", "--value", "1", "--ignore", "9"];
const settings = [
  "--method",
  "lora",
  "--batch",
  "6",
  "--optimiser",
  "sgd",
  "--rate",
  "0.1",
  "--hold-out",
  "0.34",
];
const flags = (out: string, ...more: string[]) => [
  "train",
  ...base,
  ...set,
  ...settings,
  "--out",
  out,
  "--validate-every",
  "2",
  ...more,
];

interface Start {
  /** What starts them: Open MPI's `mpirun` unless given. */
  readonly by?: readonly string[];
  /** Sees what they say. */
  readonly watch?: (said: string, pid: number) => void;
}

/** `mpirun -n RANKS inarch …` */
function ranks(count: number, args: readonly string[], { by, watch }: Start = {}) {
  const [launcher, ...words] = by ?? [launchers.openMpi!];
  const all = [...words, "-n", String(count), process.execPath, main, ...args];
  const child = spawn(launcher!, all, { cwd: folder, env: environment });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    watch?.(stderr, child.pid!);
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on("exit", (code) => resolve({ code, stdout, stderr })),
  );
}

const adapterOf = (out: string) => openWeightsFile(join(folder, out, "adapter.safetensors"));
const bytesIn = (out: string) =>
  ["last.safetensors", "adapter.safetensors", "log.jsonl"].map((name) =>
    readFileSync(join(folder, out, name), "latin1"),
  );

beforeAll(async () => {
  await buildPackage();
  const file = writeSafetensors(await readAll(hashedWeights(tinySam, "mpi")), {});
  writeFileSync(join(folder, "tiny.safetensors"), file);
  writeFileSync(join(folder, "tiny.json"), JSON.stringify(formatSamConfig(tinySam)));
  drawSquares(join(folder, "pictures"), join(folder, "masks"), 6);
});

describeWithMpi("processes of a job", () => {
  test("train what one process trains on all pictures, and the same bytes each time", async () => {
    const one = await inarch(flags("one", "--steps", "4"), folder);
    expect(one.code).toBe(0);
    const two = await ranks(2, flags("two", "--steps", "4"));
    expect([two.code, two.stdout.match(/the adapter: /g)?.length]).toEqual([0, 1]);
    await ranks(2, flags("again", "--steps", "4"));
    expect(bytesIn("again")).toEqual(bytesIn("two"));
    expect((await ranks(3, flags("three", "--steps", "4"))).code).toBe(0);
    const wanted = await adapterOf("one");
    for (const name of ["two", "three"]) {
      const adapter = await adapterOf(name);
      expect([...adapter.tensors.keys()]).toEqual([...wanted.tensors.keys()]);
      let [most, moved] = [0, 0];
      for (const tensor of wanted.tensors.keys()) {
        const read = async (file: typeof wanted) => {
          const { data } = await file.read(tensor);
          return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
        };
        const [found, own] = [await read(adapter), await read(wanted)];
        found.forEach((value, i) => {
          most = Math.max(most, Math.abs(value - own[i]!));
          if (tensor.endsWith("lora_B")) moved = Math.max(moved, Math.abs(own[i]!));
        });
      }
      // It begins as zeros.
      expect(moved).toBeGreaterThan(1e-4);
      expect(most).toBeLessThan(1e-6);
      await adapter.close();
    }
    await wanted.close();
    const { settings } = JSON.parse(readFileSync(join(folder, "two", "run.json"), "utf8"));
    expect([settings.batch, settings.ranks]).toEqual([6, 2]);
  });

  test("E1102: another number of them on resume, and E1106: that does not divide the batch", async () => {
    const other = await inarch(flags("two", "--steps", "4"), folder);
    expect(other.stderr).toMatch(/E1102.*ranks 2, and is to go on with 1/);
    const four = await ranks(4, flags("four", "--steps", "4"));
    expect(four.code).not.toBe(0);
    expect(four.stderr).toMatch(/E1106.*4 processes with 1 micro-steps each.*a batch of 6/);
  });

  test("end when one of them dies, and go on from the checkpoint with the same bytes", async () => {
    let isDue = true;
    const kills = (said: string, pid: number) => {
      if (!isDue || !said.includes("after 2 steps")) return;
      isDue = false;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
      process.kill(Number(children.at(-1)), "SIGKILL");
    };
    const killed = await ranks(2, flags("killed", "--steps", "8"), { watch: kills });
    expect([isDue, killed.code === 0]).toEqual([false, false]);
    expect(existsSync(join(folder, "killed", "result.json"))).toBe(false);
    await ranks(2, flags("killed", "--steps", "8"));
    await ranks(2, flags("straight", "--steps", "8"));
    expect(bytesIn("killed")).toEqual(bytesIn("straight"));
    expect(readdirSync(join(folder, "killed"))).toContain("report.html");
  });

  test("E1111: started by something that does not join them", async () => {
    const alone = spawnSync(process.execPath, [main, ...flags("none")], {
      cwd: folder,
      env: { ...environment, SLURM_STEP_NUM_TASKS: "2" },
      encoding: "utf8",
    });
    expect([alone.status, alone.stderr]).toEqual([3, expect.stringMatching(/E1111\] 2 processes/)]);
  });
});

describeWithBoth("processes of MPICH", () => {
  test("train the same bytes as those of Open MPI, and end with one that dies", async () => {
    const by = [launchers.mpich!];
    const told = await ranks(3, flags("mpich", "--steps", "4"), { by });
    expect([told.code, told.stdout.match(/the adapter: /g)?.length]).toEqual([0, 1]);
    expect(bytesIn("mpich")).toEqual(bytesIn("three"));
    const four = await ranks(4, flags("four", "--steps", "4"), { by });
    expect(four.code).not.toBe(0);
    expect(four.stderr).toMatch(/E1106.*4 processes with 1 micro-steps each.*a batch of 6/);
  });
});

describeOverTcp("processes that a network joins", () => {
  test("train the same bytes as those of one machine", async () => {
    const by = wordsBetween(folder);
    const told = await ranks(2, flags("apart", "--steps", "4"), { by });
    expect([told.stderr, told.code]).toEqual([expect.any(String), 0]);
    expect(bytesIn("apart")).toEqual(bytesIn("two"));
  });
});

describe("without MPI", () => {
  test("a process alone asks for no library", async () => {
    expect(await openMpi({})).toBe(undefined);
    expect(await openMpi({ PMI_SIZE: "1", SLURM_STEP_NUM_TASKS: "1" })).toBe(undefined);
  });

  test("E1110: mpirun without a library that loads", async () => {
    const environment = { OMPI_COMM_WORLD_SIZE: "2", INARCH_MPI: join(folder, "libmpi.so") };
    const { code, details } = await refusal(() => openMpi(environment));
    expect([code, details.help]).toEqual(["E1110", expect.stringContaining("INARCH_MPI=")]);
  });
});
