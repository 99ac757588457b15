/** Reference files: what the published implementations computed. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defaultProfile } from "../../../compiler/profile.ts";
import { kinds } from "../../../verify/kinds.ts";
import { openReference } from "../../../verify/reference.ts";
import type { Item, Part, Setting } from "../part.ts";
import { root } from "../place.ts";
import { f32, openVariant, type Variant } from "../variants.ts";

export const referencesOn = (variant: Variant): Part => ({
  name: `reference files${variant === f32 ? "" : `, ${variant.name}`}`,
  about: "what published implementations computed: layers, whole models, training runs",
  seconds: { full: [120, 60], small: [1800, 900] },
  items: (setting) => itemsOf(variant, setting),
});

/** The folder of the reference files, in a checkout and in a pack. */
export const fixtures = join(root, "test", "fixtures");

/** Those that a software device is done with in less than a minute. */
const quick = /^(?:resample|structure_loss|sam_nano)\.safetensors$/;

async function itemsOf(variant: Variant, setting: Setting): Promise<readonly Item[]> {
  if (!existsSync(fixtures)) return [];
  const items: Item[] = [];
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith(".safetensors"))) {
    const path = join(fixtures, file);
    const reference = await openReference(path);
    const { kind = "" } = reference.metadata;
    await reference.close();
    if (!Object.hasOwn(kinds, kind)) continue;
    if (setting.scale === "small" && !quick.test(file)) {
      const reason = "a software device compiles for minutes: npm run verify checks it";
      setting.tell({ type: "left out", what: file, reason });
    } else items.push({ name: file, run: () => checkFile(path, kind, variant, setting) });
  }
  return items;
}

async function checkFile(
  path: string,
  kind: string,
  variant: Variant,
  { tell }: Setting,
): Promise<void> {
  const opened = await openVariant(variant);
  if (typeof opened === "string") return tell({ type: "left out", what: path, reason: opened });
  const { device, profile: own } = opened;
  // Numbers must be right within the limits of every device, with this one's kind of kernels.
  const { subgroup, rolled, reduces, deviceClass } = own;
  const profile = { ...defaultProfile, subgroup, rolled, reduces, deviceClass };
  const reference = await openReference(path);
  try {
    let count = 0;
    const wrong: string[] = [];
    for await (const one of kinds[kind]!(reference, { device, profile, onProgress: () => {} })) {
      count++;
      if (!one.passed) wrong.push(`${one.name}: ${one.found} (${one.allowed})`);
    }
    const found = `${count - wrong.length} of ${count} comparisons hold`;
    const listed = wrong.slice(0, 12);
    const more = wrong.length > listed.length ? [`and ${wrong.length - listed.length} more`] : [];
    tell({
      type: "check",
      what: kind,
      passed: wrong.length === 0,
      found: [found, ...listed, ...more].join("; "),
    });
  } finally {
    await reference.close();
  }
}
