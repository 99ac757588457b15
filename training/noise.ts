/** The noise of training: new at every step, and the same again from the same seed. */
import type { Scope } from "../compiler/index.ts";
import { input } from "../compiler/index.ts";
import { randomNormal, randomUniform, streamOf } from "../ops/training/random.ts";

/**
 * Draws from the input `key`, u32 `[3]`: the session's seed, the step, and the number of the part. What is drawn goes
 * by the picture's number in the whole batch, in however many parts that is computed.
 */
export function drawn(): Scope["random"] {
  let key: ReturnType<typeof makeKey> | undefined;
  const used = new Map<string, number>();
  return (distribution, name, shape) => {
    key ??= makeKey();
    // A name asked for twice (a task each, say) is another stream.
    const times = used.get(name) ?? 0;
    used.set(name, times + 1);
    const stream = streamOf(times === 0 ? name : `${name}#${times}`);
    return distribution === "normal"
      ? randomNormal(key, stream, shape)
      : randomUniform(key, stream, shape);
  };
}

const makeKey = () =>
  input("key", "u32", [3], { doc: "The seed, the step, and which part of it this is." });
