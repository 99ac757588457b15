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
var<workgroup> left: array<vec4<f32>, 320>;
var<workgroup> right: array<vec4<f32>, 16>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 4>;
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  let r = thread_id.x / 4u;
  let c = thread_id.x % 4u;
  let c_1 = min((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  let c_2 = ((((r * 64u) + (c * 4u)) / 256u) % 2u) * 4u;
  let c_3 = c * 4u;
  let add_2 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_3];
  let pad = select(0.0, add_2, ((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u));
  let c_4 = min((((((((((((r * 64u) + (c * 4u)) + 1u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  let c_5 = (((((r * 64u) + (c * 4u)) + 1u) / 256u) % 2u) * 4u;
  let c_6 = (c * 4u) + 1u;
  let add_3 = add_1[((c_4 * 96u) + (c_5 * 16u)) + c_6];
  let pad_1 = select(0.0, add_3, ((((((((((((r * 64u) + (c * 4u)) + 1u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u));
  let c_7 = min((((((((((((r * 64u) + (c * 4u)) + 2u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  let c_8 = (((((r * 64u) + (c * 4u)) + 2u) / 256u) % 2u) * 4u;
  let c_9 = (c * 4u) + 2u;
  let add_4 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_9];
  let pad_2 = select(0.0, add_4, ((((((((((((r * 64u) + (c * 4u)) + 2u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u));
  let c_10 = min((((((((((((r * 64u) + (c * 4u)) + 3u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  let c_11 = (((((r * 64u) + (c * 4u)) + 3u) / 256u) % 2u) * 4u;
  let c_12 = (c * 4u) + 3u;
  let add_5 = add_1[((c_10 * 96u) + (c_11 * 16u)) + c_12];
  let pad_3 = select(0.0, add_5, ((((((((((((r * 64u) + (c * 4u)) + 3u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u));
  let c_13 = min(((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  let c_14 = ((((((r * 64u) + (c * 4u)) + 16u) / 256u) % 2u) * 4u) + 1u;
  let add_6 = add_1[((c_13 * 96u) + (c_14 * 16u)) + c_3];
  let pad_4 = select(0.0, add_6, (((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u));
  let c_15 = min((((((((((((r * 64u) + (c * 4u)) + 17u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  let c_16 = ((((((r * 64u) + (c * 4u)) + 17u) / 256u) % 2u) * 4u) + 1u;
  let add_7 = add_1[((c_15 * 96u) + (c_16 * 16u)) + c_6];
  let pad_5 = select(0.0, add_7, ((((((((((((r * 64u) + (c * 4u)) + 17u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u));
  let c_17 = min((((((((((((r * 64u) + (c * 4u)) + 18u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  let c_18 = ((((((r * 64u) + (c * 4u)) + 18u) / 256u) % 2u) * 4u) + 1u;
  let add_8 = add_1[((c_17 * 96u) + (c_18 * 16u)) + c_9];
  let pad_6 = select(0.0, add_8, ((((((((((((r * 64u) + (c * 4u)) + 18u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u));
  let c_19 = min((((((((((((r * 64u) + (c * 4u)) + 19u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  let c_20 = ((((((r * 64u) + (c * 4u)) + 19u) / 256u) % 2u) * 4u) + 1u;
  let add_9 = add_1[((c_19 * 96u) + (c_20 * 16u)) + c_12];
  let pad_7 = select(0.0, add_9, ((((((((((((r * 64u) + (c * 4u)) + 19u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u));
  let c_21 = min(((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  let c_22 = min((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u), 5u);
  let add_10 = add_1[((c_21 * 96u) + (c_22 * 16u)) + c_3];
  let pad_8 = select(0.0, add_10, ((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u) <= 5u)));
  let c_23 = min((((((((((((r * 64u) + (c * 4u)) + 33u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  let c_24 = min((((((((r * 64u) + (c * 4u)) + 33u) / 256u) % 2u) * 4u) + 2u), 5u);
  let add_11 = add_1[((c_23 * 96u) + (c_24 * 16u)) + c_6];
  let pad_9 = select(0.0, add_11, (((((((((((((r * 64u) + (c * 4u)) + 33u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 33u) / 256u) % 2u) * 4u) + 2u) <= 5u)));
  let c_25 = min((((((((((((r * 64u) + (c * 4u)) + 34u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  let c_26 = min((((((((r * 64u) + (c * 4u)) + 34u) / 256u) % 2u) * 4u) + 2u), 5u);
  let add_12 = add_1[((c_25 * 96u) + (c_26 * 16u)) + c_9];
  let pad_10 = select(0.0, add_12, (((((((((((((r * 64u) + (c * 4u)) + 34u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 34u) / 256u) % 2u) * 4u) + 2u) <= 5u)));
  let c_27 = min((((((((((((r * 64u) + (c * 4u)) + 35u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  let c_28 = min((((((((r * 64u) + (c * 4u)) + 35u) / 256u) % 2u) * 4u) + 2u), 5u);
  let add_13 = add_1[((c_27 * 96u) + (c_28 * 16u)) + c_12];
  let pad_11 = select(0.0, add_13, (((((((((((((r * 64u) + (c * 4u)) + 35u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 35u) / 256u) % 2u) * 4u) + 2u) <= 5u)));
  let c_29 = min(((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  let c_30 = min((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u), 5u);
  let add_14 = add_1[((c_29 * 96u) + (c_30 * 16u)) + c_3];
  let pad_12 = select(0.0, add_14, ((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u) <= 5u)));
  let c_31 = min((((((((((((r * 64u) + (c * 4u)) + 49u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  let c_32 = min((((((((r * 64u) + (c * 4u)) + 49u) / 256u) % 2u) * 4u) + 3u), 5u);
  let add_15 = add_1[((c_31 * 96u) + (c_32 * 16u)) + c_6];
  let pad_13 = select(0.0, add_15, (((((((((((((r * 64u) + (c * 4u)) + 49u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 49u) / 256u) % 2u) * 4u) + 3u) <= 5u)));
  let c_33 = min((((((((((((r * 64u) + (c * 4u)) + 50u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  let c_34 = min((((((((r * 64u) + (c * 4u)) + 50u) / 256u) % 2u) * 4u) + 3u), 5u);
  let add_16 = add_1[((c_33 * 96u) + (c_34 * 16u)) + c_9];
  let pad_14 = select(0.0, add_16, (((((((((((((r * 64u) + (c * 4u)) + 50u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 50u) / 256u) % 2u) * 4u) + 3u) <= 5u)));
  let c_35 = min((((((((((((r * 64u) + (c * 4u)) + 51u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  let c_36 = min((((((((r * 64u) + (c * 4u)) + 51u) / 256u) % 2u) * 4u) + 3u), 5u);
  let add_17 = add_1[((c_35 * 96u) + (c_36 * 16u)) + c_12];
  let pad_15 = select(0.0, add_17, (((((((((((((r * 64u) + (c * 4u)) + 51u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 51u) / 256u) % 2u) * 4u) + 3u) <= 5u)));
  left[(r * 20u) + c] = vec4<f32>(pad, pad_1, pad_2, pad_3);
  left[((r * 20u) + c) + 5u] = vec4<f32>(pad_4, pad_5, pad_6, pad_7);
  left[((r * 20u) + c) + 10u] = vec4<f32>(pad_8, pad_9, pad_10, pad_11);
  left[((r * 20u) + c) + 15u] = vec4<f32>(pad_12, pad_13, pad_14, pad_15);
  let i = (thread_id.x * 192u) + (group_id.x * 4u);
  if (thread_id.x < 4u) {
    let weight_1_4 = weight[i / 4u];
    let weight_1 = weight_1_4.x;
    let weight_2 = weight_1_4.y;
    let weight_3 = weight_1_4.z;
    let weight_4 = weight_1_4.w;
    let weight_5_4 = weight[(i + 48u) / 4u];
    let weight_5 = weight_5_4.x;
    let weight_6 = weight_5_4.y;
    let weight_7 = weight_5_4.z;
    let weight_8 = weight_5_4.w;
    let weight_9_4 = weight[(i + 96u) / 4u];
    let weight_9 = weight_9_4.x;
    let weight_10 = weight_9_4.y;
    let weight_11 = weight_9_4.z;
    let weight_12 = weight_9_4.w;
    let weight_13_4 = weight[(i + 144u) / 4u];
    let weight_13 = weight_13_4.x;
    let weight_14 = weight_13_4.y;
    let weight_15 = weight_13_4.z;
    let weight_16 = weight_13_4.w;
    right[thread_id.x * 4u] = vec4<f32>(weight_1, weight_2, weight_3, weight_4);
    right[(thread_id.x * 4u) + 1u] = vec4<f32>(weight_5, weight_6, weight_7, weight_8);
    right[(thread_id.x * 4u) + 2u] = vec4<f32>(weight_9, weight_10, weight_11, weight_12);
    right[(thread_id.x * 4u) + 3u] = vec4<f32>(weight_13, weight_14, weight_15, weight_16);
  }
  workgroupBarrier();
  for (var quad = 0u; quad < 4u * one; quad++) {
    let left_1_4 = left[(thread_id.x * 5u) + quad];
    let left_1 = left_1_4.x;
    let left_2 = left_1_4.y;
    let left_3 = left_1_4.z;
    let left_4 = left_1_4.w;
    let right_1_4 = right[quad * 4u];
    let right_1 = right_1_4.x;
    let right_2 = right_1_4.y;
    let right_3 = right_1_4.z;
    let right_4 = right_1_4.w;
    sum_ = fma(left_1, right_1, sum_);
    sum_1 = fma(left_1, right_2, sum_1);
    sum_2 = fma(left_1, right_3, sum_2);
    sum_3 = fma(left_1, right_4, sum_3);
    let right_5_4 = right[(quad * 4u) + 1u];
    let right_5 = right_5_4.x;
    let right_6 = right_5_4.y;
    let right_7 = right_5_4.z;
    let right_8 = right_5_4.w;
    sum_ = fma(left_2, right_5, sum_);
    sum_1 = fma(left_2, right_6, sum_1);
    sum_2 = fma(left_2, right_7, sum_2);
    sum_3 = fma(left_2, right_8, sum_3);
    let right_9_4 = right[(quad * 4u) + 2u];
    let right_9 = right_9_4.x;
    let right_10 = right_9_4.y;
    let right_11 = right_9_4.z;
    let right_12 = right_9_4.w;
    sum_ = fma(left_3, right_9, sum_);
    sum_1 = fma(left_3, right_10, sum_1);
    sum_2 = fma(left_3, right_11, sum_2);
    sum_3 = fma(left_3, right_12, sum_3);
    let right_13_4 = right[(quad * 4u) + 3u];
    let right_13 = right_13_4.x;
    let right_14 = right_13_4.y;
    let right_15 = right_13_4.z;
    let right_16 = right_13_4.w;
    sum_ = fma(left_4, right_13, sum_);
    sum_1 = fma(left_4, right_14, sum_1);
    sum_2 = fma(left_4, right_15, sum_2);
    sum_3 = fma(left_4, right_16, sum_3);
  }
  held[0u] = sum_;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  for (var i_1 = 0u; i_1 < 4u * one; i_1++) {
    let n = (group_id.x * 4u) + i_1;
    let value = held[i_1];
    let bias_1 = bias[n];
    let add_18 = value + bias_1;
    add[(thread_id.x * 48u) + n] = add_18;
  }
}

// attention: step 2
@group(0) @binding(0) var<storage, read_write> reshape: array<f32>;
@group(0) @binding(1) var<storage, read> rel_pos_h: array<f32>;
@group(0) @binding(2) var<storage, read> rel_pos_w: array<f32>;
@group(0) @binding(3) var<storage, read_write> add: array<f32>;
var<workgroup> keys: array<f32, 32>;
var<workgroup> values: array<f32, 32>;

fn float_of(bits: u32) -> f32 { return bitcast<f32>(bits); }

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
  var most = float_of(0xff800000u);
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
      scores[j] = ((dot_2 * 0.35355338) + down) + columns[j];
      high = max(high, scores[j]);
    }
    let level = max(high, (-340282346638528859811704183484516925440.0));
    let shrink = exp((most - level));
    total = total * shrink;
    for (var d_5 = 0u; d_5 < 8u * one; d_5++) {
      sums[d_5] = sums[d_5] * shrink;
    }
    for (var j_1 = 0u; j_1 < 4u * one; j_1++) {
      let weight = exp((scores[j_1] - level));
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
@group(0) @binding(1) var<storage, read_write> reshape: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
var<workgroup> left: array<vec4<f32>, 320>;
var<workgroup> right: array<vec4<f32>, 16>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  var held: array<f32, 4>;
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  let r = thread_id.x / 4u;
  let c = thread_id.x % 4u;
  let reshape_1_4 = reshape[((r * 64u) + (c * 4u)) / 4u];
  let reshape_1 = reshape_1_4.x;
  let reshape_2 = reshape_1_4.y;
  let reshape_3 = reshape_1_4.z;
  let reshape_4 = reshape_1_4.w;
  let reshape_5_4 = reshape[(((r * 64u) + (c * 4u)) + 16u) / 4u];
  let reshape_5 = reshape_5_4.x;
  let reshape_6 = reshape_5_4.y;
  let reshape_7 = reshape_5_4.z;
  let reshape_8 = reshape_5_4.w;
  let reshape_9_4 = reshape[(((r * 64u) + (c * 4u)) + 32u) / 4u];
  let reshape_9 = reshape_9_4.x;
  let reshape_10 = reshape_9_4.y;
  let reshape_11 = reshape_9_4.z;
  let reshape_12 = reshape_9_4.w;
  let reshape_13_4 = reshape[(((r * 64u) + (c * 4u)) + 48u) / 4u];
  let reshape_13 = reshape_13_4.x;
  let reshape_14 = reshape_13_4.y;
  let reshape_15 = reshape_13_4.z;
  let reshape_16 = reshape_13_4.w;
  left[(r * 20u) + c] = vec4<f32>(reshape_1, reshape_2, reshape_3, reshape_4);
  left[((r * 20u) + c) + 5u] = vec4<f32>(reshape_5, reshape_6, reshape_7, reshape_8);
  left[((r * 20u) + c) + 10u] = vec4<f32>(reshape_9, reshape_10, reshape_11, reshape_12);
  left[((r * 20u) + c) + 15u] = vec4<f32>(reshape_13, reshape_14, reshape_15, reshape_16);
  let i = (thread_id.x * 64u) + (group_id.x * 4u);
  if (thread_id.x < 4u) {
    let weight_1_4 = weight[i / 4u];
    let weight_1 = weight_1_4.x;
    let weight_2 = weight_1_4.y;
    let weight_3 = weight_1_4.z;
    let weight_4 = weight_1_4.w;
    let weight_5_4 = weight[(i + 16u) / 4u];
    let weight_5 = weight_5_4.x;
    let weight_6 = weight_5_4.y;
    let weight_7 = weight_5_4.z;
    let weight_8 = weight_5_4.w;
    let weight_9_4 = weight[(i + 32u) / 4u];
    let weight_9 = weight_9_4.x;
    let weight_10 = weight_9_4.y;
    let weight_11 = weight_9_4.z;
    let weight_12 = weight_9_4.w;
    let weight_13_4 = weight[(i + 48u) / 4u];
    let weight_13 = weight_13_4.x;
    let weight_14 = weight_13_4.y;
    let weight_15 = weight_13_4.z;
    let weight_16 = weight_13_4.w;
    right[thread_id.x * 4u] = vec4<f32>(weight_1, weight_2, weight_3, weight_4);
    right[(thread_id.x * 4u) + 1u] = vec4<f32>(weight_5, weight_6, weight_7, weight_8);
    right[(thread_id.x * 4u) + 2u] = vec4<f32>(weight_9, weight_10, weight_11, weight_12);
    right[(thread_id.x * 4u) + 3u] = vec4<f32>(weight_13, weight_14, weight_15, weight_16);
  }
  workgroupBarrier();
  for (var quad = 0u; quad < 4u * one; quad++) {
    let left_1_4 = left[(thread_id.x * 5u) + quad];
    let left_1 = left_1_4.x;
    let left_2 = left_1_4.y;
    let left_3 = left_1_4.z;
    let left_4 = left_1_4.w;
    let right_1_4 = right[quad * 4u];
    let right_1 = right_1_4.x;
    let right_2 = right_1_4.y;
    let right_3 = right_1_4.z;
    let right_4 = right_1_4.w;
    sum_ = fma(left_1, right_1, sum_);
    sum_1 = fma(left_1, right_2, sum_1);
    sum_2 = fma(left_1, right_3, sum_2);
    sum_3 = fma(left_1, right_4, sum_3);
    let right_5_4 = right[(quad * 4u) + 1u];
    let right_5 = right_5_4.x;
    let right_6 = right_5_4.y;
    let right_7 = right_5_4.z;
    let right_8 = right_5_4.w;
    sum_ = fma(left_2, right_5, sum_);
    sum_1 = fma(left_2, right_6, sum_1);
    sum_2 = fma(left_2, right_7, sum_2);
    sum_3 = fma(left_2, right_8, sum_3);
    let right_9_4 = right[(quad * 4u) + 2u];
    let right_9 = right_9_4.x;
    let right_10 = right_9_4.y;
    let right_11 = right_9_4.z;
    let right_12 = right_9_4.w;
    sum_ = fma(left_3, right_9, sum_);
    sum_1 = fma(left_3, right_10, sum_1);
    sum_2 = fma(left_3, right_11, sum_2);
    sum_3 = fma(left_3, right_12, sum_3);
    let right_13_4 = right[(quad * 4u) + 3u];
    let right_13 = right_13_4.x;
    let right_14 = right_13_4.y;
    let right_15 = right_13_4.z;
    let right_16 = right_13_4.w;
    sum_ = fma(left_4, right_13, sum_);
    sum_1 = fma(left_4, right_14, sum_1);
    sum_2 = fma(left_4, right_15, sum_2);
    sum_3 = fma(left_4, right_16, sum_3);
  }
  held[0u] = sum_;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  for (var i_1 = 0u; i_1 < 4u * one; i_1++) {
    let n = (group_id.x * 4u) + i_1;
    let value = held[i_1];
    let i_2 = min((((((thread_id.x * 16u) + n) / 512u) * 4u) + ((((thread_id.x * 16u) + n) / 64u) % 4u)), 5u);
    let i_3 = min(((((((thread_id.x * 16u) + n) / 256u) % 2u) * 4u) + (thread_id.x % 4u)), 5u);
    let i_4 = ((i_2 * 96u) + (i_3 * 16u)) + n;
    if (((((((thread_id.x * 16u) + n) / 512u) * 4u) + ((((thread_id.x * 16u) + n) / 64u) % 4u)) <= 5u) && (((((((thread_id.x * 16u) + n) / 256u) % 2u) * 4u) + (thread_id.x % 4u)) <= 5u)) {
      let x_1 = x[i_4];
      let add_1 = x_1 + value;
      add[((min((((((thread_id.x * 16u) + n) / 512u) * 4u) + ((((thread_id.x * 16u) + n) / 64u) % 4u)), 5u) * 96u) + (min(((((((thread_id.x * 16u) + n) / 256u) % 2u) * 4u) + (thread_id.x % 4u)), 5u) * 16u)) + n] = add_1;
    }
  }
}
