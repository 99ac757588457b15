/** The adapters of a bundle by their names: what wrappers of bundles that have some stand on. */
import { diagnose } from "../../diagnostics/index.ts";
import { abortable, type CallOptions } from "../calls.ts";
import type { Device } from "../devices/device.ts";
import { type Adapted, useAdapter } from "../switching.ts";
import type { Weights } from "../weights/weights.ts";
import type { Bundle } from "./bundle.ts";
import { type BundleOptions, checkBundleOptions } from "./model.ts";
import { openFile } from "./weights.ts";

export interface AdaptedBundleOptions extends Omit<BundleOptions, "adapter"> {
  /** The adapter to begin with: one of the bundle's own by its name, the first unless given, or its opened file. */
  readonly adapter?: string | Weights;
}

export interface SwitchedAdapters {
  /**
   * Puts another adapter in place, one of the bundle's own by its name, which is fetched once, or an opened file.
   * Nothing is compiled, the base stays where it is, and calls that are made later wait for it. A file must stay
   * open as long as it is used.
   * @throws E615 for a name that none has, E613, E614 and E617 for its file, and what `useAdapter` throws.
   */
  use(adapter: string | Weights, options?: CallOptions): Promise<void>;
}

type Load<Model> = (
  bundle: Bundle,
  device: Device | GPUDevice,
  options: BundleOptions,
) => Promise<Model>;

/** Loads a bundle of adapters by `loadBundle` or another loader, with one of them in place. */
export async function loadAdapted<Model extends Adapted>(
  load: Load<Model>,
  bundle: Bundle,
  device: Device | GPUDevice,
  { adapter, ...options }: AdaptedBundleOptions = {},
): Promise<Model & SwitchedAdapters> {
  checkBundleOptions(options);
  const { adapters = [] } = bundle;
  const opened = new Map<string, Promise<Weights>>();
  const named = (name: string) => {
    const known = opened.get(name) ?? openNamed(bundle, name, options.url);
    opened.set(name, known);
    known.catch(() => opened.delete(name));
    return known;
  };
  const open = async (one: string | Weights) => (typeof one === "string" ? named(one) : one);
  const first = await abortable(open(adapter ?? adapters[0]?.name ?? ""), options.signal);
  const model = await load(bundle, device, { ...options, adapter: first });
  return Object.assign(model, {
    use: (one: string | Weights, call?: CallOptions) => useAdapter(model, open(one), call),
  });
}

async function openNamed(
  { name, adapters = [] }: Bundle,
  adapter: string,
  folder: string | URL | undefined,
): Promise<Weights> {
  const found = adapters.find((one) => one.name === adapter);
  if (found) return openFile(found, `the bundle of ${name}`, folder, undefined);
  throw diagnose("E615", {
    message: `the bundle of ${name} has no adapter "${adapter}"`,
    help: `its adapters are ${adapters.map((one) => one.name).join(", ") || "none"}: build it with --adapter FILE, or give an opened file`,
  });
}
