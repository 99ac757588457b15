/** Fine-tuning, and what adapters find, beside the page's own thread. */
import { inferSamConfig, withMetaNames } from "inarch/models";
import { openDevice, serve } from "inarch/page";
import { bytesSource, InarchError, openWeights, useAdapter } from "inarch/runtime";
import { methods, openFinder, tune } from "./model.mjs";

serve(async () => {
  const { device } = await openDevice();
  let base;
  let stopping;
  /** Finders by method, "" for the bare model; each holds one adapter at a time. */
  let finders = new Map();

  async function finderFor({ method = "", adapter, name }) {
    const known = finders.get(method);
    if (!known) {
      const made = await openFinder({ device, ...base, method, adapter });
      finders.set(method, { ...made, name });
      return made;
    }
    if (known.name !== name) {
      await useAdapter(known.session, await openWeights(bytesSource(name, adapter)));
      finders.set(method, { ...known, name });
    }
    return known;
  }

  return {
    async load(bytes, { name }) {
      const weights = withMetaNames(await openWeights(bytesSource(name, bytes)));
      base = { weights, config: inferSamConfig(weights) };
      for (const { session } of finders.values()) await session.close();
      finders = new Map();
    },
    tune(examples, { onStep, onProgress, ...settings }) {
      stopping = new AbortController();
      const { signal } = stopping;
      return tune({ device, ...base, examples, ...settings }, { onStep, onProgress, signal });
    },
    /** Ends a fine-tuning after its step, with what was learned. */
    stop: async () => stopping?.abort(),
    /** The mask that an adapter finds in a picture; without one what the bare model finds. */
    async find(image, adapter) {
      const { find } = await finderFor(adapter ?? {});
      return find(image);
    },
    /** The method of an adapter's file. @throws what the last method says of it if it is none's. */
    async methodOf(bytes, { name }) {
      let refused;
      for (const method of methods)
        try {
          const { session } = await openFinder({ device, ...base, method, adapter: bytes });
          await session.close();
          return method;
        } catch (error) {
          if (!(error instanceof InarchError)) throw error;
          refused = error;
        }
      throw new Error(`${name} is no adapter of this model: ${refused.details.message}`);
    },
  };
});
