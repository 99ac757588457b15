/** SAM for clicks and boxes, beside the page's own thread: masks come at once even while something is fine-tuned. */
import { Sam } from "inarch/models";
import { openDevice, serve } from "inarch/page";
import { bytesSource, openWeights } from "inarch/runtime";

serve(async () => {
  const { device, kind, why, summary } = await openDevice();
  let sam;
  return {
    device: { kind, why, ...summary },
    /** Takes a checkpoint's bytes. */
    async load(bytes, { name }) {
      const weights = await openWeights(bytesSource(name, bytes));
      const next = await Sam.load(weights, { device });
      await sam?.close();
      sam = next;
      return { side: sam.config.imageSize, channels: sam.config.embedDim, depth: sam.config.depth };
    },
    async setImage(image) {
      await sam.setImage(image);
    },
    /** The best mask for points `[x, y]` with labels, or a box. */
    async predict({ points, labels, box }) {
      const multimask = points.length === 1 && !box;
      const given = box ? { box } : {};
      const some = points.length > 0 ? { points, labels } : {};
      const { masks, scores } = await sam.predict({ ...some, ...given, multimask });
      const best = scores.indexOf(Math.max(...scores));
      return { mask: masks[best], score: scores[best] };
    },
  };
});
