/** What the metadata of a run of training says, checked one by one. */
import { parseSamConfig, type SamConfig } from "../models/index.ts";
import { adam, adamW, type Optimiser, rateAt, type Schedule, sgd } from "../training/index.ts";
import { garbled, type Reference } from "./reference.ts";

/** @throws E361 for a value of the metadata that is missing or no number. */
export function numberOf(reference: Reference, name: string): number {
  const value = Number(reference.fact(name));
  if (reference.fact(name).trim() !== "" && Number.isFinite(value)) return value;
  throw garbled(reference.path, `its "${name}" is no number: ${reference.fact(name)}`);
}

/** @throws E361 for a value of the metadata that is missing or no list of numbers. */
export function numbersOf(reference: Reference, name: string, count?: number): number[] {
  const value = reference.json(name);
  const isList = Array.isArray(value) && value.every((v) => typeof v === "number");
  if (isList && (count === undefined || value.length === count)) return value;
  const wanted = count === undefined ? "a list of numbers" : `a list of ${count} numbers`;
  throw garbled(reference.path, `its "${name}" is not ${wanted}: ${reference.fact(name)}`);
}

export const configOf = (reference: Reference): SamConfig =>
  parseSamConfig(reference.json("config"), `${reference.path}, config`);

/** How many steps were taken. @throws E361 for none. */
export function stepsOf(reference: Reference): number {
  const steps = numberOf(reference, "steps");
  if (Number.isInteger(steps) && steps >= 1) return steps;
  throw garbled(reference.path, `it has ${steps} steps`);
}

/** The optimiser with its settings; `usual` unless the file names one. */
export function optimiserOf(reference: Reference, usual: "adam" | "adamw"): Optimiser {
  const name = reference.metadata.optimizer ?? usual;
  const decay = numberOf(reference, "weight_decay");
  if (name === "sgd") {
    const { momentum = "0" } = reference.metadata;
    return sgd({ momentum: Number(momentum), decay });
  }
  const make = { adam, adamw: adamW }[name];
  if (!make)
    throw garbled(reference.path, `its optimizer is "${name}", known are adam, adamw and sgd`);
  const [first, second] = numbersOf(reference, "betas", 2) as [number, number];
  return make({ decay, betas: [first, second], epsilon: numberOf(reference, "eps") });
}

/** The rate of each step: `lr`, by `lr_schedule` where the file has one. */
export function rateOf(reference: Reference): (step: number) => number {
  const rate = numberOf(reference, "lr");
  if (reference.metadata.lr_schedule === undefined) return () => rate;
  const given = reference.json("lr_schedule");
  const settings = typeof given === "object" && given !== null ? given : {};
  const kind = (settings as { readonly kind?: unknown }).kind;
  if (typeof kind !== "string")
    throw garbled(reference.path, '"lr_schedule" of its metadata says no "kind"');
  const schedule = { steps: stepsOf(reference), ...settings } as Schedule;
  // Refuses by name what no schedule can be, before anything is computed.
  rateAt(schedule, 0);
  return (step) => rate * rateAt(schedule, step);
}
