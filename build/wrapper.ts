/**
 * The typed wrapper of a bundle: a module of a few lines, and declarations from the model's inputs,
 * outputs and doc comments. It imports `inarch/runtime`, or the module of the model's loader.
 */
import type { BundleLoader } from "../compiler/graph/model.ts";
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { modelStates } from "../runtime/states.ts";
import { type BundleDescription, bundleText, heading } from "./modules.ts";
import { librariesFolder } from "./native-libraries.ts";

export interface WrapperRequest {
  readonly name: string;
  readonly doc?: string | undefined;
  /** By program, of any profile: what they take and return is the same in all. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** Whether whoever loads the model must bring weights. */
  readonly weights: "given" | "brought";
  readonly loader?: BundleLoader | undefined;
  /** Names of the bundle's adapters. */
  readonly adapters?: readonly string[];
  /** Whether libraries lie beside the module. */
  readonly hasLibraries?: boolean;
}

export interface Wrapper {
  /** The module, with the description of the bundle. */
  readonly module: (bundle: BundleDescription) => string;
  readonly declarations: string;
}

/**
 * Generates both files. What `load` returns is the loader's, or an object with a method for each program.
 * Errors: E602 for programs whose names cannot be methods, E250 for programs that disagree about a state.
 */
export function generateWrapper(request: WrapperRequest): Wrapper {
  const { loader, plans } = request;
  const states = modelStates(Object.fromEntries(plans)).map(({ tensor }) => tensor);
  const methods = loader ? new Map<string, string>() : methodNames(request, states.length > 0);
  return {
    module: (bundle) => moduleText(bundleText(bundle), request, methods, states.length > 0),
    declarations: declarations(request, methods, states),
  };
}

export const runtime = "inarch/runtime";
const reserved = ["close", "memory", "lost", "profile", "use"];
const ofStates = "reset";

/** decode-mask -> decodeMask */
function methodNames({ name, plans }: WrapperRequest, hasStates: boolean): Map<string, string> {
  const methods = new Map<string, string>();
  for (const program of plans.keys()) {
    const method = camelCase(program);
    const other = [...methods].find(([, taken]) => taken === method)?.[0];
    const problem = !/^[A-Za-z][\w-]*$/.test(program)
      ? "letters, digits, - and _ are allowed, a letter comes first"
      : reserved.includes(method) || (hasStates && method === ofStates)
        ? "the wrapper has a method of this name itself"
        : other !== undefined && `"${other}" would be the method ${method} too`;
    if (problem)
      throw diagnose("E602", {
        message: `the program "${program}" of ${name} cannot be a method of a wrapper: ${problem}`,
        help: "give it another name in defineModel({ programs: { … } })",
      });
    methods.set(program, method);
  }
  return methods;
}

const camelCase = (text: string) => text.replace(/[-_]+(\w)/g, (_, c: string) => c.toUpperCase());
export const pascalCase = (text: string) => camelCase(text).replace(/^./, (c) => c.toUpperCase());

function moduleText(
  bundle: string,
  { plans, loader, adapters = [], hasLibraries = false }: WrapperRequest,
  methods: ReadonlyMap<string, string>,
  hasStates: boolean,
): string {
  const { module, load } = loader ?? { module: runtime, load: "loadBundle" };
  const calls = [...methods].map(([program, method]) => {
    const hasInputs = plans.get(program)!.inputs.length > 0;
    const run = `model.run(${JSON.stringify(program)}, ${hasInputs ? "inputs" : "{}"}, call)`;
    return `  ${method}: (${hasInputs ? "inputs, " : ""}call) => ${run},`;
  });
  const loading =
    adapters.length > 0
      ? `loadAdapted(${load}, bundle, device, options)`
      : `${load}(bundle, device, options)`;
  const statements = loader
    ? [`return ${loading};`]
    : [
        `const model = await ${loading};`,
        "return {",
        ...calls,
        ...(hasStates ? ["  reset: (states, call) => model.reset(states, call),"] : []),
        ...(adapters.length > 0 ? ["  use: (adapter, call) => model.use(adapter, call),"] : []),
        "  profile: model.profile,",
        "  lost: model.lost,",
        "  memory: () => model.memory(),",
        "  close: () => model.close(),",
        "};",
      ];
  return `${heading}
import { ${load} } from ${JSON.stringify(module)};
${adapters.length > 0 ? `import { loadAdapted } from ${JSON.stringify(runtime)};\n` : ""}${hasLibraries ? offering : ""}
${bundle}
export default bundle;

export async function load(device, options = {}) {
${indented(statements)}
}
`;
}

