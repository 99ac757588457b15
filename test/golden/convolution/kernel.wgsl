// matmul_add_relu: step 0
@group(0) @binding(0) var<storage, read_write> relu: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> image: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<workgroup> operands: array<vec4<f32>, 256>;
var<workgroup> parts: array<f32, 1024>;

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) << 1u) > 0xff000000u; }

fn max_of(a: f32, b: f32) -> f32 {
  return select(select(max(a, b), b, is_nan(b)), a, is_nan(a));
}

@compute @workgroup_size(128, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  let column = thread_id.x % 8u;
  let row = (thread_id.x / 8u) % 2u;
  let slice = thread_id.x / 16u;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  var carried_4 = 0.0;
  var carried_5 = 0.0;
  var carried_6 = 0.0;
  var carried_7 = 0.0;
  let r = thread_id.x % 4u;
  let c = thread_id.x / 4u;
  let at = c * 4u;
  let at_1 = (c * 4u) + 1u;
  let at_2 = (c * 4u) + 2u;
  let at_3 = (c * 4u) + 3u;
  let at_4 = min(at_3, 26u);
  let inside = at_3 < 27u;
  let at_5 = (group_id.y * 4u) + r;
  let i = at / 9u;
  let i_1 = (at / 3u) % 3u;
  let i_2 = at % 3u;
  let i_3 = (((at_5 * 27u) + (i * 9u)) + (i_1 * 3u)) + i_2;
  let i_4 = at_1 / 9u;
  let i_5 = (at_1 / 3u) % 3u;
  let i_6 = at_1 % 3u;
  let i_7 = (((at_5 * 27u) + (i_4 * 9u)) + (i_5 * 3u)) + i_6;
  let i_8 = at_2 / 9u;
  let i_9 = (at_2 / 3u) % 3u;
  let i_10 = at_2 % 3u;
  let i_11 = (((at_5 * 27u) + (i_8 * 9u)) + (i_9 * 3u)) + i_10;
  let i_12 = at_4 / 9u;
  let i_13 = (at_4 / 3u) % 3u;
  let i_14 = at_4 % 3u;
  let i_15 = (((at_5 * 27u) + (i_12 * 9u)) + (i_13 * 3u)) + i_14;
  if (thread_id.x < 28u) {
    let weight_1 = weight[i_3];
    let weight_2 = weight[i_7];
    let weight_3 = weight[i_11];
    let weight_4 = weight[i_15];
    operands[(r * 8u) + c] = vec4<f32>(weight_1, weight_2, weight_3, select(0.0, weight_4, inside));
  }
  let e = (thread_id.x + 100u) % 128u;
  for (var part = 0u; part < 2u * one; part++) {
    let e_1 = (part * 128u) + e;
    let r_1 = ((e_1 / 32u) * 4u) + ((e_1 / 2u) % 4u);
    let c_1 = (((e_1 / 8u) % 4u) * 2u) + (e_1 % 2u);
    let at_6 = (group_id.x * 8u) + c_1;
    let at_7 = at_6 * 4u;
    let at_8 = (at_6 * 4u) + 1u;
    let at_9 = (at_6 * 4u) + 2u;
    let at_10 = (at_6 * 4u) + 3u;
    let at_11 = min(at_10, 62u);
    let inside_1 = at_10 < 63u;
    let at_12 = min(r_1, 26u);
    let inside_2 = r_1 < 27u;
    let y = min((max((((at_7 / 7u) * 2u) + ((at_12 / 3u) % 3u)), 1u) - 1u), 17u);
    let x = min((max((((at_7 % 7u) * 2u) + (at_12 % 3u)), 1u) - 1u), 13u);
    let i_16 = at_12 / 9u;
    let i_17 = ((i_16 * 252u) + (y * 14u)) + x;
    let y_1 = min((max((((at_8 / 7u) * 2u) + ((at_12 / 3u) % 3u)), 1u) - 1u), 17u);
    let x_1 = min((max((((at_8 % 7u) * 2u) + (at_12 % 3u)), 1u) - 1u), 13u);
    let i_18 = ((i_16 * 252u) + (y_1 * 14u)) + x_1;
    let y_2 = min((max((((at_9 / 7u) * 2u) + ((at_12 / 3u) % 3u)), 1u) - 1u), 17u);
    let x_2 = min((max((((at_9 % 7u) * 2u) + (at_12 % 3u)), 1u) - 1u), 13u);
    let i_19 = ((i_16 * 252u) + (y_2 * 14u)) + x_2;
    let y_3 = min((max((((at_11 / 7u) * 2u) + ((at_12 / 3u) % 3u)), 1u) - 1u), 17u);
    let x_3 = min((max((((at_11 % 7u) * 2u) + (at_12 % 3u)), 1u) - 1u), 13u);
    let i_20 = ((i_16 * 252u) + (y_3 * 14u)) + x_3;
    if (e_1 < 224u) {
      let image_1 = image[i_17];
      let unfold = select(0.0, image_1, ((1u <= (((at_7 / 7u) * 2u) + ((at_12 / 3u) % 3u))) && (1u <= (((at_7 % 7u) * 2u) + (at_12 % 3u)))));
      let image_2 = image[i_18];
      let unfold_1 = select(0.0, image_2, ((1u <= (((at_8 / 7u) * 2u) + ((at_12 / 3u) % 3u))) && (1u <= (((at_8 % 7u) * 2u) + (at_12 % 3u)))));
      let image_3 = image[i_19];
      let unfold_2 = select(0.0, image_3, ((1u <= (((at_9 / 7u) * 2u) + ((at_12 / 3u) % 3u))) && (1u <= (((at_9 % 7u) * 2u) + (at_12 % 3u)))));
      let image_4 = image[i_20];
      let unfold_3 = select(0.0, image_4, ((1u <= (((at_11 / 7u) * 2u) + ((at_12 / 3u) % 3u))) && (1u <= (((at_11 % 7u) * 2u) + (at_12 % 3u)))));
      operands[((r_1 * 8u) + c_1) + 32u] = vec4<f32>(select(0.0, unfold, inside_2), select(0.0, unfold_1, inside_2), select(0.0, unfold_2, inside_2), select(0.0, unfold_3, (inside_2 && inside_1)));
    }
  }
  workgroupBarrier();
  if (slice < 7u) {
    let operands_1_4 = operands[(row * 16u) + slice];
    let operands_1 = operands_1_4.x;
    let operands_2 = operands_1_4.y;
    let operands_3 = operands_1_4.z;
    let operands_4 = operands_1_4.w;
    let operands_5_4 = operands[((row * 16u) + slice) + 8u];
    let operands_5 = operands_5_4.x;
    let operands_6 = operands_5_4.y;
    let operands_7 = operands_5_4.z;
    let operands_8 = operands_5_4.w;
    let operands_9_4 = operands[((slice * 32u) + column) + 32u];
    let operands_9 = operands_9_4.x;
    let operands_10 = operands_9_4.y;
    let operands_11 = operands_9_4.z;
    let operands_12 = operands_9_4.w;
    carried = fma(operands_1, operands_9, carried);
    carried_1 = fma(operands_1, operands_10, carried_1);
    carried_2 = fma(operands_1, operands_11, carried_2);
    carried_3 = fma(operands_1, operands_12, carried_3);
    carried_4 = fma(operands_5, operands_9, carried_4);
    carried_5 = fma(operands_5, operands_10, carried_5);
    carried_6 = fma(operands_5, operands_11, carried_6);
    carried_7 = fma(operands_5, operands_12, carried_7);
    let operands_13_4 = operands[((slice * 32u) + column) + 40u];
    let operands_13 = operands_13_4.x;
    let operands_14 = operands_13_4.y;
    let operands_15 = operands_13_4.z;
    let operands_16 = operands_13_4.w;
    carried = fma(operands_2, operands_13, carried);
    carried_1 = fma(operands_2, operands_14, carried_1);
    carried_2 = fma(operands_2, operands_15, carried_2);
    carried_3 = fma(operands_2, operands_16, carried_3);
    carried_4 = fma(operands_6, operands_13, carried_4);
    carried_5 = fma(operands_6, operands_14, carried_5);
    carried_6 = fma(operands_6, operands_15, carried_6);
    carried_7 = fma(operands_6, operands_16, carried_7);
    let operands_17_4 = operands[((slice * 32u) + column) + 48u];
    let operands_17 = operands_17_4.x;
    let operands_18 = operands_17_4.y;
    let operands_19 = operands_17_4.z;
    let operands_20 = operands_17_4.w;
    carried = fma(operands_3, operands_17, carried);
    carried_1 = fma(operands_3, operands_18, carried_1);
    carried_2 = fma(operands_3, operands_19, carried_2);
    carried_3 = fma(operands_3, operands_20, carried_3);
    carried_4 = fma(operands_7, operands_17, carried_4);
    carried_5 = fma(operands_7, operands_18, carried_5);
    carried_6 = fma(operands_7, operands_19, carried_6);
    carried_7 = fma(operands_7, operands_20, carried_7);
    let operands_21_4 = operands[((slice * 32u) + column) + 56u];
    let operands_21 = operands_21_4.x;
    let operands_22 = operands_21_4.y;
    let operands_23 = operands_21_4.z;
    let operands_24 = operands_21_4.w;
    carried = fma(operands_4, operands_21, carried);
    carried_1 = fma(operands_4, operands_22, carried_1);
    carried_2 = fma(operands_4, operands_23, carried_2);
    carried_3 = fma(operands_4, operands_24, carried_3);
    carried_4 = fma(operands_8, operands_21, carried_4);
    carried_5 = fma(operands_8, operands_22, carried_5);
    carried_6 = fma(operands_8, operands_23, carried_6);
    carried_7 = fma(operands_8, operands_24, carried_7);
  }
  parts[((slice * 128u) + (row * 64u)) + (column * 4u)] = carried;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 1u] = carried_1;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 2u] = carried_2;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 3u] = carried_3;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 32u] = carried_4;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 33u] = carried_5;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 34u] = carried_6;
  parts[(((slice * 128u) + (row * 64u)) + (column * 4u)) + 35u] = carried_7;
  workgroupBarrier();
  let part_1 = parts[thread_id.x];
  let part_2 = parts[thread_id.x + 128u];
  let part_3 = parts[thread_id.x + 256u];
  let part_4 = parts[thread_id.x + 384u];
  let part_5 = parts[thread_id.x + 512u];
  let part_6 = parts[thread_id.x + 640u];
  let part_7 = parts[thread_id.x + 768u];
  let part_8 = parts[thread_id.x + 896u];
  let r_2 = (group_id.y * 4u) + (thread_id.x / 32u);
  let c_2 = (group_id.x * 32u) + (thread_id.x % 32u);
  let value = ((((((part_1 + part_2) + part_3) + part_4) + part_5) + part_6) + part_7) + part_8;
  if (c_2 < 63u) {
    let bias_1 = bias[r_2];
    let add = value + bias_1;
    let relu_1 = max_of(add, 0.0);
    relu[(r_2 * 63u) + c_2] = relu_1;
  }
}
