/** Items kept in memory and batches made ahead are those that would have been made. */
import { expect, test } from "vitest";
import {
  type Batch,
  batchesInTurn,
  batchesOf,
  keptInMemory,
  type Samples,
} from "../../../study/data/index.ts";

/** Items of 4 x 4 pixels, 48 bytes of a picture and 64 of labels; how often each was read. */
function counted(size = 5) {
  const reads = new Array<number>(size).fill(0);
  const samples: Samples = {
    size,
    tasks: { labels: { kind: "labels" } },
    async read(item) {
      reads[item]!++;
      return {
        image: { width: 4, height: 4, channels: 3, data: new Uint8Array(48).fill(item) },
        targets: { labels: { kind: "labels", data: new Int32Array(16).fill(item) } },
      };
    },
  };
  return { samples, reads };
}

test("as many items as fit are kept, and the others are read again", async () => {
  const { samples, reads } = counted();
  const kept = keptInMemory(samples, 3 * 112 + 111);
  for (let time = 0; time < 3; time++)
    for (let item = 0; item < 5; item++) expect((await kept.read(item)).image.data[0]).toBe(item);
  expect(reads).toEqual([1, 1, 1, 3, 3]);
});

test("an item that is read twice at once takes its room once", async () => {
  const { samples, reads } = counted();
  const kept = keptInMemory(samples, 2 * 112);
  await Promise.all([kept.read(0), kept.read(0)]);
  await kept.read(1);
  await kept.read(1);
  expect(reads.slice(0, 2)).toEqual([2, 1]);
});

test("what could not be read is tried again", async () => {
  let fails = true;
  const { samples } = counted();
  const kept = keptInMemory(
    {
      ...samples,
      read: async (item) => {
        if (fails) throw new Error("gone");
        return samples.read(item);
      },
    },
    1e6,
  );
  await expect(kept.read(1)).rejects.toThrow("gone");
  fails = false;
  expect((await kept.read(1)).image.data[0]).toBe(1);
});

test("batches in turn are the batches of the steps, and so many are begun ahead", async () => {
  const { samples } = counted();
  const plain = batchesOf(samples, { side: 4, seed: 3 });
  const begun: number[] = [];
  const batches = {
    take: (share: Parameters<typeof plain.take>[0]) => {
      begun.push(share.step);
      return plain.take(share);
    },
  };
  const seen: Batch[] = [];
  for await (const batch of batchesInTurn(batches, { step: 2, end: 7, batch: 2, ahead: 2 })) {
    seen.push(batch);
    // The step that is taken, and two more.
    expect(begun).toEqual([2, 3, 4, 5, 6].slice(0, seen.length + 2));
  }
  const wanted = await Promise.all([2, 3, 4, 5, 6].map((step) => plain.take({ step, batch: 2 })));
  expect(seen).toEqual(wanted);
});

test("an error comes at its turn, and nobody hears of it who stops before", async () => {
  const take = async ({ step }: { step: number }) => {
    if (step === 2) throw new Error("gone");
    return { step } as unknown as Batch;
  };
  const steps = { step: 0, end: 4, batch: 1, ahead: 3 };
  const turn = batchesInTurn({ take }, steps);
  expect((await turn.next()).value).toEqual({ step: 0 });
  expect((await turn.next()).value).toEqual({ step: 1 });
  await expect(turn.next()).rejects.toThrow("gone");
  for await (const batch of batchesInTurn({ take }, steps))
    if ((batch as unknown as { step: number }).step === 1) break;
  await new Promise((resolve) => setTimeout(resolve, 0));
});
