import { functionNames } from "./functions.ts";

/** Words that WGSL keeps for itself, and functions that a variable would shadow. */
export const reserved: ReadonlySet<string> = new Set([
  ...functionNames,
  ...`alias break case const const_assert continue continuing default diagnostic discard else enable
  false fn for if let loop override requires return struct switch true var while
  abs active array as asm atomic auto bitcast bool buffer cast catch ceil clamp class cos delete
  do enum exp export extern f16 f32 final floor fma from get global group_id group_count one lane_id goto handle i32 import in
  inline input inout int interface layout length log main mat2x2 mat3x3 mat4x4 max member_count member_number min mod module move
  mutable namespace new nothing null of operator out output package packed partition pass precise private ptr
  public ref regardless register restrict return sampler select self set shared sign sin smooth
  sqrt static step storage sub subgroup_count subgroup_number super table tan tanh target template texture this thread_id throw trait
  trunc try type typedef u32 uniform unless unsafe use using vec2 vec3 vec4 vec2f vec3u vec4f virtual
  void volatile where with workgroup workgroupBarrier write yield read read_write round round_half sum filter
  point common index`.split(/\s+/),
]);
