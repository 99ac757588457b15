/** ONNX Runtime, where `npm run bench` has installed it: it is far too large for the tests alone. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { type DType, elements, type Type } from "../../../compiler/op-kit.ts";
import { repository } from "../../support/command-line.ts";

/** What is used of the package. */
interface Package {
  readonly InferenceSession: {
    create(model: Uint8Array | string, options: object): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown;
}

interface Session {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Record<string, { data: unknown }>>;
  release(): Promise<void>;
}

export const missing = "onnxruntime-node is not in out/peers (npm run bench installs it)";

/** The package, or undefined where it is not installed. */
export function findRuntime(): Package | undefined {
  const folder = process.env.INARCH_PEERS ?? join(repository, "out", "peers");
  try {
    return createRequire(join(folder, "package.json"))("onnxruntime-node") as Package;
  } catch {
    return undefined;
  }
}

/** Runs a model, bytes or a file, on the processor. Inputs are those of the graph, by name. */
export async function runModel(
  { InferenceSession, Tensor }: Package,
  model: Uint8Array | string,
  inputs: readonly { readonly name: string; readonly type: Type }[],
  values: Readonly<Record<string, ArrayLike<number>>>,
): Promise<Record<string, number[]>> {
  const session = await InferenceSession.create(model, {
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  try {
    const feeds = inputs.map(({ name, type: { dtype, shape } }) => {
      const data = arrays[dtype].from(values[name]!);
      if (data.length !== elements(shape)) throw new TypeError(`${name} is not full`);
      return [name, new Tensor(names[dtype], data, shape)] as const;
    });
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [
        name,
        Array.from(data as ArrayLike<number | boolean>, Number),
      ]),
    );
  } finally {
    await session.release();
  }
}

const arrays = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

const names = { f32: "float32", i32: "int32", u32: "uint32", bool: "bool" } as const;
