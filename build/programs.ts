/** Which of a model's programs are meant: a leaf, which commands import at once. */
import type { Model } from "../compiler/graph/model.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";

/** The programs asked for, in the model's order; all without a wish. Errors: E111. */
export function programsOf(model: Model, wanted: readonly string[]): readonly string[] {
  const all = Object.keys(model.programs);
  for (const name of wanted) {
    if (all.includes(name)) continue;
    const near = meant(name, all);
    throw diagnose("E111", {
      message: `model ${model.name} has no program "${name}"`,
      help: `${near === undefined ? "" : `did you mean ${near}? `}its programs are ${all.join(", ")}`,
    });
  }
  return wanted.length === 0 ? all : all.filter((name) => wanted.includes(name));
}
