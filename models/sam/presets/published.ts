/** The methods that Conv-LoRA's paper compares, in its settings: what `inarch params` counts. */
import { convLora } from "../../../adapters/conv-lora.ts";
import { houlsby } from "../../../adapters/houlsby.ts";
import { lora } from "../../../adapters/lora.ts";
import { lst } from "../../../adapters/lst.ts";
import { mtan } from "../../../adapters/mtan.ts";
import { pfeiffer } from "../../../adapters/pfeiffer.ts";
import { samAdapter } from "../../../adapters/sam-adapter.ts";
import { ssf } from "../../../adapters/ssf.ts";
import { taLora } from "../../../adapters/ta-lora.ts";
import { vptDeep, vptShallow } from "../../../adapters/vpt.ts";
import { type Adapter, adapt, type Model } from "../../../compiler/index.ts";
import { bug } from "../../../diagnostics/index.ts";
import { checkOptions } from "../../../diagnostics/options.ts";
import { houlsbyPlaces, pfeifferPlaces, qkvPlaces, ssfPlaces } from "./places.ts";
import { bitFit, decoderOnly, layerNormTuning, wholeEncoder } from "./tuning.ts";

export interface PublishedMethod {
  readonly name: string;
  /** What is grafted on SAM for semantic segmentation, one after another. */
  readonly adapters: readonly { readonly adapter: Adapter; readonly where: readonly string[] }[];
  /** Millions of trainable parameters on ViT-H as printed; undefined where the paper has none. */
  readonly millions?: number;
}

/** An adapter's settings by name, as its options and its file have them. */
export type MethodSettings = Readonly<Record<string, unknown>>;

interface Row {
  readonly name: string;
  readonly make: (settings: MethodSettings) => Adapter;
  readonly where: readonly string[];
  readonly millions?: number;
}

const everywhere = ["**"];

const row = (
  name: string,
  make: Row["make"],
  where: readonly string[],
  millions?: number,
): Row => ({
  name,
  make,
  where,
  ...(millions === undefined ? {} : { millions }),
});

/** In the order of the paper's table, then the related methods that it leaves out. */
const rows: readonly Row[] = [
  row("decoder-only", () => decoderOnly(), everywhere, 3.51),
  row("bitfit", () => bitFit(), everywhere, 3.96),
  row("adapter", houlsby, houlsbyPlaces, 3.92),
  row("vpt-deep", vptDeep, everywhere, 4.0),
  row("lst", lst, everywhere, 11.49),
  row("sam-adapter", samAdapter, everywhere, 3.98),
  row("ssf", () => ssf(), ssfPlaces, 4.42),
  row("lora", lora, qkvPlaces, 4.0),
  row("conv-lora", convLora, qkvPlaces, 4.02),
  row("vpt-shallow", vptShallow, everywhere),
  row("pfeiffer", pfeiffer, pfeifferPlaces),
  row("layer-norm", () => layerNormTuning(), everywhere),
];

export const publishedNames: readonly string[] = rows.map(({ name }) => name);

/** With the mask decoder, which trains in all of them. */
function methodOf({ name, where, millions }: Row, adapter: Adapter): PublishedMethod {
  const own = { adapter, where };
  const decoder = { adapter: decoderOnly(), where: everywhere };
  return {
    name,
    adapters: name === decoder.adapter.name ? [own] : [decoder, own],
    ...(millions === undefined ? {} : { millions }),
  };
}

export const publishedMethods = (): readonly PublishedMethod[] =>
  rows.map((method) => methodOf(method, method.make({})));

/** What a method's adapter can be asked for, by name. */
export function methodSettingNames(name: string): readonly string[] {
  const ofTasks = taskRows.find((one) => one.name === name);
  if (ofTasks) return ofTasks.settings;
  return Object.keys(rows.find((one) => one.name === name)?.make({}).settings ?? {});
}

/** What a file says of an adapter that was trained. */
export interface TrainedAdapter {
  readonly name: string;
  readonly settings: MethodSettings;
  readonly places: readonly string[];
}

/**
 * A method as it was trained: its adapter has the settings and the places that one of `trained` has of
 * its name. Settings that are `given` go before these.
 * @throws E134 for a setting that cannot be, E460 for one that the adapter does not have.
 */
export function trainedMethod(
  name: string,
  trained: readonly TrainedAdapter[],
  given: MethodSettings = {},
): PublishedMethod {
  const method = rows.find((one) => one.name === name) ?? bug(`no method ${name}`);
  const usual = method.make({});
  const file = trained.find((one) => one.name === usual.name);
  checkOptions(name, given, usual.settings ?? {});
  // What was left out is null in a file.
  const said = Object.entries(file?.settings ?? {}).filter(([, value]) => value !== null);
  const adapter = method.make({ ...Object.fromEntries(said), ...given });
  // A place at the top of the model has no path.
  const places = file?.places ?? [];
  const where = places.length === 0 || places.some((place) => place === "") ? method.where : places;
  return methodOf({ ...method, where }, adapter);
}

interface TaskRow {
  readonly name: string;
  readonly settings: readonly string[];
  /** What it grafts beside what trains the decoders. */
  readonly make: (settings: MethodSettings, tasks: number) => PublishedMethod["adapters"];
}

/** TA-LoRA trains the norms of the encoder's blocks, too, as in MTSAM's code; the others all of the encoder. */
const taskRows: readonly TaskRow[] = [
  {
    name: "ta-lora",
    settings: Object.keys(taLora({ tasks: 1 }).settings ?? {}).filter((one) => one !== "tasks"),
    make: (settings, tasks) => [
      { adapter: layerNormTuning(), where: everywhere },
      { adapter: taLora({ ...settings, tasks }), where: qkvPlaces },
    ],
  },
  {
    name: "mtan",
    settings: Object.keys(mtan().settings ?? {}),
    make: (settings) => [
      { adapter: wholeEncoder(), where: everywhere },
      { adapter: mtan(settings), where: everywhere },
    ],
  },
  {
    // Its units are the model's: `mSam(config, …, { crossStitch: settings })`.
    name: "cross-stitch",
    settings: ["stages"],
    make: () => [{ adapter: wholeEncoder(), where: everywhere }],
  },
];

/** Methods that only a model of several tasks can have. */
export const taskMethodNames: readonly string[] = taskRows.map(({ name }) => name);

/**
 * A method on an mSAM of so many tasks, whose decoders train. Settings are those of `trainedMethod`.
 * @throws E134 for a setting that cannot be, E460 for one that the adapter does not have.
 */
export function taskMethod(
  name: string,
  tasks: number,
  given: MethodSettings = {},
): PublishedMethod {
  const row = taskRows.find((one) => one.name === name);
  if (!row) return trainedMethod(name, [], given);
  checkOptions(name, given, Object.fromEntries(row.settings.map((setting) => [setting, true])));
  const decoder = { adapter: decoderOnly(), where: everywhere };
  return { name, adapters: [decoder, ...row.make(given, tasks)] };
}

/**
 * A model with the adapters of a method grafted on it, one after another. `train` says which parameters train beside
 * what the method trains, or with `!` before them do not.
 * @throws E130 for a pattern that matches no parameter.
 */
export const graftMethod = (
  model: Model,
  { adapters }: PublishedMethod,
  train: readonly string[] = [],
): Model =>
  adapters.reduce(
    (base, { adapter, where }, i) =>
      adapt(base, adapter, { where, train: i === adapters.length - 1 ? train : [] }),
    model,
  );
