/** `inarch/vite`: the plugin that compiles the models an app imports when Vite builds or serves it. */
export type { GraphOptions, PluginOptions } from "../build/plugins/graphs.ts";
export { inarch } from "../build/plugins/vite.ts";
