/** Every sample and case of every op, compiled here, against the oracles. */
import { InarchError } from "../../../diagnostics/index.ts";
import { oddSubject } from "../../../verify/ops/products.ts";
import { type Example, findOps, type Subject } from "../../../verify/ops/programs.ts";
import { canBeStored, type OpSetting, planOf, runExample } from "../../../verify/ops/run.ts";
import type { Item, Part, Setting } from "../part.ts";
import { f32, fragments, type Opened, openVariant, packed, type Variant } from "../variants.ts";

/** A part for each way of computing: where one hangs the driver, the others are still measured. */
export const samplesOf = (variant: Variant): Part => ({
  name: `samples, ${variant.name}`,
  about: `every op's samples, ${variant.name}`,
  seconds: { full: [variant === f32 ? 120 : 60, 20], small: [1200, 180] },
  items: (setting) => itemsOf(variant, setting),
});

async function itemsOf(variant: Variant, setting: Setting): Promise<readonly Item[]> {
  const opened = await openVariant(variant);
  if (typeof opened === "string") {
    setting.tell({ type: "left out", what: "all", reason: opened });
    return [];
  }
  const { subjects } = await findOps();
  const isBrief = setting.scale === "small" && variant !== f32 && variant !== fragments;
  if (isBrief)
    setting.tell({
      type: "left out",
      what: "all but the first sample of each op",
      reason: "a software device takes a second to compile each",
    });
  return [...subjects, oddSubject].map((subject) => ({
    name: subject.name,
    run: () => checkSubject(isBrief ? first(subject) : subject, variant, opened, setting),
  }));
}

/** Where no halves are stored, a program that reads no parameter has none at all, and is refused. */
function hasHalves(example: Example, setting: OpSetting): boolean {
  try {
    planOf(example, setting);
    return true;
  } catch (cause) {
    if (cause instanceof InarchError && cause.code === "E150") return false;
    throw cause;
  }
}

const first = ({ examples, claims, ...subject }: Subject): Subject => ({
  ...subject,
  examples: examples.slice(0, 1),
  claims: claims.slice(0, 1),
});

async function checkSubject(
  { name, examples, claims }: Subject,
  variant: Variant,
  { device, profile }: Opened,
  { tell }: Setting,
): Promise<void> {
  const { precision } = variant;
  const setting: OpSetting = { device, profile, precision };
  let [count, worst] = [0, 0];
  const faults: string[] = [];
  for (const [i, make] of examples.entries()) {
    const example = make();
    if (precision !== "f32" && !canBeStored(example, precision)) continue;
    if (variant === packed && !hasHalves(example, setting)) continue;
    // Of the rest, kernels of fragments are all that is new.
    if (variant === fragments && !planOf(example, setting).kernels.some((k) => k.matrices))
      continue;
    count++;
    const outcome = await runExample(example, setting).catch((cause: Error) => ({
      ...{ error: Number.POSITIVE_INFINITY, fault: cause.message.split("\n")[0]! },
    }));
    worst = Math.max(worst, outcome.error);
    if (outcome.fault !== undefined) faults.push(`${claims[i]}: ${outcome.fault}`);
  }
  if (count === 0) return;
  const found = `${count} samples, off by at most ${worst.toExponential(1)}`;
  tell({
    type: "check",
    what: name,
    passed: faults.length === 0,
    found: [found, ...faults].join("; "),
  });
}
