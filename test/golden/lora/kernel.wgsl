// matmul: step 0
@group(0) @binding(0) var<storage, read_write> matmul: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> A: array<vec4<f32>>;
var<workgroup> operands: array<vec4<f32>, 204>;
var<workgroup> parts: array<f32, 512>;

@compute @workgroup_size(128, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  let column = thread_id.x % 4u;
  let row = (thread_id.x / 4u) % 4u;
  let slice = thread_id.x / 16u;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  let r = (thread_id.x / 2u) % 4u;
  let c = ((thread_id.x / 8u) * 2u) + (thread_id.x % 2u);
  let at = (group_id.y * 4u) + r;
  let at_1 = min(at, 32u);
  let inside = at < 33u;
  let i = (at_1 * 40u) + (c * 4u);
  if (thread_id.x < 40u) {
    let x_1_4 = x[i / 4u];
    let x_1 = x_1_4.x;
    let x_2 = x_1_4.y;
    let x_3 = x_1_4.z;
    let x_4 = x_1_4.w;
    operands[(r * 11u) + c] = vec4<f32>(select(0.0, x_1, inside), select(0.0, x_2, inside), select(0.0, x_3, inside), select(0.0, x_4, inside));
  }
  let e = (thread_id.x + 88u) % 128u;
  for (var part = 0u; part < 2u * one; part++) {
    let e_1 = (part * 128u) + e;
    let r_1 = ((e_1 / 32u) * 8u) + ((e_1 / 2u) % 8u);
    let c_1 = (((e_1 / 16u) % 2u) * 2u) + (e_1 % 2u);
    let inside_1 = c_1 < 1u;
    let i_1 = r_1 * 4u;
    if (e_1 < 160u) {
      let A_1_4 = A[i_1 / 4u];
      let A_1 = A_1_4.x;
      let A_2 = A_1_4.y;
      let A_3 = A_1_4.z;
      let A_4 = A_1_4.w;
      operands[((r_1 * 4u) + c_1) + 44u] = vec4<f32>(select(0.0, A_1, inside_1), select(0.0, A_2, inside_1), select(0.0, A_3, inside_1), select(0.0, A_4, inside_1));
    }
  }
  workgroupBarrier();
  for (var quad = 0u; quad < 2u * one; quad++) {
    let quad_1 = (quad * 8u) + slice;
    if (quad_1 < 10u) {
      let operands_1_4 = operands[(row * 11u) + quad_1];
      let operands_1 = operands_1_4.x;
      let operands_2 = operands_1_4.y;
      let operands_3 = operands_1_4.z;
      let operands_4 = operands_1_4.w;
      let operands_5_4 = operands[((quad_1 * 16u) + column) + 44u];
      let operands_5 = operands_5_4.x;
      let operands_6 = operands_5_4.y;
      let operands_7 = operands_5_4.z;
      let operands_8 = operands_5_4.w;
      carried = fma(operands_1, operands_5, carried);
      carried_1 = fma(operands_1, operands_6, carried_1);
      carried_2 = fma(operands_1, operands_7, carried_2);
      carried_3 = fma(operands_1, operands_8, carried_3);
      let operands_9_4 = operands[((quad_1 * 16u) + column) + 48u];
      let operands_9 = operands_9_4.x;
      let operands_10 = operands_9_4.y;
      let operands_11 = operands_9_4.z;
      let operands_12 = operands_9_4.w;
      carried = fma(operands_2, operands_9, carried);
      carried_1 = fma(operands_2, operands_10, carried_1);
      carried_2 = fma(operands_2, operands_11, carried_2);
      carried_3 = fma(operands_2, operands_12, carried_3);
      let operands_13_4 = operands[((quad_1 * 16u) + column) + 52u];
      let operands_13 = operands_13_4.x;
      let operands_14 = operands_13_4.y;
      let operands_15 = operands_13_4.z;
      let operands_16 = operands_13_4.w;
      carried = fma(operands_3, operands_13, carried);
      carried_1 = fma(operands_3, operands_14, carried_1);
      carried_2 = fma(operands_3, operands_15, carried_2);
      carried_3 = fma(operands_3, operands_16, carried_3);
      let operands_17_4 = operands[((quad_1 * 16u) + column) + 56u];
      let operands_17 = operands_17_4.x;
      let operands_18 = operands_17_4.y;
      let operands_19 = operands_17_4.z;
      let operands_20 = operands_17_4.w;
      carried = fma(operands_4, operands_17, carried);
      carried_1 = fma(operands_4, operands_18, carried_1);
      carried_2 = fma(operands_4, operands_19, carried_2);
      carried_3 = fma(operands_4, operands_20, carried_3);
    }
  }
  parts[((slice * 64u) + (row * 16u)) + (column * 4u)] = carried;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 1u] = carried_1;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 2u] = carried_2;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 3u] = carried_3;
  workgroupBarrier();
  let r_2 = (group_id.y * 4u) + (thread_id.x / 16u);
  let c_2 = thread_id.x % 16u;
  if (thread_id.x < 64u) {
    let part_1 = parts[thread_id.x];
    let part_2 = parts[thread_id.x + 64u];
    let part_3 = parts[thread_id.x + 128u];
    let part_4 = parts[thread_id.x + 192u];
    let part_5 = parts[thread_id.x + 256u];
    let part_6 = parts[thread_id.x + 320u];
    let part_7 = parts[thread_id.x + 384u];
    let part_8 = parts[thread_id.x + 448u];
    if ((r_2 < 33u) && (c_2 < 4u)) {
      matmul[(r_2 * 4u) + c_2] = ((((((part_1 + part_2) + part_3) + part_4) + part_5) + part_6) + part_7) + part_8;
    }
  }
}

