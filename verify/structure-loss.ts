/** Checks of kind `structure_loss`: the structure loss of Conv-LoRA's code, and its gradient. */
import { compileAsync, input, trace } from "../compiler/index.ts";
import { gradient } from "../compiler/op-kit.ts";
import { full } from "../ops/index.ts";
import { createSession } from "../runtime/session.ts";
import { structureLoss } from "../training/losses/structure.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference } from "./reference.ts";

const ending = "/logits";

/** `CASE/loss` of `CASE/logits` and `CASE/target`; `CASE/grad.logits` where the file has it. */
export async function* verifyStructureLoss(
  reference: Reference,
  setting: Setting,
): AsyncIterable<Check> {
  const cases = reference.names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
  if (cases.length === 0) throw garbled(reference.path, `it has no tensor "CASE${ending}"`);
  const floor = await floorOf(reference);
  for (const name of cases) {
    const found = await compute(reference, setting, name);
    const loss = await reference.read(`${name}/loss`);
    yield compare(`${name}/loss`, found.loss!, loss.data, { relative: 1e-4 });
    if (!reference.has(`${name}/grad.logits`)) continue;
    const { data } = await reference.read(`${name}/grad.logits`, 4);
    yield compare(`${name}/grad.logits`, found.gradient!, data, { relative: 1e-3, floor });
  }
}

/** What a gradient may be off by at least: 1e-7 of the norm of all gradients of the file. */
async function floorOf(reference: Reference): Promise<number> {
  let squares = 0;
  for (const name of reference.names.filter((one) => one.endsWith("/grad.logits")))
    for (const g of (await reference.read(name)).data) squares += g * g;
  return 1e-7 * Math.sqrt(squares);
}

async function compute(reference: Reference, { device, profile, signal }: Setting, name: string) {
  const logits = await reference.read(`${name}${ending}`, 4);
  const target = await reference.read(`${name}/target`, 4);
  if (logits.shape.join() !== target.shape.join())
    throw garbled(
      reference.path,
      `${name}${ending} is [${logits.shape.join(", ")}], but ${name}/target [${target.shape.join(", ")}]`,
    );
  const graph = trace(() => {
    const x = input("logits", "f32", [...logits.shape]);
    const loss = structureLoss(x, input("target", "f32", [...target.shape]));
    return { loss, gradient: gradient([loss], [full(1, [])], [x])[0]! };
  }, {});
  const plan = await compileAsync(graph, { name, target: device.target, profile, signal });
  const session = await createSession(plan, device);
  try {
    return await session.run({ logits: logits.data, target: target.data });
  } finally {
    session.close();
  }
}
