// normalize_mul_add: step 0
@group(0) @binding(0) var<storage, read_write> add: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u) {
  let line = min(thread_id.x, 35u);
  let at = line / 6u;
  let at_1 = line % 6u;
  var held = 0.0;
  let i = (at * 96u) + (at_1 * 16u);
  if (thread_id.x < 36u) {
    let x_1 = x[i];
    held = x_1;
  }
  var held_1 = 0.0;
  if (thread_id.x < 36u) {
    let x_2 = x[i + 1u];
    held_1 = x_2;
  }
  var held_2 = 0.0;
  if (thread_id.x < 36u) {
    let x_3 = x[i + 2u];
    held_2 = x_3;
  }
  var held_3 = 0.0;
  if (thread_id.x < 36u) {
    let x_4 = x[i + 3u];
    held_3 = x_4;
  }
  var held_4 = 0.0;
  if (thread_id.x < 36u) {
    let x_5 = x[i + 4u];
    held_4 = x_5;
  }
  var held_5 = 0.0;
  if (thread_id.x < 36u) {
    let x_6 = x[i + 5u];
    held_5 = x_6;
  }
  var held_6 = 0.0;
  if (thread_id.x < 36u) {
    let x_7 = x[i + 6u];
    held_6 = x_7;
  }
  var held_7 = 0.0;
  if (thread_id.x < 36u) {
    let x_8 = x[i + 7u];
    held_7 = x_8;
  }
  var held_8 = 0.0;
  if (thread_id.x < 36u) {
    let x_9 = x[i + 8u];
    held_8 = x_9;
  }
  var held_9 = 0.0;
  if (thread_id.x < 36u) {
    let x_10 = x[i + 9u];
    held_9 = x_10;
  }
  var held_10 = 0.0;
  if (thread_id.x < 36u) {
    let x_11 = x[i + 10u];
    held_10 = x_11;
  }
  var held_11 = 0.0;
  if (thread_id.x < 36u) {
    let x_12 = x[i + 11u];
    held_11 = x_12;
  }
  var held_12 = 0.0;
  if (thread_id.x < 36u) {
    let x_13 = x[i + 12u];
    held_12 = x_13;
  }
  var held_13 = 0.0;
  if (thread_id.x < 36u) {
    let x_14 = x[i + 13u];
    held_13 = x_14;
  }
  var held_14 = 0.0;
  if (thread_id.x < 36u) {
    let x_15 = x[i + 14u];
    held_14 = x_15;
  }
  var held_15 = 0.0;
  if (thread_id.x < 36u) {
    let x_16 = x[i + 15u];
    held_15 = x_16;
  }
  var sum_ = 0.0;
  if (thread_id.x < 36u) {
    sum_ = sum_ + held;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_1;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_2;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_3;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_4;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_5;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_6;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_7;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_8;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_9;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_10;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_11;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_12;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_13;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_14;
  }
  if (thread_id.x < 36u) {
    sum_ = sum_ + held_15;
  }
  let center = sum_ * 0.0625;
  var squares = 0.0;
  if (thread_id.x < 36u) {
    let away = held - center;
    squares = fma(away, away, squares);
  }
  if (thread_id.x < 36u) {
    let away_1 = held_1 - center;
    squares = fma(away_1, away_1, squares);
  }
  if (thread_id.x < 36u) {
    let away_2 = held_2 - center;
    squares = fma(away_2, away_2, squares);
  }
  if (thread_id.x < 36u) {
    let away_3 = held_3 - center;
    squares = fma(away_3, away_3, squares);
  }
  if (thread_id.x < 36u) {
    let away_4 = held_4 - center;
    squares = fma(away_4, away_4, squares);
  }
  if (thread_id.x < 36u) {
    let away_5 = held_5 - center;
    squares = fma(away_5, away_5, squares);
  }
  if (thread_id.x < 36u) {
    let away_6 = held_6 - center;
    squares = fma(away_6, away_6, squares);
  }
  if (thread_id.x < 36u) {
    let away_7 = held_7 - center;
    squares = fma(away_7, away_7, squares);
  }
  if (thread_id.x < 36u) {
    let away_8 = held_8 - center;
    squares = fma(away_8, away_8, squares);
  }
  if (thread_id.x < 36u) {
    let away_9 = held_9 - center;
    squares = fma(away_9, away_9, squares);
  }
  if (thread_id.x < 36u) {
    let away_10 = held_10 - center;
    squares = fma(away_10, away_10, squares);
  }
  if (thread_id.x < 36u) {
    let away_11 = held_11 - center;
    squares = fma(away_11, away_11, squares);
  }
  if (thread_id.x < 36u) {
    let away_12 = held_12 - center;
    squares = fma(away_12, away_12, squares);
  }
  if (thread_id.x < 36u) {
    let away_13 = held_13 - center;
    squares = fma(away_13, away_13, squares);
  }
  if (thread_id.x < 36u) {
    let away_14 = held_14 - center;
    squares = fma(away_14, away_14, squares);
  }
  if (thread_id.x < 36u) {
    let away_15 = held_15 - center;
    squares = fma(away_15, away_15, squares);
  }
  let scale = 1.0 / sqrt(((squares * 0.0625) + 0.00001));
  if (thread_id.x < 36u) {
    let value = (held - center) * scale;
    let weight_1 = weight[0u];
    let mul = value * weight_1;
    let bias_1 = bias[0u];
    let add_1 = mul + bias_1;
    add[(at * 96u) + (at_1 * 16u)] = add_1;
  }
  if (thread_id.x < 36u) {
    let value_1 = (held_1 - center) * scale;
    let weight_2 = weight[1u];
    let mul_1 = value_1 * weight_2;
    let bias_2 = bias[1u];
    let add_2 = mul_1 + bias_2;
    add[((at * 96u) + (at_1 * 16u)) + 1u] = add_2;
  }
  if (thread_id.x < 36u) {
    let value_2 = (held_2 - center) * scale;
    let weight_3 = weight[2u];
    let mul_2 = value_2 * weight_3;
    let bias_3 = bias[2u];
    let add_3 = mul_2 + bias_3;
    add[((at * 96u) + (at_1 * 16u)) + 2u] = add_3;
  }
  if (thread_id.x < 36u) {
    let value_3 = (held_3 - center) * scale;
    let weight_4 = weight[3u];
    let mul_3 = value_3 * weight_4;
    let bias_4 = bias[3u];
    let add_4 = mul_3 + bias_4;
    add[((at * 96u) + (at_1 * 16u)) + 3u] = add_4;
  }
  if (thread_id.x < 36u) {
    let value_4 = (held_4 - center) * scale;
    let weight_5 = weight[4u];
    let mul_4 = value_4 * weight_5;
    let bias_5 = bias[4u];
    let add_5 = mul_4 + bias_5;
    add[((at * 96u) + (at_1 * 16u)) + 4u] = add_5;
  }
  if (thread_id.x < 36u) {
    let value_5 = (held_5 - center) * scale;
    let weight_6 = weight[5u];
    let mul_5 = value_5 * weight_6;
    let bias_6 = bias[5u];
    let add_6 = mul_5 + bias_6;
    add[((at * 96u) + (at_1 * 16u)) + 5u] = add_6;
  }
  if (thread_id.x < 36u) {
    let value_6 = (held_6 - center) * scale;
    let weight_7 = weight[6u];
    let mul_6 = value_6 * weight_7;
    let bias_7 = bias[6u];
    let add_7 = mul_6 + bias_7;
    add[((at * 96u) + (at_1 * 16u)) + 6u] = add_7;
  }
  if (thread_id.x < 36u) {
    let value_7 = (held_7 - center) * scale;
    let weight_8 = weight[7u];
    let mul_7 = value_7 * weight_8;
    let bias_8 = bias[7u];
    let add_8 = mul_7 + bias_8;
    add[((at * 96u) + (at_1 * 16u)) + 7u] = add_8;
  }
  if (thread_id.x < 36u) {
    let value_8 = (held_8 - center) * scale;
    let weight_9 = weight[8u];
    let mul_8 = value_8 * weight_9;
    let bias_9 = bias[8u];
    let add_9 = mul_8 + bias_9;
    add[((at * 96u) + (at_1 * 16u)) + 8u] = add_9;
  }
  if (thread_id.x < 36u) {
    let value_9 = (held_9 - center) * scale;
    let weight_10 = weight[9u];
    let mul_9 = value_9 * weight_10;
    let bias_10 = bias[9u];
    let add_10 = mul_9 + bias_10;
    add[((at * 96u) + (at_1 * 16u)) + 9u] = add_10;
  }
  if (thread_id.x < 36u) {
    let value_10 = (held_10 - center) * scale;
    let weight_11 = weight[10u];
    let mul_10 = value_10 * weight_11;
    let bias_11 = bias[10u];
    let add_11 = mul_10 + bias_11;
    add[((at * 96u) + (at_1 * 16u)) + 10u] = add_11;
  }
  if (thread_id.x < 36u) {
    let value_11 = (held_11 - center) * scale;
    let weight_12 = weight[11u];
    let mul_11 = value_11 * weight_12;
    let bias_12 = bias[11u];
    let add_12 = mul_11 + bias_12;
    add[((at * 96u) + (at_1 * 16u)) + 11u] = add_12;
  }
  if (thread_id.x < 36u) {
    let value_12 = (held_12 - center) * scale;
    let weight_13 = weight[12u];
    let mul_12 = value_12 * weight_13;
    let bias_13 = bias[12u];
    let add_13 = mul_12 + bias_13;
    add[((at * 96u) + (at_1 * 16u)) + 12u] = add_13;
  }
  if (thread_id.x < 36u) {
    let value_13 = (held_13 - center) * scale;
    let weight_14 = weight[13u];
    let mul_13 = value_13 * weight_14;
    let bias_14 = bias[13u];
    let add_14 = mul_13 + bias_14;
    add[((at * 96u) + (at_1 * 16u)) + 13u] = add_14;
  }
  if (thread_id.x < 36u) {
    let value_14 = (held_14 - center) * scale;
    let weight_15 = weight[14u];
    let mul_14 = value_14 * weight_15;
    let bias_15 = bias[14u];
    let add_15 = mul_14 + bias_15;
    add[((at * 96u) + (at_1 * 16u)) + 14u] = add_15;
  }
  if (thread_id.x < 36u) {
    let value_15 = (held_15 - center) * scale;
    let weight_16 = weight[15u];
    let mul_15 = value_15 * weight_16;
    let bias_16 = bias[15u];
    let add_16 = mul_15 + bias_16;
    add[((at * 96u) + (at_1 * 16u)) + 15u] = add_16;
  }
}

