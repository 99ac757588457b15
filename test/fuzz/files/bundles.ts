/** A bundle as `inarch build` writes it, and plans of whoever means ill. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "../../../build/build.ts";
import { bundleFiles } from "../../../build/bundle-files.ts";
import { defaultProfile, type Plan } from "../../../compiler/index.ts";
import { type Bundle, openBundle } from "../../../runtime/bundle/bundle.ts";
import { type Manifest, manifestText } from "../../../runtime/bundle/manifest.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { smallModel } from "./model.ts";
import { base, digest, type Files, type Format, once, readTensors } from "./whole.ts";

const plainModel = smallModel("plain");

/** What `inarch build` writes, by path. */
const built = once(async (): Promise<Files> => {
  const folder = await mkdtemp(join(tmpdir(), "inarch-fuzz-"));
  try {
    const weights = join(folder, "w.safetensors");
    await writeFile(weights, writeSafetensors(base));
    const out = join(folder, "out");
    await build({
      loaded: { model: plainModel, file: undefined },
      out,
      programs: ["forward", "twice"],
      dims: {},
      profile: defaultProfile,
      weights,
      onProgress: () => {},
    });
    const files = new Map<string, Uint8Array>();
    for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      // The wrapper is code: nobody reads it but an importer.
      if (/\.(?:js|d\.ts)$/.test(path)) continue;
      files.set(relative(out, path).replaceAll("\\", "/"), Uint8Array.from(await readFile(path)));
    }
    return files;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const open = (files: Files, manifest: string): Promise<Bundle> =>
  openBundle(
    async (path) => {
      const bytes = files.get(path);
      if (!bytes) throw new RangeError(`no ${path}`);
      return bytes;
    },
    { source: "damaged/", manifest },
  );

/** By every manifest that there is: a wrapper names one of its own. */
async function readBundle(files: Files, gpu: Device | undefined, runs: boolean): Promise<string> {
  const parts: string[] = [];
  for (const name of files.keys())
    if (/^manifest[^/]*\.json$/.test(name)) parts.push(await readBy(name, files, gpu, runs));
  return digest(...parts);
}

async function readBy(name: string, files: Files, gpu: Device | undefined, runs: boolean) {
  const bundle = await open(files, name);
  const weights = await bundle.openWeights();
  const read = await readTensors(weights);
  await weights.close();
  if (runs && gpu) {
    const placed = await loadBundle(bundle, gpu);
    for (const [program, plan] of Object.entries(bundle.plans)) {
      const sizes = plan.inputs.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
      // Inputs that nobody could give.
      if (sizes.some((n) => !(n < 1e6))) continue;
      const ones = plan.inputs.map(({ name: of }, n) => [of, Array(sizes[n]).fill(1)] as const);
      await placed.run(program, Object.fromEntries(ones));
    }
    await placed.close();
  }
  return digest(read, JSON.stringify(bundle.plans), JSON.stringify(bundle.manifest));
}

export const bundleFormats = (gpu: Device | undefined): Readonly<Record<string, Format>> => ({
  bundle: {
    files: built,
    read: (files) => readBundle(files, gpu, false),
    own: true,
    share: 0.6,
  },
  "plan under right hashes": {
    files: built,
    read: (files) => readBundle(files, gpu, true),
    share: 1,
    json: {
      of: (files) => plansIn(files),
      put: (files, json) => {
        const plans = new Map(Object.entries(json as Record<string, Plan>));
        const { weights } = manifestIn(files);
        const made = bundleFiles({ name: "plain", plans, weights });
        const text = (x: string | Uint8Array) =>
          typeof x === "string" ? new TextEncoder().encode(x) : x;
        return new Map([
          [weights!.file, files.get(weights!.file)!],
          ...[...made.files].map(([path, x]) => [path, text(x)] as const),
        ]);
      },
    },
  },
  "manifest under a right hash": {
    files: built,
    read: (files) => readBundle(files, gpu, true),
    share: 1,
    json: {
      of: manifestIn,
      put: (files, json) =>
        new Map([
          ...files,
          ["manifest.json", new TextEncoder().encode(manifestText(json as Manifest))],
        ]),
    },
  },
});

function manifestIn(files: Files): Manifest {
  const { checksum: _, ...manifest } = JSON.parse(
    new TextDecoder().decode(files.get("manifest.json")),
  );
  return manifest;
}

function plansIn(files: Files): Record<string, unknown> {
  const manifest = manifestIn(files);
  const text = (path: string) => new TextDecoder().decode(files.get(path));
  return Object.fromEntries(
    Object.entries(manifest.programs).map(([name, { plan }]) => {
      const { kernels, ...rest } = JSON.parse(text(plan));
      return [
        name,
        {
          ...rest,
          kernels: kernels.map(({ file, ...k }: { file: string }) => ({
            ...k,
            source: text(file),
          })),
        },
      ];
    }),
  );
}
