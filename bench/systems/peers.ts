/**
 * Where the peers are: packages that bench/peers/package.json names, installed by scripts/bench.mjs
 * in a folder of their own. Nothing else of the project needs them, so their types are written here
 * as far as they are used.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** The folder in which node_modules/ has the peers. */
const folder = () => process.env.INARCH_PEERS ?? join(process.cwd(), "out", "peers");

/** A peer's package, loaded. */
export function loadPeer<T>(name: string): T {
  return createRequire(join(folder(), "package.json"))(name) as T;
}

/** Versions of the packages that are compared, by name; of those that are installed. */
export function peerVersions(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    peers.flatMap((name) => {
      try {
        const manifest = join(folder(), "node_modules", name, "package.json");
        const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
        return [[name, version]];
      } catch {
        return [];
      }
    }),
  );
}

const peers = [
  "onnxruntime-node",
  "onnxruntime-web",
  "@jax-js/jax",
  "@tensorflow/tfjs-backend-webgpu",
  "@tensorflow/tfjs-backend-wasm",
] as const;
