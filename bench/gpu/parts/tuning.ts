/** The fastest tiles of the main kernels of SAM's encoders, in single precision. */
import { join } from "node:path";
import { compileAlone, compileStages } from "../../../compiler/compile.ts";
import type { Region } from "../../../compiler/fuse/region.ts";
import type { Profile } from "../../../compiler/profile.ts";
import { withTuning } from "../../../compiler/tuning/file.ts";
import { deviceKey, showTile, type TunedKernel } from "../../../compiler/tuning/tuning.ts";
import { createSession } from "../../../runtime/index.ts";
import { readTuningFile, writeTuningFile } from "../../../tuning/store.ts";
import { tunable } from "../../../tuning/tune.ts";
import { type TuneOptions, tuneRegion } from "../../../tuning/tuner.ts";
import { encoderGraph } from "../../problems/small-sam.ts";
import type { Item, Part, Setting } from "../part.ts";
import { sizes } from "../sizes.ts";
import { rounded } from "../timing.ts";
import { f32, type Opened, openVariant } from "../variants.ts";

export const tuning: Part = {
  name: "tuning",
  about: "the fastest tiles of the encoders' kernels, f32",
  seconds: { full: [75, 20], small: [600, 200] },
  items: itemsOf,
};

/** Where it is kept, among the results. */
export const tuningFile = (out: string): string => join(out, "tuning.json");

async function itemsOf(setting: Setting): Promise<readonly Item[]> {
  const opened = await openVariant(f32);
  if (typeof opened === "string") return [];
  const { profile } = opened;
  const regions = sizes[setting.scale].models.flatMap(({ config }) =>
    compileStages(encoderGraph(config), { profile }).fusion.regions.slice(),
  );
  return [...tunable(regions, profile)].map(([name, region]) => ({
    name,
    run: () => tune(name, region, opened, setting),
  }));
}

async function tune(
  name: string,
  region: Region,
  { device, profile }: Opened,
  { tell, out, scale }: Setting,
): Promise<void> {
  const result = await tuneRegion(region, {
    ...{ device, profile, rounds: 7, candidates: scale === "full" ? 8 : 2, patience: 8000 },
    // The float64 oracle takes minutes for a layer of SAM. The default tile is what all other parts check.
    ...(scale === "full" ? { expected: asDefault(device, profile) } : {}),
  });
  const { tile, gain, noise, trials } = result;
  const path = tuningFile(out);
  const tuned: Record<string, TunedKernel> = {
    [name]: { tile, gain: Math.round(gain * 1000) / 1000 },
  };
  await writeTuningFile(
    path,
    withTuning(await readTuningFile(path), deviceKey(device.capabilities), tuned),
  );
  const won = trials.find((trial) => trial.tile === tile);
  tell({
    ...{ type: "tile", what: name, tile: showTile(tile), gain: rounded(gain) },
    ...{ noise: rounded(noise), milliseconds: rounded(won?.milliseconds ?? 0) },
    lost: trials.flatMap((t) => (t.reason ? [`${showTile(t.tile)}: ${t.reason}`] : [])),
  });
}

const asDefault =
  (device: Opened["device"], profile: Profile): NonNullable<TuneOptions["expected"]> =>
  async ({ graph, region }, values) => {
    const plan = compileAlone(graph, region, { target: device.target, profile });
    const session = await createSession(plan, device);
    const given = plan.inputs.map(({ name, dtype }) => {
      const numbers = values[Number(name.slice(1))]!;
      return [name, dtype === "f32" ? Float32Array.from(numbers) : [...numbers]] as const;
    });
    const results = await session.run(Object.fromEntries(given));
    session.close();
    return plan.outputs.map(({ name }) => Float64Array.from(results[name]!));
  };
