/** `--method`: the published methods that can be grafted on a SAM. */

export async function methodFlag() {
  const { methodNames } = await import("../../training/forecast/method.ts");
  return { type: "enum", options: methodNames } as const;
}
