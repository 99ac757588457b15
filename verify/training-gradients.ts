/** The first step's gradients beside the published ones, and before them the choice of experts. */
import type { TrainingSession } from "../runtime/training/session.ts";
import { type Check, compare } from "./compare.ts";
import type { Reference } from "./reference.ts";

const prefix = "grad0.";

/**
 * The bias of a key projection moves all scores of a query alike: its gradient is zero, what a
 * program computes is rounding, and Adam makes steps of it.
 */
export const rounding = (name: string): boolean => name.endsWith(".k_proj.bias");

/** What stands before the number of an expert. */
const experts = ".lora_moe_experts.";

/**
 * Compares after a session's first step. A gradient that is stored but absent here, or here but not
 * stored, is wrong: zero is not absent.
 */
export async function* compareFirstGradients(
  reference: Reference,
  session: TrainingSession,
): AsyncIterable<Check> {
  const present = new Set(await session.present());
  const stored = new Map<string, Float32Array>();
  for (const name of reference.names)
    if (name.startsWith(prefix))
      stored.set(name.slice(prefix.length), (await reference.read(name)).data);
  yield* compareRouting(session, present, new Set(stored.keys()));
  const floor = 1e-7 * Math.sqrt([...stored.values()].reduce((sum, g) => sum + squares(g), 0));
  for (const [name, data] of stored) {
    if (rounding(name)) continue;
    if (present.has(name)) {
      const mine = await session.gradient(name);
      yield compare(`${prefix}${name}`, mine, data, { relative: 1e-3, floor });
    } else yield presence(name, "none", "a gradient");
  }
  for (const name of present)
    if (!stored.has(name) && !rounding(name)) yield presence(name, "a gradient", "none");
}

const presence = (name: string, found: string, allowed: string): Check => ({
  name: `${prefix}${name}`,
  found,
  allowed,
  passed: false,
});

const squares = (values: Float32Array) => values.reduce((sum, g) => sum + g * g, 0);

/** An expert has a gradient where anything was routed to it. */
function* compareRouting(
  session: TrainingSession,
  present: ReadonlySet<string>,
  stored: ReadonlySet<string>,
): Iterable<Check> {
  const all = [...new Set([...session.plan.tensors.map((t) => t.name), ...stored])];
  const places = new Set(all.filter((n) => n.includes(experts)).map((n) => n.split(experts)[0]!));
  for (const place of places) {
    const chosen = (names: ReadonlySet<string>) => {
      const own = [...names].filter((name) => name.startsWith(`${place}${experts}`));
      const numbers = own.map((name) => Number.parseInt(name.split(experts)[1]!, 10));
      return `experts ${[...new Set(numbers)].sort((a, b) => a - b).join(", ")}`;
    };
    const [found, allowed] = [chosen(present), chosen(stored)];
    yield { name: `routing at step 0, ${place}`, found, allowed, passed: found === allowed };
  }
}
