/** The runs of a study: every combination of the values that its grid names. */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { methodSettingNames } from "../../models/sam/presets/published.ts";
import { checkMethod } from "../train/model.ts";
import { settingsFrom } from "../train/resolve.ts";
import { type AskedSettings, settingWants } from "../train/settings.ts";
import type { Study } from "../train/study.ts";

export interface Cell {
  /** Of its folder. */
  readonly name: string;
  /** The grid's values that apply to its method. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly method: string;
  readonly settings: AskedSettings;
  readonly share: number | undefined;
}

/**
 * A name of the grid is a setting, a setting of a method's adapter, or "share". What a method does not have does not
 * apply to it: combinations that differ in nothing else are one.
 * @throws E1109 for a grid without values, and for a name that nothing has, E1101 for a method that is none, E460
 * and E465 for settings.
 */
export function cellsOf(
  settings: AskedSettings,
  { grid = {}, share }: Pick<Study, "grid" | "share">,
): Cell[] {
  const axes = Object.entries(grid);
  const empty = axes.find(([, values]) => !Array.isArray(values) || values.length === 0);
  if (empty) throw wrong(`the grid has no values of ${empty[0]}`, `write ${empty[0]}: [1, 2]`);
  const used = new Set<string>();
  const cells = new Map<string, Cell>();
  for (const combination of combinations(axes)) {
    const own: AskedSettings = {
      ...settings,
      ...Object.fromEntries(combination.filter(([name]) => Object.hasOwn(settingWants, name))),
    };
    const { method } = settingsFrom(own, "the settings of a study");
    checkMethod(method);
    const adapters = methodSettingNames(method);
    const isOfAdapter = ([name]: readonly [string, unknown]) => adapters.includes(name);
    const applying = combination.filter(
      (axis) => axis[0] === "share" || Object.hasOwn(settingWants, axis[0]) || isOfAdapter(axis),
    );
    for (const [name] of applying) used.add(name);
    const values = Object.fromEntries(applying);
    const ofAdapter = Object.fromEntries(
      applying.filter((axis) => !Object.hasOwn(settingWants, axis[0]) && isOfAdapter(axis)),
    );
    const methodSettings = { ...own.methodSettings, ...ofAdapter };
    cells.set(JSON.stringify(values), {
      ...{ name: nameOf(values), values, method },
      settings: { ...own, methodSettings },
      share: (values.share as number | undefined) ?? share,
    });
  }
  const strange = axes.find(([name]) => !used.has(name));
  if (strange) throw unknown(strange[0], [...cells.values()]);
  return [...cells.values()];
}

type Combination = readonly (readonly [name: string, value: unknown])[];

function combinations(axes: readonly (readonly [string, readonly unknown[]])[]): Combination[] {
  return axes.reduce<Combination[]>(
    (all, [name, values]) =>
      all.flatMap((before) => values.map((value) => [...before, [name, value] as const])),
    [[]],
  );
}

/** "method-lora_rank-3" */
function nameOf(values: Cell["values"]): string {
  const words = Object.entries(values).map(([name, value]) => `${name}-${JSON.stringify(value)}`);
  return words.map((word) => word.replaceAll('"', "").replace(/[^\w.-]+/g, "+")).join("_") || "all";
}

function unknown(name: string, cells: readonly Cell[]) {
  const names = [
    ...["share", ...Object.keys(settingWants)],
    ...cells.flatMap(({ method }) => methodSettingNames(method)),
  ];
  const near = meant(name, names);
  return wrong(
    `the grid names "${name}", which is no setting and none of ${[...new Set(cells.map(({ method }) => method))].join(", ")}`,
    near === undefined
      ? "name a setting, one of the method's adapter, or share"
      : `write "${near}"`,
  );
}

const wrong = (message: string, help: string) => diagnose("E1109", { message, help });