// matmul_add: step 1
@group(0) @binding(0) var<storage, read_write> add: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> add_1: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<workgroup> operands: array<vec4<f32>, 336>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 4>;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  for (var part = 0u; part < 4u * one; part++) {
    let e = (part * 64u) + thread_id.x;
    let r = ((e / 32u) * 8u) + ((e / 2u) % 8u);
    let c = (((e / 16u) % 2u) * 2u) + (e % 2u);
    let c_1 = min((((r / 32u) * 4u) + ((r / 4u) % 4u)), 5u);
    let c_2 = min(((((r / 16u) % 2u) * 4u) + (r % 4u)), 5u);
    let c_3 = c * 4u;
    let add_2 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_3];
    let pad = select(0.0, add_2, (((((r / 32u) * 4u) + ((r / 4u) % 4u)) <= 5u) && (((((r / 16u) % 2u) * 4u) + (r % 4u)) <= 5u)));
    let c_4 = (c * 4u) + 1u;
    let add_3 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_4];
    let pad_1 = select(0.0, add_3, (((((r / 32u) * 4u) + ((r / 4u) % 4u)) <= 5u) && (((((r / 16u) % 2u) * 4u) + (r % 4u)) <= 5u)));
    let c_5 = (c * 4u) + 2u;
    let add_4 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_5];
    let pad_2 = select(0.0, add_4, (((((r / 32u) * 4u) + ((r / 4u) % 4u)) <= 5u) && (((((r / 16u) % 2u) * 4u) + (r % 4u)) <= 5u)));
    let c_6 = (c * 4u) + 3u;
    let add_5 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_6];
    let pad_3 = select(0.0, add_5, (((((r / 32u) * 4u) + ((r / 4u) % 4u)) <= 5u) && (((((r / 16u) % 2u) * 4u) + (r % 4u)) <= 5u)));
    operands[(r * 5u) + c] = vec4<f32>(pad, pad_1, pad_2, pad_3);
  }
  let i = (thread_id.x * 48u) + (group_id.x * 4u);
  if (thread_id.x < 16u) {
    let weight_1_4 = weight[i / 4u];
    let weight_1 = weight_1_4.x;
    let weight_2 = weight_1_4.y;
    let weight_3 = weight_1_4.z;
    let weight_4 = weight_1_4.w;
    operands[thread_id.x + 320u] = vec4<f32>(weight_1, weight_2, weight_3, weight_4);
  }
  workgroupBarrier();
  for (var quad = 0u; quad < 4u * one; quad++) {
    let operands_1_4 = operands[(thread_id.x * 5u) + quad];
    let operands_1 = operands_1_4.x;
    let operands_2 = operands_1_4.y;
    let operands_3 = operands_1_4.z;
    let operands_4 = operands_1_4.w;
    let operands_5_4 = operands[(quad * 4u) + 320u];
    let operands_5 = operands_5_4.x;
    let operands_6 = operands_5_4.y;
    let operands_7 = operands_5_4.z;
    let operands_8 = operands_5_4.w;
    carried = fma(operands_1, operands_5, carried);
    carried_1 = fma(operands_1, operands_6, carried_1);
    carried_2 = fma(operands_1, operands_7, carried_2);
    carried_3 = fma(operands_1, operands_8, carried_3);
    let operands_9_4 = operands[(quad * 4u) + 321u];
    let operands_9 = operands_9_4.x;
    let operands_10 = operands_9_4.y;
    let operands_11 = operands_9_4.z;
    let operands_12 = operands_9_4.w;
    carried = fma(operands_2, operands_9, carried);
    carried_1 = fma(operands_2, operands_10, carried_1);
    carried_2 = fma(operands_2, operands_11, carried_2);
    carried_3 = fma(operands_2, operands_12, carried_3);
    let operands_13_4 = operands[(quad * 4u) + 322u];
    let operands_13 = operands_13_4.x;
    let operands_14 = operands_13_4.y;
    let operands_15 = operands_13_4.z;
    let operands_16 = operands_13_4.w;
    carried = fma(operands_3, operands_13, carried);
    carried_1 = fma(operands_3, operands_14, carried_1);
    carried_2 = fma(operands_3, operands_15, carried_2);
    carried_3 = fma(operands_3, operands_16, carried_3);
    let operands_17_4 = operands[(quad * 4u) + 323u];
    let operands_17 = operands_17_4.x;
    let operands_18 = operands_17_4.y;
    let operands_19 = operands_17_4.z;
    let operands_20 = operands_17_4.w;
    carried = fma(operands_4, operands_17, carried);
    carried_1 = fma(operands_4, operands_18, carried_1);
    carried_2 = fma(operands_4, operands_19, carried_2);
    carried_3 = fma(operands_4, operands_20, carried_3);
  }
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  for (var e_1 = 0u; e_1 < 4u * one; e_1++) {
    let c_7 = (group_id.x * 4u) + e_1;
    let value = held[e_1];
    let bias_1 = bias[c_7];
    let add_6 = value + bias_1;
    add[(thread_id.x * 48u) + c_7] = add_6;
  }
}

