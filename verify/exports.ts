/** Checks what a file exports: ops, compositions of ops, and adapters, each by its own samples. */
import type { AdapterTests } from "../adapters/samples.ts";
import type { Op, Tests } from "../compiler/op-kit.ts";
import { diagnose } from "../diagnostics/index.ts";
import { claims, openSample } from "./adapters/adapter.ts";
import { derivativeFault, exampleFault, lackOf } from "./ops/op.ts";
import { type Subject, subjectOf } from "./ops/programs.ts";

/** One claim about one export, and what is wrong with it; undefined where it holds. */
export interface Checked {
  readonly subject: string;
  readonly claim: string;
  readonly fault: string | undefined;
}

/**
 * Checks every op (`kind` and `tests`), the samples that a file exports as `tests` for a composition, and
 * those that it exports as `tests` for its adapters. On the reference device, in double precision where
 * derivatives are.
 * @throws E514 for a file with nothing to check, `where` names it.
 */
export async function* checkExports(
  exports: Readonly<Record<string, unknown>>,
  where: string,
): AsyncGenerator<Checked> {
  const { tests } = exports as { readonly tests?: Tests | AdapterTests };
  const ops = Object.values(exports).filter(isOp);
  const subjects = ops.map((op) => subjectOf(op.name, op, (op as { tests?: Tests }).tests));
  const adapters = tests && !("samples" in tests) ? Object.entries(tests) : [];
  if (tests && "samples" in tests) subjects.push(subjectOf("tests", undefined, tests as Tests));
  if (subjects.length === 0 && adapters.length === 0)
    throw diagnose("E514", {
      message: "the file exports no op, and no samples of a composition or of an adapter",
      where,
      help: "export an op (export const op = elementwiseOp(name, { at, vjp, tests })), or samples: export const tests = { samples: [...] }, or, for an adapter, export const tests: AdapterTests = { NAME: [{ adapter: () => NAME() }] }",
    });
  for (const subject of subjects) yield* checkOp(subject);
  for (const [name, samples] of adapters)
    for (const sample of samples) {
      const subject = sample.claim ? `${name}, ${sample.claim}` : name;
      const opened = await openSample(sample);
      for (const { claim, check } of claims)
        yield { subject, claim, fault: await faultOf(() => check(opened)) };
    }
}

async function* checkOp(subject: Subject): AsyncGenerator<Checked> {
  const { name, examples, claims: words } = subject;
  yield { subject: name, claim: "it has a name, samples and a derivative", fault: lackOf(subject) };
  for (const [i, make] of examples.entries()) {
    const example = make();
    yield { subject: name, claim: words[i]!, fault: await exampleFault(example) };
    if (example.smooth)
      yield {
        subject: name,
        claim: `${words[i]!}: its derivative`,
        fault: await derivativeFault(example),
      };
  }
}

async function faultOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const isOp = (value: unknown): value is Op =>
  typeof value === "object" &&
  value !== null &&
  ["element", "kernel"].includes((value as Partial<Op>).kind ?? "") &&
  typeof (value as Partial<Op>).type === "function";
