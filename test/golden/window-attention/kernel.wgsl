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
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> add_1: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 512>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 16>;
  let row = thread_id.x / 8u;
  let col = thread_id.x % 8u;
  let m0 = group_id.y * 32u;
  let n0 = group_id.x * 32u;
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
  let r = m0 + (thread_id.x / 16u);
  let c = thread_id.x % 16u;
  let c_1 = min((((((((((r * 16u) + c) / 256u) * 256u) + ((r % 16u) * 16u)) + c) / 512u) * 4u) + ((((r % 16u) * 16u) + c) / 64u)), 5u);
  let c_2 = min(((((((r * 16u) + c) / 256u) % 2u) * 4u) + (r % 4u)), 5u);
  let add_2 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c];
  let pad = select(0.0, add_2, (((((((((((r * 16u) + c) / 256u) * 256u) + ((r % 16u) * 16u)) + c) / 512u) * 4u) + ((((r % 16u) * 16u) + c) / 64u)) <= 5u) && (((((((r * 16u) + c) / 256u) % 2u) * 4u) + (r % 4u)) <= 5u)));
  left[thread_id.x] = pad;
  let e = thread_id.x + 64u;
  let r_1 = m0 + (e / 16u);
  let c_3 = e % 16u;
  let c_4 = min((((((((((r_1 * 16u) + c_3) / 256u) * 256u) + ((r_1 % 16u) * 16u)) + c_3) / 512u) * 4u) + ((((r_1 % 16u) * 16u) + c_3) / 64u)), 5u);
  let c_5 = min(((((((r_1 * 16u) + c_3) / 256u) % 2u) * 4u) + (r_1 % 4u)), 5u);
  let add_3 = add_1[((c_4 * 96u) + (c_5 * 16u)) + c_3];
  let pad_1 = select(0.0, add_3, (((((((((((r_1 * 16u) + c_3) / 256u) * 256u) + ((r_1 % 16u) * 16u)) + c_3) / 512u) * 4u) + ((((r_1 % 16u) * 16u) + c_3) / 64u)) <= 5u) && (((((((r_1 * 16u) + c_3) / 256u) % 2u) * 4u) + (r_1 % 4u)) <= 5u)));
  left[e] = pad_1;
  let e_1 = thread_id.x + 128u;
  let r_2 = m0 + (e_1 / 16u);
  let c_6 = e_1 % 16u;
  let c_7 = min((((((((((r_2 * 16u) + c_6) / 256u) * 256u) + ((r_2 % 16u) * 16u)) + c_6) / 512u) * 4u) + ((((r_2 % 16u) * 16u) + c_6) / 64u)), 5u);
  let c_8 = min(((((((r_2 * 16u) + c_6) / 256u) % 2u) * 4u) + (r_2 % 4u)), 5u);
  let add_4 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_6];
  let pad_2 = select(0.0, add_4, (((((((((((r_2 * 16u) + c_6) / 256u) * 256u) + ((r_2 % 16u) * 16u)) + c_6) / 512u) * 4u) + ((((r_2 % 16u) * 16u) + c_6) / 64u)) <= 5u) && (((((((r_2 * 16u) + c_6) / 256u) % 2u) * 4u) + (r_2 % 4u)) <= 5u)));
  left[e_1] = pad_2;
  let e_2 = thread_id.x + 192u;
  let r_3 = m0 + (e_2 / 16u);
  let c_9 = e_2 % 16u;
  let c_10 = min((((((((((r_3 * 16u) + c_9) / 256u) * 256u) + ((r_3 % 16u) * 16u)) + c_9) / 512u) * 4u) + ((((r_3 % 16u) * 16u) + c_9) / 64u)), 5u);
  let c_11 = min(((((((r_3 * 16u) + c_9) / 256u) % 2u) * 4u) + (r_3 % 4u)), 5u);
  let add_5 = add_1[((c_10 * 96u) + (c_11 * 16u)) + c_9];
  let pad_3 = select(0.0, add_5, (((((((((((r_3 * 16u) + c_9) / 256u) * 256u) + ((r_3 % 16u) * 16u)) + c_9) / 512u) * 4u) + ((((r_3 % 16u) * 16u) + c_9) / 64u)) <= 5u) && (((((((r_3 * 16u) + c_9) / 256u) % 2u) * 4u) + (r_3 % 4u)) <= 5u)));
  left[e_2] = pad_3;
  let e_3 = thread_id.x + 256u;
  let r_4 = m0 + (e_3 / 16u);
  let c_12 = e_3 % 16u;
  let c_13 = min((((((((((r_4 * 16u) + c_12) / 256u) * 256u) + ((r_4 % 16u) * 16u)) + c_12) / 512u) * 4u) + ((((r_4 % 16u) * 16u) + c_12) / 64u)), 5u);
  let c_14 = min(((((((r_4 * 16u) + c_12) / 256u) % 2u) * 4u) + (r_4 % 4u)), 5u);
  let add_6 = add_1[((c_13 * 96u) + (c_14 * 16u)) + c_12];
  let pad_4 = select(0.0, add_6, (((((((((((r_4 * 16u) + c_12) / 256u) * 256u) + ((r_4 % 16u) * 16u)) + c_12) / 512u) * 4u) + ((((r_4 % 16u) * 16u) + c_12) / 64u)) <= 5u) && (((((((r_4 * 16u) + c_12) / 256u) % 2u) * 4u) + (r_4 % 4u)) <= 5u)));
  left[e_3] = pad_4;
  let e_4 = thread_id.x + 320u;
  let r_5 = m0 + (e_4 / 16u);
  let c_15 = e_4 % 16u;
  let c_16 = min((((((((((r_5 * 16u) + c_15) / 256u) * 256u) + ((r_5 % 16u) * 16u)) + c_15) / 512u) * 4u) + ((((r_5 % 16u) * 16u) + c_15) / 64u)), 5u);
  let c_17 = min(((((((r_5 * 16u) + c_15) / 256u) % 2u) * 4u) + (r_5 % 4u)), 5u);
  let add_7 = add_1[((c_16 * 96u) + (c_17 * 16u)) + c_15];
  let pad_5 = select(0.0, add_7, (((((((((((r_5 * 16u) + c_15) / 256u) * 256u) + ((r_5 % 16u) * 16u)) + c_15) / 512u) * 4u) + ((((r_5 % 16u) * 16u) + c_15) / 64u)) <= 5u) && (((((((r_5 * 16u) + c_15) / 256u) % 2u) * 4u) + (r_5 % 4u)) <= 5u)));
  left[e_4] = pad_5;
  let e_5 = thread_id.x + 384u;
  let r_6 = m0 + (e_5 / 16u);
  let c_18 = e_5 % 16u;
  let c_19 = min((((((((((r_6 * 16u) + c_18) / 256u) * 256u) + ((r_6 % 16u) * 16u)) + c_18) / 512u) * 4u) + ((((r_6 % 16u) * 16u) + c_18) / 64u)), 5u);
  let c_20 = min(((((((r_6 * 16u) + c_18) / 256u) % 2u) * 4u) + (r_6 % 4u)), 5u);
  let add_8 = add_1[((c_19 * 96u) + (c_20 * 16u)) + c_18];
  let pad_6 = select(0.0, add_8, (((((((((((r_6 * 16u) + c_18) / 256u) * 256u) + ((r_6 % 16u) * 16u)) + c_18) / 512u) * 4u) + ((((r_6 % 16u) * 16u) + c_18) / 64u)) <= 5u) && (((((((r_6 * 16u) + c_18) / 256u) % 2u) * 4u) + (r_6 % 4u)) <= 5u)));
  left[e_5] = pad_6;
  let e_6 = thread_id.x + 448u;
  let r_7 = m0 + (e_6 / 16u);
  let c_21 = e_6 % 16u;
  let c_22 = min((((((((((r_7 * 16u) + c_21) / 256u) * 256u) + ((r_7 % 16u) * 16u)) + c_21) / 512u) * 4u) + ((((r_7 % 16u) * 16u) + c_21) / 64u)), 5u);
  let c_23 = min(((((((r_7 * 16u) + c_21) / 256u) % 2u) * 4u) + (r_7 % 4u)), 5u);
  let add_9 = add_1[((c_22 * 96u) + (c_23 * 16u)) + c_21];
  let pad_7 = select(0.0, add_9, (((((((((((r_7 * 16u) + c_21) / 256u) * 256u) + ((r_7 % 16u) * 16u)) + c_21) / 512u) * 4u) + ((((r_7 % 16u) * 16u) + c_21) / 64u)) <= 5u) && (((((((r_7 * 16u) + c_21) / 256u) % 2u) * 4u) + (r_7 % 4u)) <= 5u)));
  left[e_6] = pad_7;
  let r_8 = thread_id.x / 32u;
  let c_24 = n0 + (thread_id.x % 32u);
  let i = min(c_24, 47u);
  let weight_1 = weight[(r_8 * 48u) + i];
  right[thread_id.x] = select(0.0, weight_1, (c_24 < 48u));
  let r_9 = e / 32u;
  let c_25 = n0 + (e % 32u);
  let i_1 = min(c_25, 47u);
  let weight_2 = weight[(r_9 * 48u) + i_1];
  right[e] = select(0.0, weight_2, (c_25 < 48u));
  let r_10 = e_1 / 32u;
  let c_26 = n0 + (e_1 % 32u);
  let i_2 = min(c_26, 47u);
  let weight_3 = weight[(r_10 * 48u) + i_2];
  right[e_1] = select(0.0, weight_3, (c_26 < 48u));
  let r_11 = e_2 / 32u;
  let c_27 = n0 + (e_2 % 32u);
  let i_3 = min(c_27, 47u);
  let weight_4 = weight[(r_11 * 48u) + i_3];
  right[e_2] = select(0.0, weight_4, (c_27 < 48u));
  let r_12 = e_3 / 32u;
  let c_28 = n0 + (e_3 % 32u);
  let i_4 = min(c_28, 47u);
  let weight_5 = weight[(r_12 * 48u) + i_4];
  right[e_3] = select(0.0, weight_5, (c_28 < 48u));
  let r_13 = e_4 / 32u;
  let c_29 = n0 + (e_4 % 32u);
  let i_5 = min(c_29, 47u);
  let weight_6 = weight[(r_13 * 48u) + i_5];
  right[e_4] = select(0.0, weight_6, (c_29 < 48u));
  let r_14 = e_5 / 32u;
  let c_30 = n0 + (e_5 % 32u);
  let i_6 = min(c_30, 47u);
  let weight_7 = weight[(r_14 * 48u) + i_6];
  right[e_5] = select(0.0, weight_7, (c_30 < 48u));
  let r_15 = e_6 / 32u;
  let c_31 = n0 + (e_6 % 32u);
  let i_7 = min(c_31, 47u);
  let weight_8 = weight[(r_15 * 48u) + i_7];
  right[e_6] = select(0.0, weight_8, (c_31 < 48u));
  workgroupBarrier();
  for (var quarter = 0u; quarter < 4u * one; quarter++) {
    let a = left[(row * 64u) + (quarter * 4u)];
    let a_1 = left[((row * 64u) + (quarter * 4u)) + 16u];
    let a_2 = left[((row * 64u) + (quarter * 4u)) + 32u];
    let a_3 = left[((row * 64u) + (quarter * 4u)) + 48u];
    let b = right[(quarter * 128u) + (col * 4u)];
    let b_1 = right[((quarter * 128u) + (col * 4u)) + 1u];
    let b_2 = right[((quarter * 128u) + (col * 4u)) + 2u];
    let b_3 = right[((quarter * 128u) + (col * 4u)) + 3u];
    sum_ = fma(a, b, sum_);
    sum_1 = fma(a, b_1, sum_1);
    sum_2 = fma(a, b_2, sum_2);
    sum_3 = fma(a, b_3, sum_3);
    sum_4 = fma(a_1, b, sum_4);
    sum_5 = fma(a_1, b_1, sum_5);
    sum_6 = fma(a_1, b_2, sum_6);
    sum_7 = fma(a_1, b_3, sum_7);
    sum_8 = fma(a_2, b, sum_8);
    sum_9 = fma(a_2, b_1, sum_9);
    sum_10 = fma(a_2, b_2, sum_10);
    sum_11 = fma(a_2, b_3, sum_11);
    sum_12 = fma(a_3, b, sum_12);
    sum_13 = fma(a_3, b_1, sum_13);
    sum_14 = fma(a_3, b_2, sum_14);
    sum_15 = fma(a_3, b_3, sum_15);
    let a_4 = left[((row * 64u) + (quarter * 4u)) + 1u];
    let a_5 = left[((row * 64u) + (quarter * 4u)) + 17u];
    let a_6 = left[((row * 64u) + (quarter * 4u)) + 33u];
    let a_7 = left[((row * 64u) + (quarter * 4u)) + 49u];
    let b_4 = right[((quarter * 128u) + (col * 4u)) + 32u];
    let b_5 = right[((quarter * 128u) + (col * 4u)) + 33u];
    let b_6 = right[((quarter * 128u) + (col * 4u)) + 34u];
    let b_7 = right[((quarter * 128u) + (col * 4u)) + 35u];
    sum_ = fma(a_4, b_4, sum_);
    sum_1 = fma(a_4, b_5, sum_1);
    sum_2 = fma(a_4, b_6, sum_2);
    sum_3 = fma(a_4, b_7, sum_3);
    sum_4 = fma(a_5, b_4, sum_4);
    sum_5 = fma(a_5, b_5, sum_5);
    sum_6 = fma(a_5, b_6, sum_6);
    sum_7 = fma(a_5, b_7, sum_7);
    sum_8 = fma(a_6, b_4, sum_8);
    sum_9 = fma(a_6, b_5, sum_9);
    sum_10 = fma(a_6, b_6, sum_10);
    sum_11 = fma(a_6, b_7, sum_11);
    sum_12 = fma(a_7, b_4, sum_12);
    sum_13 = fma(a_7, b_5, sum_13);
    sum_14 = fma(a_7, b_6, sum_14);
    sum_15 = fma(a_7, b_7, sum_15);
    let a_8 = left[((row * 64u) + (quarter * 4u)) + 2u];
    let a_9 = left[((row * 64u) + (quarter * 4u)) + 18u];
    let a_10 = left[((row * 64u) + (quarter * 4u)) + 34u];
    let a_11 = left[((row * 64u) + (quarter * 4u)) + 50u];
    let b_8 = right[((quarter * 128u) + (col * 4u)) + 64u];
    let b_9 = right[((quarter * 128u) + (col * 4u)) + 65u];
    let b_10 = right[((quarter * 128u) + (col * 4u)) + 66u];
    let b_11 = right[((quarter * 128u) + (col * 4u)) + 67u];
    sum_ = fma(a_8, b_8, sum_);
    sum_1 = fma(a_8, b_9, sum_1);
    sum_2 = fma(a_8, b_10, sum_2);
    sum_3 = fma(a_8, b_11, sum_3);
    sum_4 = fma(a_9, b_8, sum_4);
    sum_5 = fma(a_9, b_9, sum_5);
    sum_6 = fma(a_9, b_10, sum_6);
    sum_7 = fma(a_9, b_11, sum_7);
    sum_8 = fma(a_10, b_8, sum_8);
    sum_9 = fma(a_10, b_9, sum_9);
    sum_10 = fma(a_10, b_10, sum_10);
    sum_11 = fma(a_10, b_11, sum_11);
    sum_12 = fma(a_11, b_8, sum_12);
    sum_13 = fma(a_11, b_9, sum_13);
    sum_14 = fma(a_11, b_10, sum_14);
    sum_15 = fma(a_11, b_11, sum_15);
    let a_12 = left[((row * 64u) + (quarter * 4u)) + 3u];
    let a_13 = left[((row * 64u) + (quarter * 4u)) + 19u];
    let a_14 = left[((row * 64u) + (quarter * 4u)) + 35u];
    let a_15 = left[((row * 64u) + (quarter * 4u)) + 51u];
    let b_12 = right[((quarter * 128u) + (col * 4u)) + 96u];
    let b_13 = right[((quarter * 128u) + (col * 4u)) + 97u];
    let b_14 = right[((quarter * 128u) + (col * 4u)) + 98u];
    let b_15 = right[((quarter * 128u) + (col * 4u)) + 99u];
    sum_ = fma(a_12, b_12, sum_);
    sum_1 = fma(a_12, b_13, sum_1);
    sum_2 = fma(a_12, b_14, sum_2);
    sum_3 = fma(a_12, b_15, sum_3);
    sum_4 = fma(a_13, b_12, sum_4);
    sum_5 = fma(a_13, b_13, sum_5);
    sum_6 = fma(a_13, b_14, sum_6);
    sum_7 = fma(a_13, b_15, sum_7);
    sum_8 = fma(a_14, b_12, sum_8);
    sum_9 = fma(a_14, b_13, sum_9);
    sum_10 = fma(a_14, b_14, sum_10);
    sum_11 = fma(a_14, b_15, sum_11);
    sum_12 = fma(a_15, b_12, sum_12);
    sum_13 = fma(a_15, b_13, sum_13);
    sum_14 = fma(a_15, b_14, sum_14);
    sum_15 = fma(a_15, b_15, sum_15);
  }
  held[0u] = sum_;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  held[4u] = sum_4;
  held[5u] = sum_5;
  held[6u] = sum_6;
  held[7u] = sum_7;
  held[8u] = sum_8;
  held[9u] = sum_9;
  held[10u] = sum_10;
  held[11u] = sum_11;
  held[12u] = sum_12;
  held[13u] = sum_13;
  held[14u] = sum_14;
  held[15u] = sum_15;
  for (var i_8 = 0u; i_8 < 16u * one; i_8++) {
    let m = (m0 + (row * 4u)) + (i_8 / 4u);
    let n = (n0 + (col * 4u)) + (i_8 % 4u);
    if (n < 48u) {
      let value = held[i_8];
      let bias_1 = bias[n];
      let add_10 = value + bias_1;
      add[(m * 48u) + n] = add_10;
    }
  }
}

