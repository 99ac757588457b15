/** What must hold of a program: its values are the oracle's, whatever it is compiled for. */
import { InarchError } from "../../../diagnostics/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { exactly, noisily, singly } from "./arithmetic.ts";
import { difference } from "./compare.ts";
import type { Dense } from "./dense.ts";
import { gradientFault } from "./gradients.ts";
import type { Way } from "./profiles.ts";
import { evaluate, isLeaf, live, nameOf, type Program, traced } from "./program.ts";
import { runOn } from "./run.ts";
import { copied, sameWorkTwice } from "./twice.ts";

export interface Asked {
  readonly way: Way;
  /** A device of text, beside the reference device; undefined: none. */
  readonly gpu: Device | undefined;
  readonly gradients: boolean;
  readonly seed: number;
}

const times = (program: Program) => (program.commits.length > 0 ? 3 : 1);

type Named = Record<string, Dense>;

/** The outputs of each run, by the oracle. */
function expected(program: Program, f: ReturnType<typeof noisily>): Named[] {
  const states = new Map<number, readonly Dense[]>();
  for (const at of live(program)) {
    const s = program.statements[at]!;
    // The runtime fills states with zeros.
    if (isLeaf(s) && s.source === "state") {
      const size = s.shape.reduce((a, b) => a * b, 1);
      states.set(at, [{ dtype: s.dtype, shape: s.shape, data: new Float64Array(size) }]);
    }
  }
  return Array.from({ length: times(program) }, () => {
    const made = evaluate(program, f, states);
    const named = program.outputs.map((r, i): [string, Dense] => [
      `y${i}`,
      made.get(r.at)![r.result]!,
    ]);
    const next = program.commits.map(([at, r]) => [at, made.get(r.at)![r.result]!] as const);
    for (const [at, value] of next) {
      states.set(at, [value]);
      named.push([nameOf(program.statements[at]!, at), value]);
    }
    return Object.fromEntries(named);
  });
}

/** What is wrong with a program, in words; undefined: nothing. Coded errors of ours count too. */
export async function faultOf(program: Program, asked: Asked): Promise<string | undefined> {
  try {
    return (
      (await wrongNumbers(program, asked)) ??
      sameWorkTwice(program) ??
      copied(traced(program)) ??
      (asked.gradients ? await gradientFault(program, asked) : undefined)
    );
  } catch (error) {
    // Numbers that a narrow format cannot hold are refused.
    if (error instanceof InarchError && error.code === "E151" && asked.way.store) return undefined;
    if (error instanceof InarchError) return `${error.code}: ${error.details.message}`;
    const { name, message, stack } = error as Error;
    const place =
      /\((?:file:\/\/)?[^)]*\/((?:compiler|ops|runtime|formats|test)\/[^)]*)\)/.exec(
        stack ?? "",
      )?.[1] ?? "";
    return `${name}: ${message} at ${place}`;
  }
}

/** So many noisy runs are asked, and so many before anything is called wrong. */
const [usual, many] = [4, 40];

async function wrongNumbers(
  program: Program,
  { way, gpu, seed }: Asked,
): Promise<string | undefined> {
  const exact = expected(program, singly);
  const store = way.store ? { store: way.store } : {};
  const noisy = (n: number) =>
    expected(
      program,
      noisily({
        seed: seed + n,
        flush: n % 2 === 0,
        narrow: n % 4 < 2,
        side: n % 2 === 1,
        ...store,
      }),
    );
  const runs = [expected(program, exactly), ...Array.from({ length: usual }, (_, n) => noisy(n))];
  const graph = traced(program);
  const on = async (device: Device, name: string) => {
    const ran = await runOn(device, { graph, program, times: times(program) }, way.options);
    for (const at of live(program)) {
      const leaf = program.statements[at]!;
      if (!isLeaf(leaf) || leaf.source !== "state") continue;
      const state = nameOf(leaf, at);
      if (!ran.plan.states.some((t) => t.name === state)) return `${name}: ${state} is no state`;
    }
    for (const [i, outputs] of ran.runs.entries())
      for (const [output, wanted] of Object.entries(exact[i]!)) {
        const label = `${name}, ${way.name}: ${ran.runs.length > 1 ? `run ${i + 1}: ` : ""}${output}`;
        const got = outputs[output];
        if (!got) return `${label} is missing`;
        const judged = () =>
          difference(
            label,
            got,
            wanted,
            runs.map((r) => r[i]![output]!),
          );
        // A few runs may agree by chance where numbers are nearly equal: a difference must hold for many.
        while (judged() && runs.length <= many) runs.push(noisy(runs.length - 1));
        const words = judged();
        if (words) return words;
      }
    return undefined;
  };
  const reference = referenceDevice(way.width ? { width: way.width } : {});
  const words = await on(reference, "reference device");
  if (words || !gpu) return words;
  const { profile } = way.options;
  // A profile of what the device does not have cannot be run there.
  const fits =
    !profile ||
    (profile.subgroup === 0 && !profile.reduces && (!profile.half || gpu.capabilities.half));
  return fits ? on(gpu, "WebGPU") : undefined;
}
