/** matmul as a tile program: the products of all segments are added to one sum. */
import {
  elements,
  type KernelSite,
  span,
  type TileProgram,
  unflatten,
} from "../../compiler/op-kit.ts";

/** `m` rows and `n` columns of a workgroup, and at most `deep` places of a depth at a time. */
export function matmulProgram(
  { k, inputs, outputs }: Pick<KernelSite<null>, "k" | "inputs" | "outputs">,
  { m, n, deep }: { readonly m: number; readonly n: number; readonly deep: number },
): TileProgram {
  const out = outputs[0]!;
  const [height, width] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const batch = out.shape.slice(0, -2);
  const groups = [Math.ceil(width / n), Math.ceil(height / m), elements(batch)] as const;
  return {
    name: "matmul",
    groups,
    body(t) {
      const lead = unflatten(batch, k.group(2, groups[2]));
      const rows = span(height, m, k.group(1, groups[1]));
      const columns = span(width, n, k.group(0, groups[0]));
      let sum = t.fill(m, n, 0);
      for (let s = 0; s < inputs.length; s += 2) {
        const [a, b] = [inputs[s]!, inputs[s + 1]!];
        const depth = a.shape.at(-1)!;
        const size = Math.min(deep, t.whole(depth, "depth"));
        [sum] = t.loop(Math.ceil(depth / size), [sum], (step, [sum]) => {
          const places = span(depth, size, step);
          const left = t.load(rows, places, (r, d) => a.at(...lead, r, d));
          const right = t.load(places, columns, (d, c) => b.at(...lead, d, c), 0, b.panel);
          return [t.dot(sum, left, right)];
        });
      }
      t.store(sum, rows, columns, (x, r, c) => out.put(x, ...lead, r, c));
    },
  };
}
