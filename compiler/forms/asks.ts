/** What forms ask of a device, where those of several ops ask the same: `form({ ...subgroups, tiles, … })`. */
import type { Form } from "../op.ts";
import type { Profile } from "../profile.ts";

/** What fragments the device multiplies: a product in them is measured against the forms below. */
const operands = ({ matrices }: Profile) => (matrices?.products ?? []).map((p) => p.operand);

type Asked = Pick<Form, "name" | "fits" | "label">;

/** Threads share workgroup memory, with barriers between. Every device can. */
export const workgroups: Asked = {
  name: "workgroups",
  fits: () => true,
  label: (profile) => ["workgroups", ...operands(profile)].join("-"),
};

/**
 * A workgroup is one subgroup, whose lanes pass values among themselves: no memory is shared, and there
 * is no barrier. It needs subgroups of one known width, and is for devices whose barriers are slow.
 */
export const subgroups: Asked = {
  name: "subgroups",
  fits: (profile) => profile.subgroup > 0 && profile.slowBarriers,
  label: (profile) => [`subgroups-${profile.subgroup}`, ...operands(profile)].join("-"),
};

/**
 * The same for what is a tile program as well: on a processor that is lowered to lanes, and writes fewer sums to
 * memory than a kernel written for many registers.
 */
export const wideSubgroups: Asked = {
  ...subgroups,
  fits: (profile) => subgroups.fits(profile) && profile.deviceClass !== "processor",
};
