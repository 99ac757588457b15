/** How Vite builds the studio: from the package's own build, for any folder of any server. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const entries = fileURLToPath(new URL("../../dist/entries", import.meta.url));

/** Pages that are isolated from other origins compute on all threads of a processor. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  // Outside of this repository `npm install inarch` takes the place of this line.
  resolve: {
    alias: [
      { find: /^inarch$/, replacement: `${entries}/index.js` },
      { find: /^inarch\/(.*)$/, replacement: `${entries}/$1.js` },
    ],
  },
  worker: { format: "es" },
  build: {
    outDir: fileURLToPath(new URL("../../out/studio", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1000,
  },
  preview: { headers },
  server: { headers, fs: { allow: [fileURLToPath(new URL("../..", import.meta.url))] } },
});
