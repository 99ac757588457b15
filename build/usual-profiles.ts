/** The profiles that a bundle has unless told: one for every device that a page may find. A leaf, for `--help`. */
export const usualProfiles = "default,subgroups,f16,wasm";
