/** Names of tensors that are not simply those of a model, and files of adapters: loaded when there are some. */
export { checkWholeFile, withAdapter } from "./adapted.ts";
export { checkUnread } from "./adapter-file.ts";
export { fitNames } from "./prefix.ts";
export { checkFloats } from "./quantised.ts";