// matmul: step 1
@group(0) @binding(0) var<storage, read_write> matmul: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> matmul_1: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> B: array<vec4<f32>>;
var<workgroup> operands: array<vec4<f32>, 140>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 4>;
  let column = thread_id.x % 16u;
  let row = thread_id.x / 16u;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  let r = thread_id.x / 2u;
  let c = thread_id.x % 2u;
  let at_1 = (group_id.y * 4u) + r;
  let at_2 = min(at_1, 32u);
  let inside = at_1 < 33u;
  let i = at_2 * 40u;
  let e = (thread_id.x + 56u) % 64u;
  for (var step_ = 0u; step_ < 5u * one; step_++) {
    let at = (step_ * 2u) + c;
    let i_1 = i + (at * 4u);
    if (thread_id.x < 8u) {
      let x_1_4 = x[i_1 / 4u];
      let x_1 = x_1_4.x;
      let x_2 = x_1_4.y;
      let x_3 = x_1_4.z;
      let x_4 = x_1_4.w;
      operands[(r * 3u) + c] = vec4<f32>(select(0.0, x_1, inside), select(0.0, x_2, inside), select(0.0, x_3, inside), select(0.0, x_4, inside));
    }
    for (var part = 0u; part < 2u * one; part++) {
      let e_1 = (part * 64u) + e;
      let r_1 = (e_1 / 2u) % 8u;
      let c_1 = ((e_1 / 16u) * 2u) + (e_1 % 2u);
      let at_3 = min(c_1, 8u);
      let inside_1 = c_1 < 9u;
      let at_4 = (step_ * 8u) + r_1;
      let weight_1_4 = weight[((at_4 * 36u) + (at_3 * 4u)) / 4u];
      let weight_1 = weight_1_4.x;
      let weight_2 = weight_1_4.y;
      let weight_3 = weight_1_4.z;
      let weight_4 = weight_1_4.w;
      operands[((r_1 * 16u) + c_1) + 12u] = vec4<f32>(select(0.0, weight_1, inside_1), select(0.0, weight_2, inside_1), select(0.0, weight_3, inside_1), select(0.0, weight_4, inside_1));
    }
    workgroupBarrier();
    for (var quad = 0u; quad < 2u * one; quad++) {
      let operands_1_4 = operands[(row * 3u) + quad];
      let operands_1 = operands_1_4.x;
      let operands_2 = operands_1_4.y;
      let operands_3 = operands_1_4.z;
      let operands_4 = operands_1_4.w;
      let operands_5_4 = operands[((quad * 64u) + column) + 12u];
      let operands_5 = operands_5_4.x;
      let operands_6 = operands_5_4.y;
      let operands_7 = operands_5_4.z;
      let operands_8 = operands_5_4.w;
      carried = fma(operands_1, operands_5, carried);
      carried_1 = fma(operands_1, operands_6, carried_1);
      carried_2 = fma(operands_1, operands_7, carried_2);
      carried_3 = fma(operands_1, operands_8, carried_3);
      let operands_9_4 = operands[((quad * 64u) + column) + 28u];
      let operands_9 = operands_9_4.x;
      let operands_10 = operands_9_4.y;
      let operands_11 = operands_9_4.z;
      let operands_12 = operands_9_4.w;
      carried = fma(operands_2, operands_9, carried);
      carried_1 = fma(operands_2, operands_10, carried_1);
      carried_2 = fma(operands_2, operands_11, carried_2);
      carried_3 = fma(operands_2, operands_12, carried_3);
      let operands_13_4 = operands[((quad * 64u) + column) + 44u];
      let operands_13 = operands_13_4.x;
      let operands_14 = operands_13_4.y;
      let operands_15 = operands_13_4.z;
      let operands_16 = operands_13_4.w;
      carried = fma(operands_3, operands_13, carried);
      carried_1 = fma(operands_3, operands_14, carried_1);
      carried_2 = fma(operands_3, operands_15, carried_2);
      carried_3 = fma(operands_3, operands_16, carried_3);
      let operands_17_4 = operands[((quad * 64u) + column) + 60u];
      let operands_17 = operands_17_4.x;
      let operands_18 = operands_17_4.y;
      let operands_19 = operands_17_4.z;
      let operands_20 = operands_17_4.w;
      carried = fma(operands_4, operands_17, carried);
      carried_1 = fma(operands_4, operands_18, carried_1);
      carried_2 = fma(operands_4, operands_19, carried_2);
      carried_3 = fma(operands_4, operands_20, carried_3);
    }
    workgroupBarrier();
  }
  let at_5 = (group_id.y * 4u) + e;
  let at_6 = min(at_5, 32u);
  let inside_2 = at_5 < 33u;
  let i_2 = at_6 * 4u;
  if (e < 4u) {
    let matmul_2_4 = matmul_1[i_2 / 4u];
    let matmul_2 = matmul_2_4.x;
    let matmul_3 = matmul_2_4.y;
    let matmul_4 = matmul_2_4.z;
    let matmul_5 = matmul_2_4.w;
    operands[e * 2u] = vec4<f32>(select(0.0, matmul_2, inside_2), select(0.0, matmul_3, inside_2), select(0.0, matmul_4, inside_2), select(0.0, matmul_5, inside_2));
  }
  let e_2 = (thread_id.x + 52u) % 64u;
  let r_2 = (e_2 / 2u) % 4u;
  let c_2 = ((e_2 / 8u) * 2u) + (e_2 % 2u);
  let at_7 = min(c_2, 8u);
  let inside_3 = c_2 < 9u;
  let B_1_4 = B[((r_2 * 36u) + (at_7 * 4u)) / 4u];
  let B_1 = B_1_4.x;
  let B_2 = B_1_4.y;
  let B_3 = B_1_4.z;
  let B_4 = B_1_4.w;
  let mul = B_1 * 2.0;
  let mul_1 = B_2 * 2.0;
  let mul_2 = B_3 * 2.0;
  let mul_3 = B_4 * 2.0;
  operands[((r_2 * 16u) + c_2) + 8u] = vec4<f32>(select(0.0, mul, inside_3), select(0.0, mul_1, inside_3), select(0.0, mul_2, inside_3), select(0.0, mul_3, inside_3));
  workgroupBarrier();
  let operands_21_4 = operands[row * 2u];
  let operands_21 = operands_21_4.x;
  let operands_22 = operands_21_4.y;
  let operands_23 = operands_21_4.z;
  let operands_24 = operands_21_4.w;
  let operands_25_4 = operands[column + 8u];
  let operands_25 = operands_25_4.x;
  let operands_26 = operands_25_4.y;
  let operands_27 = operands_25_4.z;
  let operands_28 = operands_25_4.w;
  carried = fma(operands_21, operands_25, carried);
  carried_1 = fma(operands_21, operands_26, carried_1);
  carried_2 = fma(operands_21, operands_27, carried_2);
  carried_3 = fma(operands_21, operands_28, carried_3);
  let operands_29_4 = operands[column + 24u];
  let operands_29 = operands_29_4.x;
  let operands_30 = operands_29_4.y;
  let operands_31 = operands_29_4.z;
  let operands_32 = operands_29_4.w;
  carried = fma(operands_22, operands_29, carried);
  carried_1 = fma(operands_22, operands_30, carried_1);
  carried_2 = fma(operands_22, operands_31, carried_2);
  carried_3 = fma(operands_22, operands_32, carried_3);
  let operands_33_4 = operands[column + 40u];
  let operands_33 = operands_33_4.x;
  let operands_34 = operands_33_4.y;
  let operands_35 = operands_33_4.z;
  let operands_36 = operands_33_4.w;
  carried = fma(operands_23, operands_33, carried);
  carried_1 = fma(operands_23, operands_34, carried_1);
  carried_2 = fma(operands_23, operands_35, carried_2);
  carried_3 = fma(operands_23, operands_36, carried_3);
  let operands_37_4 = operands[column + 56u];
  let operands_37 = operands_37_4.x;
  let operands_38 = operands_37_4.y;
  let operands_39 = operands_37_4.z;
  let operands_40 = operands_37_4.w;
  carried = fma(operands_24, operands_37, carried);
  carried_1 = fma(operands_24, operands_38, carried_1);
  carried_2 = fma(operands_24, operands_39, carried_2);
  carried_3 = fma(operands_24, operands_40, carried_3);
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  let r_3 = (group_id.y * 4u) + row;
  for (var e_3 = 0u; e_3 < 4u * one; e_3++) {
    let c_3 = (column * 4u) + e_3;
    if ((r_3 < 33u) && (c_3 < 36u)) {
      matmul[(r_3 * 36u) + c_3] = held[e_3];
    }
  }
}