/** Libraries beside the bundle are found when a device is opened, so they are offered as the module is loaded. */
const offering = `import { offerBuilds } from "inarch/node";

offerBuilds(new URL("./${librariesFolder}/", import.meta.url));
`;

function declarations(
  { name, doc = `The model ${name}.`, plans, weights, loader, adapters = [] }: WrapperRequest,
  methods: ReadonlyMap<string, string>,
  states: readonly PlanTensor[],
): string {
  const model = pascalCase(name);
  // A model may be called as its loader's type is.
  const loaded = loader?.type === model ? `Loaded${model}` : loader?.type;
  const ofLoader = loader ? [loaded === loader.type ? loaded : `${loader.type} as ${loaded}`] : [];
  const options = weights === "given" ? "options?" : "options";
  const statements = [
    ...[...methods].flatMap(([program, method]) =>
      programInterfaces(model + pascalCase(method), program, plans.get(program)!),
    ),
    documented(
      doc,
      loader
        ? `export type ${model} = ${loaded}${adapters.length > 0 ? ` & {\n${indented([useMethod(model)])}\n}` : ""};`
        : interfaceOf(model, [
            ...methodsOf(model, plans, methods, states),
            ...(adapters.length > 0 ? [useMethod(model)] : []),
          ]),
    ),
    ...(adapters.length > 0
      ? [
          documented(
            "The adapters of the bundle, the first of which is used unless another is asked for.",
            `export type ${model}Adapter = ${adapters.map((one) => JSON.stringify(one)).join(" | ")};`,
          ),
        ]
      : []),
    documented("How the model is loaded.", optionsInterface(model, weights, adapters)),
    bundleDeclaration("`loadBundle` and `openBundle`"),
    documented(
      "Loads the model onto a device: the page's own `GPUDevice`, or one from `inarch/node`.\nKernels are compiled and weights uploaded before it returns.",
      `export function load(device: GPUDevice | Device, ${options}: ${model}Options): Promise<${model}>;`,
    ),
  ];
  const calls = methods.size > 0 || adapters.length > 0 ? ["CallOptions"] : [];
  const files = adapters.length > 0 ? ["Weights"] : [];
  const own = [
    "BundleOptions",
    ...calls,
    "Device",
    ...(loader?.module === runtime ? ofLoader : []),
    ...files,
  ];
  const imports = [
    importTypes(runtime, own),
    ...(loader && loader.module !== runtime ? [importTypes(loader.module, ofLoader)] : []),
  ];
  return `${heading}\n${imports.join("\n")}\n\n${statements.join("\n\n")}\n`;
}

export const bundleDeclaration = (functions: string) =>
  documented(
    `The plans and kernels of every profile, for ${functions} of \`inarch/runtime\`.`,
    `export const bundle: import(${JSON.stringify(runtime)}).Bundle;\nexport default bundle;`,
  );

export const importTypes = (module: string, names: readonly string[]) =>
  `import type { ${names.join(", ")} } from "${module}";`;

export const interfaceOf = (name: string, members: readonly string[], bases = ""): string =>
  `export interface ${name}${bases} {\n${indented(members)}\n}`;

function programInterfaces(prefix: string, program: string, { inputs, outputs }: Plan): string[] {
  const taken = properties(inputs, (dtype) => `${arrays[dtype]} | readonly number[]`);
  const returned = properties(outputs, (dtype) => arrays[dtype]);
  return [
    ...(inputs.length > 0
      ? [documented(`What \`${program}\` takes.`, interfaceOf(`${prefix}Inputs`, taken))]
      : []),
    documented(`What \`${program}\` returns.`, interfaceOf(`${prefix}Outputs`, returned)),
  ];
}

