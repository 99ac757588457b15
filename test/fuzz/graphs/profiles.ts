/** The ways in which a program is compiled: what devices there are, and how results are stored. */
import type { CompileOptions } from "../../../compiler/compile.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import { type WeightFormat, weightFormats } from "../../../formats/index.ts";
import type { Random } from "../random.ts";
import type { Noise } from "./arithmetic.ts";

export interface Way {
  /** For reports: which profile, which precision. */
  readonly name: string;
  readonly options: CompileOptions;
  /** The width of the reference device's subgroups. */
  readonly width?: number;
  /** How coarse memory is. */
  readonly store?: NonNullable<Noise["store"]>;
}

const profile = (name: string, changes: Partial<Profile>): Way => ({
  name,
  options: { profile: { ...defaultProfile, name, ...changes } },
  ...(changes.subgroup ? { width: changes.subgroup } : {}),
});

const halves = { bits: 9, largest: 65000, least: 6e-8 };
const brain = { bits: 7, largest: 3e38, least: 0 };

/** The names of all ways that `wayOf` makes, for the report. */
export const wayNames: readonly string[] = [
  "default",
  "unfused",
  "subgroups of 4",
  "subgroups of 8",
  "fast barriers",
  "reducing",
  "unrolled",
  "few groups",
  "few threads",
  "few bindings",
  "small bindings",
  "mixed",
  "mixed, packed",
  ...weightFormats.filter((f) => f !== "f32").map((f) => `weights ${f}`),
];

export function wayOf(name: string): Way {
  const format = /^weights (.*)$/.exec(name)?.[1] as WeightFormat | undefined;
  if (format)
    return {
      name,
      options: { weightFormat: format, profile: { ...defaultProfile, half: true } },
      store: format === "bf16" ? brain : halves,
    };
  switch (name) {
    case "unfused":
      return { name, options: { policy: "unfused" } };
    case "subgroups of 4":
      return profile(name, { subgroup: 4 });
    case "subgroups of 8":
      return profile(name, { subgroup: 8, slowBarriers: false });
    case "fast barriers":
      return profile(name, { slowBarriers: false });
    case "reducing":
      return profile(name, { slowBarriers: false, reduces: true });
    case "unrolled":
      return profile(name, { rolled: false, slowBarriers: false });
    case "few groups":
      // So that small programs have more workgroups than an axis takes.
      return profile(name, { maxGroups: 4 });
    case "few threads":
      return profile(name, { maxThreads: 64, maxGroups: 64 });
    case "few bindings":
      return profile(name, { maxBindings: 8, alignment: 32 });
    case "small bindings":
      return profile(name, { maxBindingBytes: 16384, maxBufferBytes: 16384 });
    case "mixed":
      return {
        name,
        options: { precision: "mixed", halveFrom: 4, profile: { ...defaultProfile, half: true } },
        store: halves,
      };
    case "mixed, packed":
      return { name, options: { weightFormat: "f16" }, store: halves };
    default:
      return { name: "default", options: {} };
  }
}

export const someWay = (random: Random): Way => wayOf(random.pick(wayNames));
