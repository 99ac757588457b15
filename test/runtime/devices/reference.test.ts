/** The reference device is strict: each of these programs is accepted by a GPU without a word. */
import { describe, expect, test } from "vitest";
import { Builder } from "../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { index, literal } from "../../../compiler/kernel/value.ts";
import { unverified } from "../../../compiler/kernel/verify.ts";
import type { Plan } from "../../../compiler/plan.ts";
import { reference } from "../../../compiler/targets/reference/index.ts";
import type { Numbers } from "../../../runtime/devices/device.ts";
import { type ReferenceOptions, referenceDevice } from "../../../runtime/devices/reference.ts";

const one = literal(1, "f32");

/** Runs one kernel over its own buffers, all zero and written. Returns the first. */
async function run(kernel: Kernel, options: ReferenceOptions = {}): Promise<Numbers> {
  const device = referenceDevice(options);
  const roles = kernel.params.map((p) => ({ role: "arena" as const, bytes: p.size * 4 }));
  const buffers = await device.allocate(roles);
  kernel.params.forEach((p, i) => {
    device.write(buffers[i]!, 0, new Float32Array(p.size));
  });
  const plan: Pick<Plan, "name" | "kernels" | "steps" | "commits"> = {
    name: "test",
    kernels: [
      {
        name: kernel.name,
        source: reference.print(kernel, () => true),
        entry: kernel.name,
        threads: kernel.threads,
        params: kernel.params.map((p) => ({
          scalar: "f32",
          size: p.size,
          access: "read-write",
          writes: p.writable,
        })),
        sharedBytes: 0,
        subgroup: kernel.subgroup,
      },
    ],
    steps: [
      {
        kernel: 0,
        groups: kernel.groups,
        bindings: roles.map((r, buffer) => ({ buffer, offset: 0, bytes: r.bytes })),
        label: "test",
      },
    ],
    commits: [],
  };
  await (await device.load(plan, buffers)).run();
  return device.read(buffers[0]!, 0, kernel.params[0]!.size, "f32");
}

type Body = (k: Builder, y: ReturnType<Builder["param"]>) => void;

const kernel = (body: Body, threads = 4, groups = 1): Kernel => {
  const k = new Builder();
  body(k, k.param("y", "f32", 4, "write"));
  return unverified(() => k.finish("test", [threads, 1, 1], [groups, 1, 1]));
};

const objections: readonly (readonly [
  claim: string,
  message: RegExp,
  body: Body,
  groups?: number,
])[] = [
  [
    "a missing barrier",
    /read s\[3\] before any write|race/,
    (k, y) => {
      const [s, t] = [k.shared("s", 4), k.thread(0, 4)];
      k.store(s, t, one);
      k.store(y, t, k.load(s, index(3).sub(t)));
    },
  ],
  [
    "a divergent barrier",
    /divergent barrier: 2 of 4/,
    (k, y) => {
      k.if(k.thread(0, 4).lt(2), () => k.barrier());
      k.store(y, k.thread(0, 4), one);
    },
  ],
  [
    "a store out of bounds",
    /write y\[4\] is out of bounds/,
    (k, y) => k.store(y, k.thread(0, 4).add(1), one),
  ],
  [
    "a read of what nobody wrote",
    /read s\[0\] before any write/,
    (k, y) => k.store(y, k.thread(0, 4), k.load(k.shared("s", 4), k.thread(0, 4))),
  ],
  [
    "two threads that write one place",
    /race: thread 1 writes y\[0\]/,
    (k, y) => k.store(y, 0, one),
  ],
  [
    "two workgroups that write one place",
    /race: thread 0 writes y\[0\]/,
    (k, y) => k.if(k.thread(0, 4).eq(0), () => k.store(y, 0, one)),
    2,
  ],
  [
    "a broadcast that not all lanes reach",
    /divergent broadcast/,
    (k, y) => {
      const lane = k.lane(4);
      k.if(lane.lt(2), () => k.store(y, lane, k.let("b", k.broadcast(one, 0))));
    },
  ],
];

describe("the reference device objects (E450) to", () => {
  for (const [claim, message, body, groups] of objections)
    test(claim, async () => {
      await expect(run(kernel(body, 4, groups))).rejects.toMatchObject({
        code: "E450",
        message: expect.stringMatching(message),
      });
    });
});

test("a broadcast gives every lane the value of one", async () => {
  const k = new Builder();
  const y = k.param("y", "f32", 8, "write");
  const lane = k.lane(4);
  const value = k.broadcast(lane.cast("f32").add(10), 2);
  k.store(y, k.group(0, 2).mul(4).add(lane), k.let("value", value));
  const built = k.finish("test", [4, 1, 1], [2, 1, 1]);
  await run(built);
  expect(built.subgroup).toBe(4);
});

test("a float that a kernel names is what it is when it was stored and read again", async () => {
  const body: Body = (k, y) => {
    const t = k.thread(0, 4);
    const kept = k.shared("kept", 4);
    const three = k.let("three", literal(3, "f32").add(t.cast("f32").mul(0)));
    const named = k.let("named", one.div(three));
    const changed = k.var("changed", one);
    changed.set(one.div(three));
    k.store(kept, t, named);
    const read = k.let("read", k.load(kept, t));
    const isSame = named.eq(read).and(changed.get.eq(read));
    k.store(y, t, isSame.select(named, literal(0, "f32")));
  };
  const singles = await run(kernel(body));
  expect([...singles]).toEqual(Array.from({ length: 4 }, () => Math.fround(1 / 3)));
  const doubles = await run(kernel(body), { precision: "double" });
  expect([...doubles]).toEqual(Array.from({ length: 4 }, () => 1 / 3));
});
