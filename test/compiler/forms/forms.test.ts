/** Forms: an op says what each of its kernels asks of a device, and the compiler picks before it fuses. */
import { describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { candidatesOf } from "../../../compiler/forms/pick.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import {
  apply,
  type Form,
  form,
  type KernelOp,
  type KernelSite,
  type Problem,
  portable,
  type Tensor,
} from "../../../compiler/op-kit.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import { attention, matmul } from "../../../ops/index.ts";
import { op as computeTogether } from "../../../ops/training/compute-together.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";

const f32 = (name: string, shape: readonly number[]): Tensor => input(name, "f32", shape);

/** A copy of its input, one thread for each `step` elements. */
const copy = (forms: readonly Form<null>[]): KernelOp<null> => ({
  ...{ name: "copy", kind: "kernel", type: (inputs) => inputs, forms },
  oracle: ([x]) => [x!.data],
  work: () => 0,
  tests: computeTogether.tests,
});

const kernels = {
  reads: () => 1,
  kernel({ k, inputs: [x], outputs: [y] }: KernelSite<null>) {
    const i = k.thread(0, 8);
    y!.put(x!.at(i), i);
    return k.finish("copy", [8, 1, 1], [1, 1, 1]);
  },
};
const named = (name: string, fits: (profile: Profile) => boolean, tiles = [{ step: 1 }]) =>
  form<null, { readonly step: number }>({ ...kernels, name, fits, tiles: () => tiles });

const graphWith = (...forms: readonly Form<null>[]) =>
  graphOf([{ name: "y", tensor: apply(copy(forms), [input("x", "f32", [8])], null)[0]! }]);
const picked = (...forms: readonly Form<null>[]) =>
  compileStages(graphWith(...forms)).fusion.regions[0]!.variant!;

describe("the form of a kernel", () => {
  test("is the first that fits the device", () => {
    const wide = named("wide", ({ subgroup }) => subgroup >= 32);
    const narrow = named("narrow", () => true);
    expect(picked(wide, narrow).form).toBe("narrow");
    expect(picked(narrow, wide).form).toBe("narrow");
    const profile = { ...defaultProfile, subgroup: 32 };
    const { regions } = compileStages(graphWith(wide, narrow), { profile }).fusion;
    expect(regions[0]!.variant!.form).toBe("wide");
  });

  test("is passed over where it is not for the problem", () => {
    const none = named("none", () => true, []);
    expect(picked(none, portable(kernels))).toMatchObject({ form: "portable", tile: {} });
  });

  test("has the first of its tiles", () => {
    const tiled = named("tiled", () => true, [{ step: 4 }, { step: 2 }]);
    expect(picked(tiled).tile).toEqual({ step: 4 });
  });

  test("E112: says so where the device has none", () => {
    const never = named("fragments", () => false);
    expect(() => compile(graphWith(never))).toThrow(/E112.*copy.*"default".*fragments/s);
  });
});