// attention: step 2
@group(0) @binding(0) var<storage, read_write> reshape: array<f32>;
@group(0) @binding(1) var<storage, read> rel_pos_h: array<f32>;
@group(0) @binding(2) var<storage, read> rel_pos_w: array<f32>;
@group(0) @binding(3) var<storage, read_write> add: array<f32>;
var<workgroup> keys: array<f32, 32>;
var<workgroup> values: array<f32, 32>;

@compute @workgroup_size(16, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var own: array<f32, 8>;
  var sums: array<f32, 8>;
  var columns: array<f32, 4>;
  var scores: array<f32, 4>;
  let i = ((group_id.z * 768u) + (thread_id.x * 48u)) + (group_id.y * 8u);
  for (var d = 0u; d < 8u * one; d++) {
    let add_1 = add[i + d];
    own[d] = add_1;
  }
  for (var d_1 = 0u; d_1 < 8u * one; d_1++) {
    sums[d_1] = 0.0;
  }
  let column = thread_id.x % 4u;
  for (var x = 0u; x < 4u * one; x++) {
    let at = (column + 3u) - x;
    var dot = 0.0;
    let i_1 = at * 8u;
    for (var d_2 = 0u; d_2 < 8u * one; d_2++) {
      let rel_pos_w_1 = rel_pos_w[i_1 + d_2];
      dot = fma(own[d_2], rel_pos_w_1, dot);
    }
    columns[x] = dot;
  }
  var most = -1e+30;
  var total = 0.0;
  let i_4 = (group_id.z * 768u) + (group_id.y * 8u);
  for (var y = 0u; y < 4u * one; y++) {
    let at_1 = ((thread_id.x / 4u) + 3u) - y;
    var dot_1 = 0.0;
    let i_2 = at_1 * 8u;
    for (var d_3 = 0u; d_3 < 8u * one; d_3++) {
      let rel_pos_h_1 = rel_pos_h[i_2 + d_3];
      dot_1 = fma(own[d_3], rel_pos_h_1, dot_1);
    }
    let down = dot_1;
    for (var part = 0u; part < 2u * one; part++) {
      let e = (part * 16u) + thread_id.x;
      let key = (y * 4u) + (e / 8u);
      let i_3 = e % 8u;
      let add_2 = add[((i_4 + (key * 48u)) + i_3) + 16u];
      keys[e] = add_2;
    }
    for (var part_1 = 0u; part_1 < 2u * one; part_1++) {
      let e_1 = (part_1 * 16u) + thread_id.x;
      let key_1 = (y * 4u) + (e_1 / 8u);
      let i_5 = e_1 % 8u;
      let add_3 = add[((i_4 + (key_1 * 48u)) + i_5) + 32u];
      values[e_1] = add_3;
    }
    workgroupBarrier();
    var high = most;
    for (var j = 0u; j < 4u * one; j++) {
      var dot_2 = 0.0;
      for (var d_4 = 0u; d_4 < 8u * one; d_4++) {
        dot_2 = fma(own[d_4], keys[(j * 8u) + d_4], dot_2);
      }
      let score = ((dot_2 * 0.35355338) + down) + columns[j];
      scores[j] = score;
      high = max(high, score);
    }
    let shrink = exp((most - high));
    total = total * shrink;
    for (var d_5 = 0u; d_5 < 8u * one; d_5++) {
      sums[d_5] = sums[d_5] * shrink;
    }
    for (var j_1 = 0u; j_1 < 4u * one; j_1++) {
      let weight = exp((scores[j_1] - high));
      total = total + weight;
      for (var d_6 = 0u; d_6 < 8u * one; d_6++) {
        sums[d_6] = fma(weight, values[(j_1 * 8u) + d_6], sums[d_6]);
      }
    }
    most = high;
    workgroupBarrier();
  }
  let inverse = 1.0 / total;
  for (var d_7 = 0u; d_7 < 8u * one; d_7++) {
    let value = sums[d_7] * inverse;
    reshape[(((group_id.z * 256u) + (thread_id.x * 16u)) + (group_id.y * 8u)) + d_7] = value;
  }
}