/** Booleans are 0 and 1. */
export const arrays = {
  f32: "Float32Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  bool: "Uint32Array",
} as const;

export const properties = (
  tensors: readonly PlanTensor[],
  typeOf: (dtype: PlanTensor["dtype"]) => string,
): string[] =>
  tensors.map(({ name, dtype, shape, doc }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const type = `${dtype}[${shape.join(", ")}]: ${count} ${count === 1 ? "number" : "numbers, row-major"}.`;
    const words = doc === undefined ? type : `${doc}\n${type}`;
    return documented(words, `readonly ${propertyName(name)}: ${typeOf(dtype)};`);
  });

const methodsOf = (
  model: string,
  plans: WrapperRequest["plans"],
  methods: ReadonlyMap<string, string>,
  states: readonly PlanTensor[],
): string[] => [
  ...[...methods].map(([program, method]) => {
    const prefix = model + pascalCase(method);
    const inputs = plans.get(program)!.inputs.length > 0 ? `inputs: ${prefix}Inputs, ` : "";
    return documented(
      `Runs the program \`${program}\`. Calls run in their order, and own what they are given.`,
      `${method}(${inputs}options?: CallOptions): Promise<${prefix}Outputs>;`,
    );
  }),
  ...(states.length > 0 ? [resetMethod(states)] : []),
  documented(
    "Resolves when the device is lost, with the reason.",
    "readonly lost: Promise<string>;",
  ),
  documented("The name of the profile that the device was given.", "readonly profile: string;"),
  documented("Bytes of device memory by role.", "memory(): Readonly<Record<string, number>>;"),
  documented("Frees the model's memory. The device stays.", "close(): Promise<void>;"),
];

const useMethod = (model: string) =>
  documented(
    "Puts another adapter in place, by its name or its opened file. Nothing is compiled, and later runs wait for it.",
    `use(adapter: ${model}Adapter | Weights, options?: CallOptions): Promise<void>;`,
  );

function resetMethod(states: readonly PlanTensor[]): string {
  const lines = states.map(
    ({ name, dtype, shape, doc }) =>
      `- \`${name}\`, ${dtype}[${shape.join(", ")}]${doc === undefined ? "" : `: ${doc}`}`,
  );
  const one = states.map(({ name }) => JSON.stringify(name)).join(" | ");
  return documented(
    ["Makes states what they were at first, those named or all of them:", ...lines].join("\n"),
    `reset(states?: ${one} | readonly (${one})[], options?: CallOptions): Promise<void>;`,
  );
}

function optionsInterface(
  model: string,
  weights: "given" | "brought",
  adapters: readonly string[],
): string {
  if (adapters.length > 0)
    return interfaceOf(
      `${model}Options`,
      [
        documented(
          "The adapter to begin with, by its name or its opened file.",
          `readonly adapter?: ${model}Adapter | Weights;`,
        ),
      ],
      ' extends Omit<BundleOptions, "adapter">',
    );
  const brought = documented(
    "The checkpoint: the bundle was built without weights.",
    'readonly weights: NonNullable<BundleOptions["weights"]>;',
  );
  return weights === "given"
    ? `export interface ${model}Options extends BundleOptions {}`
    : interfaceOf(`${model}Options`, [brought], " extends BundleOptions");
}

const propertyName = (name: string) =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);

/** A declaration below its comment, which the words of a model's author must not end. */
export function documented(words: string, declaration: string): string {
  const lines = words.replaceAll("*/", "* /").split(/\r?\n/);
  if (lines.length === 1) return `${`/** ${lines[0]}`.trimEnd()} */\n${declaration}`;
  // Words in a template literal often begin on its second line.
  const body = lines
    .slice(lines[0] === "" ? 1 : 0)
    .map((line) => (line === "" ? " *" : ` * ${line}`));
  return ["/**", ...body, " */", declaration].join("\n");
}

export const indented = (lines: readonly string[]): string =>
  lines.join("\n").replace(/^(?=.)/gm, "  ");
