/**
 * The processes of an MPI job as a `Reducer`: `mpirun`, `srun` and Kubernetes' MPI operator start them. The system's
 * library is called as it is; Open MPI's handles are addresses of its variables, MPICH's are numbers of its header.
 */
import { diagnose } from "../../../diagnostics/index.ts";
import { optionalPackage } from "../../../diagnostics/packages.ts";
import type { Reducer } from "../../../runtime/training/reducer.ts";

export interface MpiWorld extends Reducer {
  /** Ends this process's part of the job in order. One that ends without it ends the others. */
  close(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The other processes of the job, where the environment says that there are some; undefined for one alone.
 * `INARCH_MPI` names the library where it has another name.
 * @throws E1110 where no library of MPI loads, E1111 for processes that do not find each other, E400 and E401 without
 * the package koffi.
 */
export async function openMpi(
  environment: Environment = process.env,
): Promise<MpiWorld | undefined> {
  const started = startedIn(environment);
  if (started === 1) return undefined;
  const { default: koffi } = await optionalPackage("koffi", () => import("koffi"));
  const world = worldOf(koffi, libraryOf(koffi, environment));
  if (world.size === 1 && started !== undefined) throw apart(started);
  if (world.size > 1) return world;
  world.close();
  return undefined;
}

/** How many processes were started, by what starts them; 1 where nothing says so, undefined for an unknown number. */
function startedIn(environment: Environment): number | undefined {
  for (const name of [
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MPI_LOCALNRANKS",
    "SLURM_STEP_NUM_TASKS",
  ])
    if (environment[name] !== undefined) return Number(environment[name]);
  return environment.PMIX_RANK === undefined ? 1 : undefined;
}

type Koffi = typeof import("koffi").default;
type Library = ReturnType<Koffi["load"]>;

const names = ["libmpi.so.40", "libmpi.so.12", "libmpich.so.12", "libmpi.so", "libmpi.dylib"];

function libraryOf(koffi: Koffi, environment: Environment): Library {
  const given = environment.INARCH_MPI;
  const isMpich =
    environment.OMPI_COMM_WORLD_SIZE === undefined && environment.PMI_SIZE !== undefined;
  const inTurn = isMpich ? [...names.slice(1), names[0]!] : names;
  const reasons: string[] = [];
  for (const name of given ? [given] : inTurn)
    try {
      return koffi.load(name, { global: true, lazy: true });
    } catch (cause) {
      reasons.push(`${name}: ${(cause as Error).message}`);
    }
  throw diagnose("E1110", {
    message: "several processes were started by MPI, and its library cannot be loaded",
    where: reasons[0],
    help: "install Open MPI or MPICH (apt-get install openmpi-bin), or name its library: INARCH_MPI=/path/libmpi.so",
  });
}

/** Numbers that are gathered at once. */
const most = 2 ** 20;

function worldOf(koffi: Koffi, library: Library): MpiWorld {
  const find = koffi.load(null).func("void *dlsym(void *handle, const char *name)");
  const address = (name: string): unknown => find(null, name);
  const isOpen = address("ompi_mpi_comm_world") !== null;
  const kind = isOpen ? "void *" : "int";
  const comm = isOpen ? address("ompi_mpi_comm_world") : 0x44000000;
  const float = isOpen ? address("ompi_mpi_float") : 0x4c00040a;
  const declared = (text: string) => {
    const call = library.func(text.replaceAll("HANDLE", kind));
    return (...args: readonly unknown[]) => {
      const code = call(...args) as number;
      if (code !== 0) throw failed(/MPI_\w+/.exec(text)![0], code);
    };
  };
  declared("int MPI_Init(void *argc, void *argv)")(null, null);
  const numberOf = (name: string): number => {
    const out = new Int32Array(1);
    declared(`int ${name}(HANDLE comm, int *out)`)(comm, out);
    return out[0]!;
  };
  const [rank, size] = [numberOf("MPI_Comm_rank"), numberOf("MPI_Comm_size")];
  const gather = declared(
    "int MPI_Allgather(float *own, int count, HANDLE type, float *all, int each, HANDLE kind, HANDLE comm)",
  );
  const wait = declared("int MPI_Barrier(HANDLE comm)");
  const end = declared("int MPI_Finalize()");
  return {
    ...{ rank, size },
    // Added up here in the order of ranks: the sums of a library may depend on who adds them.
    async allReduce(values) {
      for (let first = 0; first < values.length; first += most) {
        const own = values.subarray(first, first + most);
        const all = new Float32Array(size * own.length);
        gather(own, own.length, float, all, own.length, float, comm);
        for (let i = 0; i < own.length; i++) {
          let sum = 0;
          for (let at = i; at < all.length; at += own.length) sum += all[at]!;
          own[i] = sum;
        }
      }
    },
    async barrier() {
      wait(comm);
    },
    close: () => end(),
  };
}

const apart = (started: number) =>
  diagnose("E1111", {
    message: `${started} processes were started, and each is alone in MPI`,
    help: "start them with the library's own mpirun, under Slurm with srun --mpi=pmix, or name the library: INARCH_MPI=/path/libmpi.so",
  });

const failed = (name: string, code: number) =>
  diagnose("E1111", {
    message: `${name} failed with code ${code}`,
    help: "look at what mpirun says of the other processes",
  });