// matmul_add: step 3
@group(0) @binding(0) var<storage, read_write> add: array<f32>;
@group(0) @binding(1) var<storage, read_write> reshape: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 256>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 8>;
  let row = thread_id.x / 8u;
  let col = thread_id.x % 8u;
  let m0 = group_id.y * 32u;
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  var sum_4 = 0.0;
  var sum_5 = 0.0;
  var sum_6 = 0.0;
  var sum_7 = 0.0;
  let r = m0 + (thread_id.x / 16u);
  let c = thread_id.x % 16u;
  let reshape_1 = reshape[(r * 16u) + c];
  left[thread_id.x] = reshape_1;
  let e = thread_id.x + 64u;
  let r_1 = m0 + (e / 16u);
  let c_1 = e % 16u;
  let reshape_2 = reshape[(r_1 * 16u) + c_1];
  left[e] = reshape_2;
  let e_1 = thread_id.x + 128u;
  let r_2 = m0 + (e_1 / 16u);
  let c_2 = e_1 % 16u;
  let reshape_3 = reshape[(r_2 * 16u) + c_2];
  left[e_1] = reshape_3;
  let e_2 = thread_id.x + 192u;
  let r_3 = m0 + (e_2 / 16u);
  let c_3 = e_2 % 16u;
  let reshape_4 = reshape[(r_3 * 16u) + c_3];
  left[e_2] = reshape_4;
  let e_3 = thread_id.x + 256u;
  let r_4 = m0 + (e_3 / 16u);
  let c_4 = e_3 % 16u;
  let reshape_5 = reshape[(r_4 * 16u) + c_4];
  left[e_3] = reshape_5;
  let e_4 = thread_id.x + 320u;
  let r_5 = m0 + (e_4 / 16u);
  let c_5 = e_4 % 16u;
  let reshape_6 = reshape[(r_5 * 16u) + c_5];
  left[e_4] = reshape_6;
  let e_5 = thread_id.x + 384u;
  let r_6 = m0 + (e_5 / 16u);
  let c_6 = e_5 % 16u;
  let reshape_7 = reshape[(r_6 * 16u) + c_6];
  left[e_5] = reshape_7;
  let e_6 = thread_id.x + 448u;
  let r_7 = m0 + (e_6 / 16u);
  let c_7 = e_6 % 16u;
  let reshape_8 = reshape[(r_7 * 16u) + c_7];
  left[e_6] = reshape_8;
  let r_8 = thread_id.x / 16u;
  let weight_1 = weight[(r_8 * 16u) + c];
  right[thread_id.x] = weight_1;
  let r_9 = e / 16u;
  let weight_2 = weight[(r_9 * 16u) + c_1];
  right[e] = weight_2;
  let r_10 = e_1 / 16u;
  let weight_3 = weight[(r_10 * 16u) + c_2];
  right[e_1] = weight_3;
  let r_11 = e_2 / 16u;
  let weight_4 = weight[(r_11 * 16u) + c_3];
  right[e_2] = weight_4;
  workgroupBarrier();
  for (var quarter = 0u; quarter < 4u * one; quarter++) {
    let a = left[(row * 64u) + (quarter * 4u)];
    let a_1 = left[((row * 64u) + (quarter * 4u)) + 16u];
    let a_2 = left[((row * 64u) + (quarter * 4u)) + 32u];
    let a_3 = left[((row * 64u) + (quarter * 4u)) + 48u];
    let b = right[(quarter * 64u) + (col * 2u)];
    let b_1 = right[((quarter * 64u) + (col * 2u)) + 1u];
    sum_ = fma(a, b, sum_);
    sum_1 = fma(a, b_1, sum_1);
    sum_2 = fma(a_1, b, sum_2);
    sum_3 = fma(a_1, b_1, sum_3);
    sum_4 = fma(a_2, b, sum_4);
    sum_5 = fma(a_2, b_1, sum_5);
    sum_6 = fma(a_3, b, sum_6);
    sum_7 = fma(a_3, b_1, sum_7);
    let a_4 = left[((row * 64u) + (quarter * 4u)) + 1u];
    let a_5 = left[((row * 64u) + (quarter * 4u)) + 17u];
    let a_6 = left[((row * 64u) + (quarter * 4u)) + 33u];
    let a_7 = left[((row * 64u) + (quarter * 4u)) + 49u];
    let b_2 = right[((quarter * 64u) + (col * 2u)) + 16u];
    let b_3 = right[((quarter * 64u) + (col * 2u)) + 17u];
    sum_ = fma(a_4, b_2, sum_);
    sum_1 = fma(a_4, b_3, sum_1);
    sum_2 = fma(a_5, b_2, sum_2);
    sum_3 = fma(a_5, b_3, sum_3);
    sum_4 = fma(a_6, b_2, sum_4);
    sum_5 = fma(a_6, b_3, sum_5);
    sum_6 = fma(a_7, b_2, sum_6);
    sum_7 = fma(a_7, b_3, sum_7);
    let a_8 = left[((row * 64u) + (quarter * 4u)) + 2u];
    let a_9 = left[((row * 64u) + (quarter * 4u)) + 18u];
    let a_10 = left[((row * 64u) + (quarter * 4u)) + 34u];
    let a_11 = left[((row * 64u) + (quarter * 4u)) + 50u];
    let b_4 = right[((quarter * 64u) + (col * 2u)) + 32u];
    let b_5 = right[((quarter * 64u) + (col * 2u)) + 33u];
    sum_ = fma(a_8, b_4, sum_);
    sum_1 = fma(a_8, b_5, sum_1);
    sum_2 = fma(a_9, b_4, sum_2);
    sum_3 = fma(a_9, b_5, sum_3);
    sum_4 = fma(a_10, b_4, sum_4);
    sum_5 = fma(a_10, b_5, sum_5);
    sum_6 = fma(a_11, b_4, sum_6);
    sum_7 = fma(a_11, b_5, sum_7);
    let a_12 = left[((row * 64u) + (quarter * 4u)) + 3u];
    let a_13 = left[((row * 64u) + (quarter * 4u)) + 19u];
    let a_14 = left[((row * 64u) + (quarter * 4u)) + 35u];
    let a_15 = left[((row * 64u) + (quarter * 4u)) + 51u];
    let b_6 = right[((quarter * 64u) + (col * 2u)) + 48u];
    let b_7 = right[((quarter * 64u) + (col * 2u)) + 49u];
    sum_ = fma(a_12, b_6, sum_);
    sum_1 = fma(a_12, b_7, sum_1);
    sum_2 = fma(a_13, b_6, sum_2);
    sum_3 = fma(a_13, b_7, sum_3);
    sum_4 = fma(a_14, b_6, sum_4);
    sum_5 = fma(a_14, b_7, sum_5);
    sum_6 = fma(a_15, b_6, sum_6);
    sum_7 = fma(a_15, b_7, sum_7);
  }
  held[0u] = sum_;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  held[4u] = sum_4;
  held[5u] = sum_5;
  held[6u] = sum_6;
  held[7u] = sum_7;
  for (var i = 0u; i < 8u * one; i++) {
    let m = (m0 + (row * 4u)) + (i / 2u);
    let n = (col * 2u) + (i % 2u);
    let value = held[i];
    let i_1 = min((((((m * 16u) + n) / 512u) * 4u) + ((((m * 16u) + n) / 64u) % 4u)), 5u);
    let i_2 = min(((((((m * 16u) + n) / 256u) % 2u) * 4u) + (m % 4u)), 5u);
    let i_3 = ((i_1 * 96u) + (i_2 * 16u)) + n;
    if (((((((m * 16u) + n) / 512u) * 4u) + ((((m * 16u) + n) / 64u) % 4u)) <= 5u) && (((((((m * 16u) + n) / 256u) % 2u) * 4u) + (m % 4u)) <= 5u)) {
      let x_1 = x[i_3];
      let add_1 = x_1 + value;
      add[((min((((((m * 16u) + n) / 512u) * 4u) + ((((m * 16u) + n) / 64u) % 4u)), 5u) * 96u) + (min(((((((m * 16u) + n) / 256u) % 2u) * 4u) + (m % 4u)), 5u) * 16u)) + n] = add_1;
    }
  }
}
