/** What a kernel says of itself, before its statements: buffers in their spaces, threads, groups. */
import { formatOf } from "../../formats/index.ts";
import { type Buffer, type Kernel, widened } from "./ir.ts";
import type { Fail } from "./verify-types.ts";

export function checkHead(kernel: Kernel, fail: Fail): void {
  checkNames(kernel, fail);
  checkBuffers(kernel, fail);
  const { threads, groups, subgroup, reduces, fragments, matrices } = kernel;
  for (const [what, counts] of Object.entries({ threads, groups }))
    if (!counts.every((n) => Number.isInteger(n) && n > 0)) fail(`${counts.join(" x ")} ${what}`);
  const all = threads[0] * threads[1] * threads[2];
  if (subgroup > 0 && all % subgroup !== 0)
    fail(`${all} threads, though a workgroup is whole subgroups of ${subgroup}`);
  if (subgroup > 0 && all !== subgroup && all !== threads[0])
    fail("it has several subgroups, and its threads lie along several axes");
  if (reduces && subgroup > 0) fail("it is for one width of subgroup, and for any");
  if (reduces && all !== threads[0]) fail("it reduces, and its threads lie along several axes");
  if (fragments.length > 0 !== (matrices !== undefined))
    fail("fragments and what they ask of a device go together");
}

function checkNames({ params, scratch, fragments }: Kernel, fail: Fail): void {
  const known = new Set<string>();
  for (const { name } of [...params, ...scratch, ...fragments]) {
    if (known.has(name)) fail(`${name} is declared twice`);
    known.add(name);
  }
}

function checkBuffers({ params, scratch, vectors }: Kernel, fail: Fail): void {
  for (const b of params) {
    if (b.space !== "global") fail(`the parameter ${b.name} lies in ${b.space} memory`);
    if (b.scalar === "bool") fail(`the parameter ${b.name} holds booleans`);
  }
  for (const b of scratch) {
    if (b.space === "global") fail(`${b.name} lies in global memory, but is no parameter`);
    if (!b.writable) fail(`${b.name} is scratch memory that cannot be written`);
    if (b.space === "local" && widened(b.scalar) !== b.scalar)
      fail(`${b.name} holds ${b.scalar} in local memory`);
  }
  const all = [...params, ...scratch];
  for (const b of all) {
    if (!Number.isInteger(b.size) || b.size < 0) fail(`${b.name} has ${b.size} elements`);
    if (isReadFromWords(b) && (b.writable || b.space !== "global"))
      fail(`${b.name} holds ${b.scalar}, which is only read, and from global memory`);
  }
  for (const [b, count] of vectors) {
    if (!all.includes(b)) fail(`${b.name} is no buffer of the kernel`);
    if (count !== 2 && count !== 4) fail(`${b.name} is accessed in groups of ${count}`);
    if (b.size % count !== 0)
      fail(`${b.name} is accessed in groups of ${count}, but has ${b.size} elements`);
    if (b.space === "local") fail(`${b.name} is accessed in groups, but is local memory`);
  }
}

const isReadFromWords = ({ scalar }: Buffer): boolean =>
  scalar !== "bool" && formatOf(scalar).widen !== undefined;