// attention: step 2
@group(0) @binding(0) var<storage, read_write> reshape: array<f32>;
@group(0) @binding(1) var<storage, read_write> add: array<f32>;
@group(0) @binding(2) var<storage, read> stack: array<vec4<f32>>;
var<workgroup> operands: array<vec4<f32>, 128>;
var<workgroup> folds: array<vec4<f32>, 8>;

fn float_of(bits: u32) -> f32 { return bitcast<f32>(bits); }

@compute @workgroup_size(8, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  let nothing = one - 1u;
  var own: array<f32, 32>;
  var own_1: array<f32, 8>;
  var held: array<f32, 16>;
  let column = thread_id.x % 2u;
  let row = thread_id.x / 2u;
  let i = (group_id.z * 768u) + (group_id.y * 8u);
  for (var part = 0u; part < 4u * one; part++) {
    let e = (part * 8u) + thread_id.x;
    let r = (e / 2u) % 8u;
    let c = ((e / 16u) * 2u) + (e % 2u);
    let add_1 = add[(i + (c * 192u)) + r];
    let add_2 = add[((i + (c * 192u)) + r) + 48u];
    let add_3 = add[((i + (c * 192u)) + r) + 96u];
    let add_4 = add[((i + (c * 192u)) + r) + 144u];
    operands[(r * 4u) + c] = vec4<f32>(add_1 * 0.35355338, add_2 * 0.35355338, add_3 * 0.35355338, add_4 * 0.35355338);
  }
  var carried = -340282346638528859811704183484516925440.0;
  var carried_1 = -340282346638528859811704183484516925440.0;
  var carried_2 = -340282346638528859811704183484516925440.0;
  var carried_3 = -340282346638528859811704183484516925440.0;
  var carried_4 = 0.0;
  var carried_5 = 0.0;
  var carried_6 = 0.0;
  var carried_7 = 0.0;
  var carried_8 = 0.0;
  var carried_9 = 0.0;
  var carried_10 = 0.0;
  var carried_11 = 0.0;
  var carried_12 = 0.0;
  var carried_13 = 0.0;
  var carried_14 = 0.0;
  var carried_15 = 0.0;
  var carried_16 = 0.0;
  var carried_17 = 0.0;
  var carried_18 = 0.0;
  var carried_19 = 0.0;
  var carried_20 = 0.0;
  var carried_21 = 0.0;
  var carried_22 = 0.0;
  var carried_23 = 0.0;
  for (var part_1 = 0u; part_1 < 4u * one; part_1++) {
    let e_1 = (part_1 * 8u) + thread_id.x;
    let r_1 = (e_1 / 2u) % 8u;
    let c_1 = ((e_1 / 16u) * 2u) + (e_1 % 2u);
    let add_5 = add[((i + (c_1 * 192u)) + r_1) + 16u];
    let add_6 = add[((i + (c_1 * 192u)) + r_1) + 64u];
    let add_7 = add[((i + (c_1 * 192u)) + r_1) + 112u];
    let add_8 = add[((i + (c_1 * 192u)) + r_1) + 160u];
    operands[((r_1 * 4u) + c_1) + 32u] = vec4<f32>(add_5, add_6, add_7, add_8);
  }
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  var sum_4 = 0.0;
  var sum_5 = 0.0;
  var sum_6 = 0.0;
  var sum_7 = 0.0;
  var sum_8 = 0.0;
  var sum_9 = 0.0;
  var sum_10 = 0.0;
  var sum_11 = 0.0;
  var sum_12 = 0.0;
  var sum_13 = 0.0;
  var sum_14 = 0.0;
  var sum_15 = 0.0;
  var sum_16 = 0.0;
  var sum_17 = 0.0;
  var sum_18 = 0.0;
  var sum_19 = 0.0;
  var sum_20 = 0.0;
  var sum_21 = 0.0;
  var sum_22 = 0.0;
  var sum_23 = 0.0;
  var sum_24 = 0.0;
  var sum_25 = 0.0;
  var sum_26 = 0.0;
  var sum_27 = 0.0;
  var sum_28 = 0.0;
  var sum_29 = 0.0;
  var sum_30 = 0.0;
  var sum_31 = 0.0;
  workgroupBarrier();
  for (var place = 0u; place < 8u * one; place++) {
    let operands_1_4 = operands[(place * 4u) + row];
    let operands_1 = operands_1_4.x;
    let operands_2 = operands_1_4.y;
    let operands_3 = operands_1_4.z;
    let operands_4 = operands_1_4.w;
    let operands_5_4 = operands[((place * 4u) + column) + 32u];
    let operands_5 = operands_5_4.x;
    let operands_6 = operands_5_4.y;
    let operands_7 = operands_5_4.z;
    let operands_8 = operands_5_4.w;
    let operands_9_4 = operands[((place * 4u) + column) + 34u];
    let operands_9 = operands_9_4.x;
    let operands_10 = operands_9_4.y;
    let operands_11 = operands_9_4.z;
    let operands_12 = operands_9_4.w;
    sum_ = fma(operands_1, operands_5, sum_);
    sum_1 = fma(operands_1, operands_6, sum_1);
    sum_2 = fma(operands_1, operands_7, sum_2);
    sum_3 = fma(operands_1, operands_8, sum_3);
    sum_4 = fma(operands_1, operands_9, sum_4);
    sum_5 = fma(operands_1, operands_10, sum_5);
    sum_6 = fma(operands_1, operands_11, sum_6);
    sum_7 = fma(operands_1, operands_12, sum_7);
    sum_8 = fma(operands_2, operands_5, sum_8);
    sum_9 = fma(operands_2, operands_6, sum_9);
    sum_10 = fma(operands_2, operands_7, sum_10);
    sum_11 = fma(operands_2, operands_8, sum_11);
    sum_12 = fma(operands_2, operands_9, sum_12);
    sum_13 = fma(operands_2, operands_10, sum_13);
    sum_14 = fma(operands_2, operands_11, sum_14);
    sum_15 = fma(operands_2, operands_12, sum_15);
    sum_16 = fma(operands_3, operands_5, sum_16);
    sum_17 = fma(operands_3, operands_6, sum_17);
    sum_18 = fma(operands_3, operands_7, sum_18);
    sum_19 = fma(operands_3, operands_8, sum_19);
    sum_20 = fma(operands_3, operands_9, sum_20);
    sum_21 = fma(operands_3, operands_10, sum_21);
    sum_22 = fma(operands_3, operands_11, sum_22);
    sum_23 = fma(operands_3, operands_12, sum_23);
    sum_24 = fma(operands_4, operands_5, sum_24);
    sum_25 = fma(operands_4, operands_6, sum_25);
    sum_26 = fma(operands_4, operands_7, sum_26);
    sum_27 = fma(operands_4, operands_8, sum_27);
    sum_28 = fma(operands_4, operands_9, sum_28);
    sum_29 = fma(operands_4, operands_10, sum_29);
    sum_30 = fma(operands_4, operands_11, sum_30);
    sum_31 = fma(operands_4, operands_12, sum_31);
  }
  for (var e_2 = 0u; e_2 < 32u * one; e_2++) {
    let at = (row * 4u) + (e_2 / 8u);
    let at_1 = ((((e_2 % 8u) / 4u) * 8u) + (column * 4u)) + (e_2 % 4u);
    let y = at_1 / 4u;
    let y_1 = at / 4u;
    let x = at % 4u;
    let at_2 = (y_1 * 4u) + x;
    let add_9 = add[i + (at_2 * 48u)];
    let row_1 = ((at / 4u) + 3u) - y;
    let stack_1_4 = stack[(row_1 * 8u) / 4u];
    let stack_1 = stack_1_4.x;
    let stack_2 = stack_1_4.y;
    let stack_3 = stack_1_4.z;
    let stack_4 = stack_1_4.w;
    let add_10 = add[(i + (at_2 * 48u)) + 1u];
    let add_11 = add[(i + (at_2 * 48u)) + 2u];
    let add_12 = add[(i + (at_2 * 48u)) + 3u];
    let add_13 = add[(i + (at_2 * 48u)) + 4u];
    let stack_5_4 = stack[((row_1 * 8u) + 4u) / 4u];
    let stack_5 = stack_5_4.x;
    let stack_6 = stack_5_4.y;
    let stack_7 = stack_5_4.z;
    let stack_8 = stack_5_4.w;
    let add_14 = add[(i + (at_2 * 48u)) + 5u];
    let add_15 = add[(i + (at_2 * 48u)) + 6u];
    let add_16 = add[(i + (at_2 * 48u)) + 7u];
    let matmul = (((add_9 * stack_1) + (add_10 * stack_2)) + ((add_11 * stack_3) + (add_12 * stack_4))) + (((add_13 * stack_5) + (add_14 * stack_6)) + ((add_15 * stack_7) + (add_16 * stack_8)));
    let x_1 = at_1 % 4u;
    let row_2 = ((at % 4u) + 10u) - x_1;
    let i_1 = row_2 / 7u;
    let i_2 = row_2 % 7u;
    let stack_9_4 = stack[((i_1 * 64u) + (i_2 * 8u)) / 4u];
    let stack_9 = stack_9_4.x;
    let stack_10 = stack_9_4.y;
    let stack_11 = stack_9_4.z;
    let stack_12 = stack_9_4.w;
    let stack_13_4 = stack[(((i_1 * 64u) + (i_2 * 8u)) + 4u) / 4u];
    let stack_13 = stack_13_4.x;
    let stack_14 = stack_13_4.y;
    let stack_15 = stack_13_4.z;
    let stack_16 = stack_13_4.w;
    let matmul_1 = (((add_9 * stack_9) + (add_10 * stack_10)) + ((add_11 * stack_11) + (add_12 * stack_12))) + (((add_13 * stack_13) + (add_14 * stack_14)) + ((add_15 * stack_15) + (add_16 * stack_16)));
    own[e_2] = matmul + bitcast<f32>(bitcast<u32>(matmul_1) ^ nothing);
  }
  let x_2 = own[0u];
  let x_3 = own[1u];
  let x_4 = own[2u];
  let x_5 = own[3u];
  let x_6 = own[4u];
  let x_7 = own[5u];
  let x_8 = own[6u];
  let x_9 = own[7u];
  let x_10 = own[8u];
  let x_11 = own[9u];
  let x_12 = own[10u];
  let x_13 = own[11u];
  let x_14 = own[12u];
  let x_15 = own[13u];
  let x_16 = own[14u];
  let x_17 = own[15u];
  let x_18 = own[16u];
  let x_19 = own[17u];
  let x_20 = own[18u];
  let x_21 = own[19u];
  let x_22 = own[20u];
  let x_23 = own[21u];
  let x_24 = own[22u];
  let x_25 = own[23u];
  let x_26 = own[24u];
  let x_27 = own[25u];
  let x_28 = own[26u];
  let x_29 = own[27u];
  let x_30 = own[28u];
  let x_31 = own[29u];
  let x_32 = own[30u];
  let x_33 = own[31u];
  for (var e_3 = 0u; e_3 < 8u * one; e_3++) {
    own_1[e_3] = 1.0;
  }
  let x_34 = own_1[0u];
  let x_35 = own_1[1u];
  let x_36 = own_1[2u];
  let x_37 = own_1[3u];
  let x_38 = own_1[4u];
  let x_39 = own_1[5u];
  let x_40 = own_1[6u];
  let x_41 = own_1[7u];
  let x_42 = select((sum_ + x_2), float_of(0xff800000u), (x_34 == 0.0));
  let x_43 = select((sum_1 + x_3), float_of(0xff800000u), (x_35 == 0.0));
  let x_44 = select((sum_2 + x_4), float_of(0xff800000u), (x_36 == 0.0));
  let x_45 = select((sum_3 + x_5), float_of(0xff800000u), (x_37 == 0.0));
  let x_46 = select((sum_4 + x_6), float_of(0xff800000u), (x_38 == 0.0));
  let x_47 = select((sum_5 + x_7), float_of(0xff800000u), (x_39 == 0.0));
  let x_48 = select((sum_6 + x_8), float_of(0xff800000u), (x_40 == 0.0));
  let x_49 = select((sum_7 + x_9), float_of(0xff800000u), (x_41 == 0.0));
  let x_50 = select((sum_8 + x_10), float_of(0xff800000u), (x_34 == 0.0));
  let x_51 = select((sum_9 + x_11), float_of(0xff800000u), (x_35 == 0.0));
  let x_52 = select((sum_10 + x_12), float_of(0xff800000u), (x_36 == 0.0));
  let x_53 = select((sum_11 + x_13), float_of(0xff800000u), (x_37 == 0.0));
  let x_54 = select((sum_12 + x_14), float_of(0xff800000u), (x_38 == 0.0));
  let x_55 = select((sum_13 + x_15), float_of(0xff800000u), (x_39 == 0.0));
  let x_56 = select((sum_14 + x_16), float_of(0xff800000u), (x_40 == 0.0));
  let x_57 = select((sum_15 + x_17), float_of(0xff800000u), (x_41 == 0.0));
  let x_58 = select((sum_16 + x_18), float_of(0xff800000u), (x_34 == 0.0));
  let x_59 = select((sum_17 + x_19), float_of(0xff800000u), (x_35 == 0.0));
  let x_60 = select((sum_18 + x_20), float_of(0xff800000u), (x_36 == 0.0));
  let x_61 = select((sum_19 + x_21), float_of(0xff800000u), (x_37 == 0.0));
  let x_62 = select((sum_20 + x_22), float_of(0xff800000u), (x_38 == 0.0));
  let x_63 = select((sum_21 + x_23), float_of(0xff800000u), (x_39 == 0.0));
  let x_64 = select((sum_22 + x_24), float_of(0xff800000u), (x_40 == 0.0));
  let x_65 = select((sum_23 + x_25), float_of(0xff800000u), (x_41 == 0.0));
  let x_66 = select((sum_24 + x_26), float_of(0xff800000u), (x_34 == 0.0));
  let x_67 = select((sum_25 + x_27), float_of(0xff800000u), (x_35 == 0.0));
  let x_68 = select((sum_26 + x_28), float_of(0xff800000u), (x_36 == 0.0));
  let x_69 = select((sum_27 + x_29), float_of(0xff800000u), (x_37 == 0.0));
  let x_70 = select((sum_28 + x_30), float_of(0xff800000u), (x_38 == 0.0));
  let x_71 = select((sum_29 + x_31), float_of(0xff800000u), (x_39 == 0.0));
  let x_72 = select((sum_30 + x_32), float_of(0xff800000u), (x_40 == 0.0));
  let x_73 = select((sum_31 + x_33), float_of(0xff800000u), (x_41 == 0.0));
  let part_2 = max(max(max(max(max(max(max(x_42, x_43), x_44), x_45), x_46), x_47), x_48), x_49);
  let part_3 = max(max(max(max(max(max(max(x_50, x_51), x_52), x_53), x_54), x_55), x_56), x_57);
  let part_4 = max(max(max(max(max(max(max(x_58, x_59), x_60), x_61), x_62), x_63), x_64), x_65);
  let part_5 = max(max(max(max(max(max(max(x_66, x_67), x_68), x_69), x_70), x_71), x_72), x_73);
  folds[(row * 2u) + column] = vec4<f32>(part_2, part_3, part_4, part_5);
  workgroupBarrier();
  var all = float_of(0xff800000u);
  var all_1 = float_of(0xff800000u);
  var all_2 = float_of(0xff800000u);
  var all_3 = float_of(0xff800000u);
  for (var p = 0u; p < 2u * one; p++) {
    let folds_1_4 = folds[(row * 2u) + p];
    let folds_1 = folds_1_4.x;
    let folds_2 = folds_1_4.y;
    let folds_3 = folds_1_4.z;
    let folds_4 = folds_1_4.w;
    all = max(all, folds_1);
    all_1 = max(all_1, folds_2);
    all_2 = max(all_2, folds_3);
    all_3 = max(all_3, folds_4);
  }
  let all_4 = all;
  let all_5 = all_1;
  let all_6 = all_2;
  let all_7 = all_3;
  let x_74 = max(carried, all_4);
  let x_75 = max(carried_1, all_5);
  let x_76 = max(carried_2, all_6);
  let x_77 = max(carried_3, all_7);
  let x_78 = exp((carried - x_74));
  let x_79 = exp((carried_1 - x_75));
  let x_80 = exp((carried_2 - x_76));
  let x_81 = exp((carried_3 - x_77));
  let x_82 = exp((x_42 - x_74));
  let x_83 = exp((x_43 - x_74));
  let x_84 = exp((x_44 - x_74));
  let x_85 = exp((x_45 - x_74));
  let x_86 = exp((x_46 - x_74));
  let x_87 = exp((x_47 - x_74));
  let x_88 = exp((x_48 - x_74));
  let x_89 = exp((x_49 - x_74));
  let x_90 = exp((x_50 - x_75));
  let x_91 = exp((x_51 - x_75));
  let x_92 = exp((x_52 - x_75));
  let x_93 = exp((x_53 - x_75));
  let x_94 = exp((x_54 - x_75));
  let x_95 = exp((x_55 - x_75));
  let x_96 = exp((x_56 - x_75));
  let x_97 = exp((x_57 - x_75));
  let x_98 = exp((x_58 - x_76));
  let x_99 = exp((x_59 - x_76));
  let x_100 = exp((x_60 - x_76));
  let x_101 = exp((x_61 - x_76));
  let x_102 = exp((x_62 - x_76));
  let x_103 = exp((x_63 - x_76));
  let x_104 = exp((x_64 - x_76));
  let x_105 = exp((x_65 - x_76));
  let x_106 = exp((x_66 - x_77));
  let x_107 = exp((x_67 - x_77));
  let x_108 = exp((x_68 - x_77));
  let x_109 = exp((x_69 - x_77));
  let x_110 = exp((x_70 - x_77));
  let x_111 = exp((x_71 - x_77));
  let x_112 = exp((x_72 - x_77));
  let x_113 = exp((x_73 - x_77));
  let part_6 = ((((((x_82 + x_83) + x_84) + x_85) + x_86) + x_87) + x_88) + x_89;
  let part_7 = ((((((x_90 + x_91) + x_92) + x_93) + x_94) + x_95) + x_96) + x_97;
  let part_8 = ((((((x_98 + x_99) + x_100) + x_101) + x_102) + x_103) + x_104) + x_105;
  let part_9 = ((((((x_106 + x_107) + x_108) + x_109) + x_110) + x_111) + x_112) + x_113;
  workgroupBarrier();
  folds[(row * 2u) + column] = vec4<f32>(part_6, part_7, part_8, part_9);
  workgroupBarrier();
  var all_8 = 0.0;
  var all_9 = 0.0;
  var all_10 = 0.0;
  var all_11 = 0.0;
  for (var p_1 = 0u; p_1 < 2u * one; p_1++) {
    let folds_5_4 = folds[(row * 2u) + p_1];
    let folds_5 = folds_5_4.x;
    let folds_6 = folds_5_4.y;
    let folds_7 = folds_5_4.z;
    let folds_8 = folds_5_4.w;
    all_8 = all_8 + folds_5;
    all_9 = all_9 + folds_6;
    all_10 = all_10 + folds_7;
    all_11 = all_11 + folds_8;
  }
  let all_12 = all_8;
  let all_13 = all_9;
  let all_14 = all_10;
  let all_15 = all_11;
  let x_114 = fma(carried_4, x_78, all_12);
  let x_115 = fma(carried_5, x_79, all_13);
  let x_116 = fma(carried_6, x_80, all_14);
  let x_117 = fma(carried_7, x_81, all_15);
  for (var part_10 = 0u; part_10 < 4u * one; part_10++) {
    let e_4 = (part_10 * 8u) + thread_id.x;
    let r_2 = ((e_4 / 16u) * 8u) + ((e_4 / 2u) % 8u);
    let c_2 = e_4 % 2u;
    let add_17 = add[((i + (r_2 * 48u)) + (c_2 * 4u)) + 32u];
    let add_18 = add[((i + (r_2 * 48u)) + (c_2 * 4u)) + 33u];
    let add_19 = add[((i + (r_2 * 48u)) + (c_2 * 4u)) + 34u];
    let add_20 = add[((i + (r_2 * 48u)) + (c_2 * 4u)) + 35u];
    operands[((r_2 * 2u) + c_2) + 32u] = vec4<f32>(add_17, add_18, add_19, add_20);
  }
  let x_118 = carried_8 * x_78;
  let x_119 = carried_9 * x_78;
  let x_120 = carried_10 * x_78;
  let x_121 = carried_11 * x_78;
  let x_122 = carried_12 * x_79;
  let x_123 = carried_13 * x_79;
  let x_124 = carried_14 * x_79;
  let x_125 = carried_15 * x_79;
  let x_126 = carried_16 * x_80;
  let x_127 = carried_17 * x_80;
  let x_128 = carried_18 * x_80;
  let x_129 = carried_19 * x_80;
  let x_130 = carried_20 * x_81;
  let x_131 = carried_21 * x_81;
  let x_132 = carried_22 * x_81;
  let x_133 = carried_23 * x_81;
  operands[((column * 16u) + row) + 64u] = vec4<f32>(x_82, x_90, x_98, x_106);
  operands[((column * 16u) + row) + 68u] = vec4<f32>(x_83, x_91, x_99, x_107);
  operands[((column * 16u) + row) + 72u] = vec4<f32>(x_84, x_92, x_100, x_108);
  operands[((column * 16u) + row) + 76u] = vec4<f32>(x_85, x_93, x_101, x_109);
  operands[((column * 16u) + row) + 96u] = vec4<f32>(x_86, x_94, x_102, x_110);
  operands[((column * 16u) + row) + 100u] = vec4<f32>(x_87, x_95, x_103, x_111);
  operands[((column * 16u) + row) + 104u] = vec4<f32>(x_88, x_96, x_104, x_112);
  operands[((column * 16u) + row) + 108u] = vec4<f32>(x_89, x_97, x_105, x_113);
  var sum_32 = x_118;
  var sum_33 = x_119;
  var sum_34 = x_120;
  var sum_35 = x_121;
  var sum_36 = x_122;
  var sum_37 = x_123;
  var sum_38 = x_124;
  var sum_39 = x_125;
  var sum_40 = x_126;
  var sum_41 = x_127;
  var sum_42 = x_128;
  var sum_43 = x_129;
  var sum_44 = x_130;
  var sum_45 = x_131;
  var sum_46 = x_132;
  var sum_47 = x_133;
  workgroupBarrier();
  for (var place_1 = 0u; place_1 < 16u * one; place_1++) {
    let operands_13_4 = operands[((place_1 * 4u) + row) + 64u];
    let operands_13 = operands_13_4.x;
    let operands_14 = operands_13_4.y;
    let operands_15 = operands_13_4.z;
    let operands_16 = operands_13_4.w;
    let operands_17_4 = operands[((place_1 * 2u) + column) + 32u];
    let operands_17 = operands_17_4.x;
    let operands_18 = operands_17_4.y;
    let operands_19 = operands_17_4.z;
    let operands_20 = operands_17_4.w;
    sum_32 = fma(operands_13, operands_17, sum_32);
    sum_33 = fma(operands_13, operands_18, sum_33);
    sum_34 = fma(operands_13, operands_19, sum_34);
    sum_35 = fma(operands_13, operands_20, sum_35);
    sum_36 = fma(operands_14, operands_17, sum_36);
    sum_37 = fma(operands_14, operands_18, sum_37);
    sum_38 = fma(operands_14, operands_19, sum_38);
    sum_39 = fma(operands_14, operands_20, sum_39);
    sum_40 = fma(operands_15, operands_17, sum_40);
    sum_41 = fma(operands_15, operands_18, sum_41);
    sum_42 = fma(operands_15, operands_19, sum_42);
    sum_43 = fma(operands_15, operands_20, sum_43);
    sum_44 = fma(operands_16, operands_17, sum_44);
    sum_45 = fma(operands_16, operands_18, sum_45);
    sum_46 = fma(operands_16, operands_19, sum_46);
    sum_47 = fma(operands_16, operands_20, sum_47);
  }
  let next = sum_32;
  let next_1 = sum_33;
  let next_2 = sum_34;
  let next_3 = sum_35;
  let next_4 = sum_36;
  let next_5 = sum_37;
  let next_6 = sum_38;
  let next_7 = sum_39;
  let next_8 = sum_40;
  let next_9 = sum_41;
  let next_10 = sum_42;
  let next_11 = sum_43;
  let next_12 = sum_44;
  let next_13 = sum_45;
  let next_14 = sum_46;
  let next_15 = sum_47;
  carried = x_74;
  carried_1 = x_75;
  carried_2 = x_76;
  carried_3 = x_77;
  carried_4 = x_114;
  carried_5 = x_115;
  carried_6 = x_116;
  carried_7 = x_117;
  carried_8 = next;
  carried_9 = next_1;
  carried_10 = next_2;
  carried_11 = next_3;
  carried_12 = next_4;
  carried_13 = next_5;
  carried_14 = next_6;
  carried_15 = next_7;
  carried_16 = next_8;
  carried_17 = next_9;
  carried_18 = next_10;
  carried_19 = next_11;
  carried_20 = next_12;
  carried_21 = next_13;
  carried_22 = next_14;
  carried_23 = next_15;
  let x_134 = 1.0 / carried_4;
  let x_135 = 1.0 / carried_5;
  let x_136 = 1.0 / carried_6;
  let x_137 = 1.0 / carried_7;
  let x_138 = carried_8 * x_134;
  let x_139 = carried_9 * x_134;
  let x_140 = carried_10 * x_134;
  let x_141 = carried_11 * x_134;
  let x_142 = carried_12 * x_135;
  let x_143 = carried_13 * x_135;
  let x_144 = carried_14 * x_135;
  let x_145 = carried_15 * x_135;
  let x_146 = carried_16 * x_136;
  let x_147 = carried_17 * x_136;
  let x_148 = carried_18 * x_136;
  let x_149 = carried_19 * x_136;
  let x_150 = carried_20 * x_137;
  let x_151 = carried_21 * x_137;
  let x_152 = carried_22 * x_137;
  let x_153 = carried_23 * x_137;
  held[0u] = x_138;
  held[1u] = x_139;
  held[2u] = x_140;
  held[3u] = x_141;
  held[4u] = x_142;
  held[5u] = x_143;
  held[6u] = x_144;
  held[7u] = x_145;
  held[8u] = x_146;
  held[9u] = x_147;
  held[10u] = x_148;
  held[11u] = x_149;
  held[12u] = x_150;
  held[13u] = x_151;
  held[14u] = x_152;
  held[15u] = x_153;
  for (var e_5 = 0u; e_5 < 16u * one; e_5++) {
    let r_3 = (row * 4u) + (e_5 / 4u);
    let c_3 = (column * 4u) + (e_5 % 4u);
    let value = held[e_5];
    reshape[(((group_id.z * 256u) + (r_3 * 16u)) + (group_id.y * 8u)) + c_3] = value;
  }
}

