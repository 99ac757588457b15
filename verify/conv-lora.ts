/**
 * Checks of kind `conv_lora`: the published Conv-LoRA layer, its balance term and its gradients.
 */
import { convLora } from "../adapters/conv-lora.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { casesOf, compareGradients, type Facts, gradientFloor, runLayer } from "./layer.ts";
import type { Reference } from "./reference.ts";

/** Results; gradients have a tolerance of their own. */
const forward = { relative: 1e-4 };

/**
 * For each case: which experts were used, `CASE/y`, `CASE/moe_loss`, and every gradient of
 * sum(y * cotangent) + moe_loss, of x and of every parameter but the frozen weight.
 */
export async function* verifyConvLora(
  reference: Reference,
  setting: Setting,
): AsyncIterable<Check> {
  const cases = casesOf(reference);
  const floor = await gradientFloor(reference);
  for (const one of cases) {
    const { name } = one;
    const training = one.boolean("train");
    const found = await runLayer(reference, setting, {
      name,
      adapter: adapterOf(one),
      training,
      x: await reference.read(`${name}/x`),
      cotangent: await reference.read(`${name}/cotangent`),
      ...(training ? { noise: await reference.read(`${name}/noise`, 2) } : {}),
      term: { name: "moe_loss", differentiated: true },
    });
    // The choice of experts is an argmax: where it differs, no number can agree.
    yield compareRouting(reference, one, found.gradients);
    for (const what of ["y", "moe_loss"] as const) {
      const { data } = await reference.read(`${name}/${what}`);
      yield compare(`${name}/${what}`, what === "y" ? found.y : found.term, data, forward);
    }
    yield* compareGradients(reference, `${name}/`, found.gradients, floor);
  }
}

const adapterOf = (one: Facts) =>
  convLora({
    rank: one.number("rank"),
    alpha: one.number("alpha"),
    experts: one.number("experts"),
  });

/** Experts that maps were routed to: those that have a gradient. */
function compareRouting(
  reference: Reference,
  one: Facts,
  gradients: ReadonlyMap<string, unknown>,
): Check {
  const all = Array.from({ length: one.number("experts") }, (_, i) => i);
  const bias = (i: number) => `lora_moe_experts.${i}.0.bias`;
  const mine = all.filter((i) => gradients.get(bias(i)) !== undefined).join(", ");
  const theirs = all.filter((i) => reference.has(`${one.name}/grad.${bias(i)}`)).join(", ");
  const name = `${one.name}/experts`;
  return { name, found: `used ${mine}`, allowed: theirs, passed: mine === theirs };
}
