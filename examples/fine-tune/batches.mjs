/** Scenes as a model reads them, and how well its masks fit theirs. */
import { normalize } from "inarch/runtime";
import { drawScene, side } from "./scenes.mjs";

/** As many scenes, drawn from seeds that begin at `first`. */
export const drawScenes = (first, count) =>
  Array.from({ length: count }, (_, i) => drawScene(first + i));

/** Inputs of a step: `image` `[scenes, 3, side, side]`, `target` `[scenes, 1, side, side]`. */
export function batchOf(scenes) {
  const image = new Float32Array(scenes.length * 3 * side * side);
  const target = new Float32Array(scenes.length * side * side);
  scenes.forEach((scene, i) => {
    image.set(normalize(scene.image, side), i * 3 * side * side);
    target.set(scene.mask.data, i * side * side);
  });
  return { image, target };
}

/** The masks that a training session's program `segment` finds, `batch` scenes at a time. */
export async function segment(session, scenes, batch) {
  const masks = [];
  for (let i = 0; i < scenes.length; i += batch) {
    const { image } = batchOf(scenes.slice(i, i + batch));
    const { logits } = await session.run("segment", { image });
    for (let at = 0; at < logits.length; at += side * side) {
      const inside = Uint8Array.from(logits.subarray(at, at + side * side), (v) => (v > 0 ? 1 : 0));
      masks.push({ width: side, height: side, data: inside });
    }
  }
  return masks;
}

/** Intersection over union of each mask with its scene's. */
export function ious(masks, scenes) {
  return masks.map((mask, i) => {
    let [both, either] = [0, 0];
    scenes[i].mask.data.forEach((truth, at) => {
      both += truth & mask.data[at];
      either += truth | mask.data[at];
    });
    return either === 0 ? 1 : both / either;
  });
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