// matmul_add: step 3
@group(0) @binding(0) var<storage, read_write> add: array<f32>;
@group(0) @binding(1) var<storage, read_write> reshape: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
var<workgroup> operands: array<vec4<f32>, 336>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 4>;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  for (var part = 0u; part < 4u * one; part++) {
    let e = (part * 64u) + thread_id.x;
    let r = ((e / 32u) * 8u) + ((e / 2u) % 8u);
    let c = (((e / 16u) % 2u) * 2u) + (e % 2u);
    let reshape_1_4 = reshape[((r * 16u) + (c * 4u)) / 4u];
    let reshape_1 = reshape_1_4.x;
    let reshape_2 = reshape_1_4.y;
    let reshape_3 = reshape_1_4.z;
    let reshape_4 = reshape_1_4.w;
    operands[(r * 5u) + c] = vec4<f32>(reshape_1, reshape_2, reshape_3, reshape_4);
  }
  let i = (thread_id.x * 16u) + (group_id.x * 4u);
  if (thread_id.x < 16u) {
    let weight_1_4 = weight[i / 4u];
    let weight_1 = weight_1_4.x;
    let weight_2 = weight_1_4.y;
    let weight_3 = weight_1_4.z;
    let weight_4 = weight_1_4.w;
    operands[thread_id.x + 320u] = vec4<f32>(weight_1, weight_2, weight_3, weight_4);
  }
  workgroupBarrier();
  for (var quad = 0u; quad < 4u * one; quad++) {
    let operands_1_4 = operands[(thread_id.x * 5u) + quad];
    let operands_1 = operands_1_4.x;
    let operands_2 = operands_1_4.y;
    let operands_3 = operands_1_4.z;
    let operands_4 = operands_1_4.w;
    let operands_5_4 = operands[(quad * 4u) + 320u];
    let operands_5 = operands_5_4.x;
    let operands_6 = operands_5_4.y;
    let operands_7 = operands_5_4.z;
    let operands_8 = operands_5_4.w;
    carried = fma(operands_1, operands_5, carried);
    carried_1 = fma(operands_1, operands_6, carried_1);
    carried_2 = fma(operands_1, operands_7, carried_2);
    carried_3 = fma(operands_1, operands_8, carried_3);
    let operands_9_4 = operands[(quad * 4u) + 321u];
    let operands_9 = operands_9_4.x;
    let operands_10 = operands_9_4.y;
    let operands_11 = operands_9_4.z;
    let operands_12 = operands_9_4.w;
    carried = fma(operands_2, operands_9, carried);
    carried_1 = fma(operands_2, operands_10, carried_1);
    carried_2 = fma(operands_2, operands_11, carried_2);
    carried_3 = fma(operands_2, operands_12, carried_3);
    let operands_13_4 = operands[(quad * 4u) + 322u];
    let operands_13 = operands_13_4.x;
    let operands_14 = operands_13_4.y;
    let operands_15 = operands_13_4.z;
    let operands_16 = operands_13_4.w;
    carried = fma(operands_3, operands_13, carried);
    carried_1 = fma(operands_3, operands_14, carried_1);
    carried_2 = fma(operands_3, operands_15, carried_2);
    carried_3 = fma(operands_3, operands_16, carried_3);
    let operands_17_4 = operands[(quad * 4u) + 323u];
    let operands_17 = operands_17_4.x;
    let operands_18 = operands_17_4.y;
    let operands_19 = operands_17_4.z;
    let operands_20 = operands_17_4.w;
    carried = fma(operands_4, operands_17, carried);
    carried_1 = fma(operands_4, operands_18, carried_1);
    carried_2 = fma(operands_4, operands_19, carried_2);
    carried_3 = fma(operands_4, operands_20, carried_3);
  }
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  let i_1 = min((((thread_id.x / 32u) * 4u) + ((thread_id.x / 4u) % 4u)), 5u);
  let i_2 = min(((((thread_id.x / 16u) % 2u) * 4u) + (thread_id.x % 4u)), 5u);
  let i_3 = (i_1 * 96u) + (i_2 * 16u);
  for (var e_1 = 0u; e_1 < 4u * one; e_1++) {
    let c_1 = (group_id.x * 4u) + e_1;
    let value = held[e_1];
    let i_4 = i_3 + c_1;
    if (((((thread_id.x / 32u) * 4u) + ((thread_id.x / 4u) % 4u)) <= 5u) && (((((thread_id.x / 16u) % 2u) * 4u) + (thread_id.x % 4u)) <= 5u)) {
      let x_1 = x[i_4];
      let add_1 = x_1 + value;
      add[((min((((thread_id.x / 32u) * 4u) + ((thread_id.x / 4u) % 4u)), 5u) * 96u) + (min(((((thread_id.x / 16u) % 2u) * 4u) + (thread_id.x % 4u)), 5u) * 16u)) + c_1] = add_1;
    }
  }
}
