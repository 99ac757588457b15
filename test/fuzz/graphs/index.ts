/** Random programs: one case from its seed, its shrinking, and what was covered. */
import * as ops from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import type { Kind } from "../kind.ts";
import { randomOf } from "../random.ts";
import { type Asked, faultOf } from "./check.ts";
import { type Deep, deepFault, drawDeep } from "./deep.ts";
import { draw } from "./draw.ts";
import { drawMisuse, type Misuse, misuseFault } from "./misuse.ts";
import { someWay, wayNames } from "./profiles.ts";
import { isLeaf, live, type Program, show } from "./program.ts";
import { smallerPrograms } from "./smaller.ts";
import { type Spoilt, showSpoilt, spoil, spoiltFault } from "./spoilt.ts";
import { notOps, table } from "./table.ts";
import { drawWide, type Wide, wideFault } from "./wide.ts";

interface Case {
  readonly program: Program;
  readonly asked: Asked;
  /** What is tried instead of the program's values. */
  readonly spoilt?: Spoilt;
  readonly deep?: Deep;
  readonly misuse?: Misuse;
  readonly wide?: Wide;
}

/** Ops that `inarch/ops` exports and the fuzzer does not know, and the other way round. */
export const unknownOps = (): string[] => {
  const exported = Object.keys(ops).filter((name) => !notOps.includes(name));
  return [
    ...exported.filter((name) => !table[name]).map((name) => `${name} is not known to the fuzzer`),
    ...Object.keys(table)
      .filter((name) => !exported.includes(name))
      .map((name) => `${name} is no op`),
  ];
};

export function graphs(gpu: Device | undefined): Kind<Case> {
  const names = Object.keys(table);
  return {
    name: "graphs",
    draw(seed) {
      const random = randomOf(seed);
      const isExtreme = random.chance(0.4);
      const wanted = { isExtreme, calls: random.between(1, 9), op: random.pick(names) };
      const program = draw(random.seed(), wanted);
      // Compiling for a device of text takes many times as long as all else. What drivers do to extremes is their own.
      const isOnGpu = random.chance(isExtreme ? 0.4 : 0.2);
      const asked = {
        way: someWay(random),
        gpu: isOnGpu ? gpu : undefined,
        gradients: !isExtreme && random.chance(0.6),
        seed,
      };
      if (random.chance(1 / 150)) return { program, asked, deep: drawDeep(random) };
      if (random.chance(1 / 50)) return { program, asked, misuse: drawMisuse(random) };
      if (random.chance(1 / 150)) return { program, asked, wide: drawWide(random) };
      const spoilt = random.chance(0.25) ? spoil(random.seed(), program) : undefined;
      return { program, asked, ...(spoilt ? { spoilt } : {}) };
    },
    fault: async ({ program, asked, spoilt, deep, misuse, wide }) => {
      if (deep) return deepFault(deep);
      if (misuse) return misuseFault(misuse);
      if (wide) return wideFault(wide);
      return spoilt ? spoiltFault(spoilt, asked.gpu) : faultOf(program, asked);
    },
    *smaller({ program, asked, spoilt, deep, misuse, wide }) {
      // These are a few lines as they are drawn.
      if (spoilt || deep || misuse || wide) return;
      if (asked.gpu) yield { program, asked: { ...asked, gpu: undefined } };
      for (const one of smallerPrograms(program)) yield { program: one, asked };
    },
    show({ program, asked, spoilt, deep, misuse, wide }) {
      if (spoilt) return showSpoilt(spoilt);
      const other = deep ?? misuse ?? wide;
      if (other) return `// ${JSON.stringify(other)}`;
      return `${show(program)}\n// compiled as "${asked.way.name}"`;
    },
    sameness: (words) =>
      words
        .replace(/^.*(?=no coded error)/, "")
        .replace(/-?\d[\d.e+-]*|NaN|Infinity/g, "#")
        .slice(0, 90),
    covered({ program, asked, spoilt, deep, misuse, wide }) {
      if (deep) return { what: ["depth"] };
      if (misuse) return { what: ["misuse"] };
      if (wide) return { what: ["copies"], ops: ["reshape", "matmul"] };
      if (spoilt) return { what: ["refusals"] };
      const used = live(program).map((at) => program.statements[at]!);
      return {
        ops: used.flatMap((s) => (isLeaf(s) ? [] : [s.op])),
        dtypes: used.flatMap((s) => (isLeaf(s) ? [s.dtype] : [])),
        profiles: [asked.way.name],
        devices: ["reference", ...(asked.gpu ? ["webgpu"] : [])],
        what: [
          "values",
          ...(asked.gradients ? ["gradients"] : []),
          ...(program.commits.length > 0 ? ["states"] : []),
        ],
      };
    },
    all: {
      ops: names,
      dtypes: ["f32", "i32", "u32", "bool"],
      profiles: wayNames,
      devices: ["reference", "webgpu"],
      what: ["values", "gradients", "states", "refusals", "depth", "misuse", "copies"],
    },
  };
}