describe("the form of a product", () => {
  const product = (profile: Profile, asked?: string, side = 64) => {
    const y = matmul(f32("a", [side, side]), f32("b", [side, side]));
    const forms = asked === undefined ? {} : { matmul: asked };
    const graph = graphOf([{ name: "y", tensor: y }]);
    return compileStages(graph, { profile, forms }).fusion.regions[0]!.variant!.form;
  };
  const width32: Profile = { ...defaultProfile, name: "width 32", subgroup: 32 };
  const hardware: Profile = { ...width32, slowBarriers: false };
  const products = [{ operand: "f32", rows: 8, columns: 8, depth: 8 }] as const;
  const matrices = { width: 32, widths: "fixed", products } as const;

  test("has no barriers where they are slow and subgroups have one width", () => {
    expect(product({ ...defaultProfile, slowBarriers: true })).toBe("workgroups");
    expect(product({ ...width32, slowBarriers: true })).toBe("subgroups");
    expect(product(width32)).toBe("subgroups");
  });

  test("shares workgroup memory elsewhere, whatever is known of subgroups", () => {
    expect(product(hardware)).toBe("workgroups");
    const { capabilities } = referenceDevice();
    const capable = { ...capabilities, subgroups: { least: 32, most: 32, numbered: true } };
    for (const [slowBarriers, form] of [
      [false, "workgroups"],
      [true, "subgroups"],
    ] as const) {
      const profile = deviceProfile({ ...capable, slowBarriers });
      expect(profile.subgroup).toBe(32);
      expect(product(profile)).toBe(form);
    }
  });

  test("multiplies fragments where the device does", () => {
    expect(product({ ...hardware, matrices })).toBe("fragments");
    expect(product({ ...hardware, matrices: { ...matrices, products: [] } })).toBe("workgroups");
  });

  test("is measured against another only where nothing says which is faster", () => {
    const y = matmul(f32("a", [64, 64]), f32("b", [64, 64]));
    const measured = (profile: Profile) => [
      ...new Set(candidatesOf(y.node, profile).variants.map((v) => v.form)),
    ];
    expect(measured(defaultProfile)).toEqual(["workgroups"]);
    expect(measured(width32)).toEqual(["subgroups"]);
    expect(measured({ ...hardware, matrices })).toEqual(["fragments", "workgroups"]);
  });

  test("is the one that is asked for, where it is for the problem", () => {
    expect(product(width32, "workgroups")).toBe("workgroups");
    expect(product({ ...hardware, matrices }, "workgroups")).toBe("workgroups");
    expect(product({ ...hardware, matrices }, "fragments")).toBe("fragments");
    expect(product({ ...hardware, matrices }, "fragments", 16)).toBe("workgroups");
  });

  test("E112: is refused where the device cannot run it, or there is none of the name", () => {
    expect(() => product(hardware, "subgroups")).toThrow(
      /E112.*"width 32" cannot run the form subgroups of matmul.*can run workgroups/s,
    );
    expect(() => product(hardware, "tensors")).toThrow(/E112.*matmul has no form "tensors"/s);
  });
});

describe("E175: a kernel whose tiles are all too large for the profile", () => {
  const attend = (depth: number) => {
    const x = f32("x", [1, 2, 9, depth]);
    return attention(x, x, x);
  };
  const product = () => matmul(f32("a", [64, 64]), f32("b", [64, 64]));
  const compiled = (tensor: Tensor, limits: Partial<Profile> = {}) =>
    compile(graphOf([{ name: "y", tensor }]), { profile: { ...defaultProfile, ...limits } });

  test.each([
    ["a head of 512 channels", () => attend(512), {}, 32768, 256],
    ["a head of 4096 channels", () => attend(4096), {}, 262144, 256],
    ["little memory", () => attend(64), { maxSharedBytes: 1000 }, 4096, 256],
    ["no memory", product, { maxSharedBytes: 0 }, 4096, 256],
    ["one thread", product, { maxThreads: 1 }, 16384, 64],
    ["neither", product, { maxSharedBytes: 0, maxThreads: 1 }, 65536, 64],
  ] as const)("%s: says so, and with which it would do", (_, make, limits, bytes, threads) => {
    const enough = `${bytes} bytes of workgroup memory and workgroups of ${threads} threads`;
    expect(() => compiled(make(), limits)).toThrow(
      new RegExp(`E175.*forms.test.ts.*${enough}`, "s"),
    );
    expect(compiled(make(), { maxSharedBytes: bytes, maxThreads: threads }).steps).toHaveLength(1);
  });
});

test("what a form lacks does not compile", () => {
  type Tile = { readonly step: number };
  const whole = { ...kernels, name: "whole", fits: () => true, tiles: (): Tile[] => [{ step: 1 }] };
  const { fits: _fits, ...asksNothing } = whole;
  // @ts-expect-error: a form says what it asks of a device.
  const first = form<null, Tile>(asksNothing);
  const { tiles: _tiles, ...untiled } = whole;
  // @ts-expect-error: a form says which tiles it has.
  const second = form<null, Tile>(untiled);
  const third = form({
    ...{ name: "typed", fits: () => true },
    tiles: (): Tile[] => [{ step: 1 }],
    // @ts-expect-error: the tiles have no such size.
    reads: ({ rows }, _input, { attrs }: Problem<null>) => rows + Number(attrs),
    kernel: kernels.kernel,
  });
  // @ts-expect-error: an op that is a kernel has forms.
  const op: KernelOp<null> = { ...copy([]), forms: undefined };
  expect([first, second, third, op]).toHaveLength(4);
});
