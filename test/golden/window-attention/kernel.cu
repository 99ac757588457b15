// normalize_mul_add: step 0
extern "C" __global__ void __launch_bounds__(64) normalize_mul_add(
    float* __restrict__ add,
    const float* __restrict__ x,
    const float* __restrict__ weight,
    const float* __restrict__ bias) {
  const unsigned line = min(threadIdx.x, 35u);
  const unsigned at = line / 6u;
  const unsigned at_1 = line % 6u;
  float held = 0.0f;
  const unsigned i = (at * 96u) + (at_1 * 16u);
  if (threadIdx.x < 36u) {
    const float x_1 = x[i];
    held = x_1;
  }
  float held_1 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_2 = x[i + 1u];
    held_1 = x_2;
  }
  float held_2 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_3 = x[i + 2u];
    held_2 = x_3;
  }
  float held_3 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_4 = x[i + 3u];
    held_3 = x_4;
  }
  float held_4 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_5 = x[i + 4u];
    held_4 = x_5;
  }
  float held_5 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_6 = x[i + 5u];
    held_5 = x_6;
  }
  float held_6 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_7 = x[i + 6u];
    held_6 = x_7;
  }
  float held_7 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_8 = x[i + 7u];
    held_7 = x_8;
  }
  float held_8 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_9 = x[i + 8u];
    held_8 = x_9;
  }
  float held_9 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_10 = x[i + 9u];
    held_9 = x_10;
  }
  float held_10 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_11 = x[i + 10u];
    held_10 = x_11;
  }
  float held_11 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_12 = x[i + 11u];
    held_11 = x_12;
  }
  float held_12 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_13 = x[i + 12u];
    held_12 = x_13;
  }
  float held_13 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_14 = x[i + 13u];
    held_13 = x_14;
  }
  float held_14 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_15 = x[i + 14u];
    held_14 = x_15;
  }
  float held_15 = 0.0f;
  if (threadIdx.x < 36u) {
    const float x_16 = x[i + 15u];
    held_15 = x_16;
  }
  float sum = 0.0f;
  if (threadIdx.x < 36u) {
    sum = sum + held;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_1;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_2;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_3;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_4;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_5;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_6;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_7;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_8;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_9;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_10;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_11;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_12;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_13;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_14;
  }
  if (threadIdx.x < 36u) {
    sum = sum + held_15;
  }
  const float center = sum * 0.0625f;
  float squares = 0.0f;
  if (threadIdx.x < 36u) {
    const float away = held - center;
    squares = fmaf(away, away, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_1 = held_1 - center;
    squares = fmaf(away_1, away_1, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_2 = held_2 - center;
    squares = fmaf(away_2, away_2, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_3 = held_3 - center;
    squares = fmaf(away_3, away_3, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_4 = held_4 - center;
    squares = fmaf(away_4, away_4, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_5 = held_5 - center;
    squares = fmaf(away_5, away_5, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_6 = held_6 - center;
    squares = fmaf(away_6, away_6, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_7 = held_7 - center;
    squares = fmaf(away_7, away_7, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_8 = held_8 - center;
    squares = fmaf(away_8, away_8, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_9 = held_9 - center;
    squares = fmaf(away_9, away_9, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_10 = held_10 - center;
    squares = fmaf(away_10, away_10, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_11 = held_11 - center;
    squares = fmaf(away_11, away_11, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_12 = held_12 - center;
    squares = fmaf(away_12, away_12, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_13 = held_13 - center;
    squares = fmaf(away_13, away_13, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_14 = held_14 - center;
    squares = fmaf(away_14, away_14, squares);
  }
  if (threadIdx.x < 36u) {
    const float away_15 = held_15 - center;
    squares = fmaf(away_15, away_15, squares);
  }
  const float scale = 1.0f / sqrtf(((squares * 0.0625f) + 0.00001f));
  if (threadIdx.x < 36u) {
    const float value = (held - center) * scale;
    const float weight_1 = weight[0u];
    const float mul = value * weight_1;
    const float bias_1 = bias[0u];
    const float add_1 = mul + bias_1;
    add[(at * 96u) + (at_1 * 16u)] = add_1;
  }
  if (threadIdx.x < 36u) {
    const float value_1 = (held_1 - center) * scale;
    const float weight_2 = weight[1u];
    const float mul_1 = value_1 * weight_2;
    const float bias_2 = bias[1u];
    const float add_2 = mul_1 + bias_2;
    add[((at * 96u) + (at_1 * 16u)) + 1u] = add_2;
  }
  if (threadIdx.x < 36u) {
    const float value_2 = (held_2 - center) * scale;
    const float weight_3 = weight[2u];
    const float mul_2 = value_2 * weight_3;
    const float bias_3 = bias[2u];
    const float add_3 = mul_2 + bias_3;
    add[((at * 96u) + (at_1 * 16u)) + 2u] = add_3;
  }
  if (threadIdx.x < 36u) {
    const float value_3 = (held_3 - center) * scale;
    const float weight_4 = weight[3u];
    const float mul_3 = value_3 * weight_4;
    const float bias_4 = bias[3u];
    const float add_4 = mul_3 + bias_4;
    add[((at * 96u) + (at_1 * 16u)) + 3u] = add_4;
  }
  if (threadIdx.x < 36u) {
    const float value_4 = (held_4 - center) * scale;
    const float weight_5 = weight[4u];
    const float mul_4 = value_4 * weight_5;
    const float bias_5 = bias[4u];
    const float add_5 = mul_4 + bias_5;
    add[((at * 96u) + (at_1 * 16u)) + 4u] = add_5;
  }
  if (threadIdx.x < 36u) {
    const float value_5 = (held_5 - center) * scale;
    const float weight_6 = weight[5u];
    const float mul_5 = value_5 * weight_6;
    const float bias_6 = bias[5u];
    const float add_6 = mul_5 + bias_6;
    add[((at * 96u) + (at_1 * 16u)) + 5u] = add_6;
  }
  if (threadIdx.x < 36u) {
    const float value_6 = (held_6 - center) * scale;
    const float weight_7 = weight[6u];
    const float mul_6 = value_6 * weight_7;
    const float bias_7 = bias[6u];
    const float add_7 = mul_6 + bias_7;
    add[((at * 96u) + (at_1 * 16u)) + 6u] = add_7;
  }
  if (threadIdx.x < 36u) {
    const float value_7 = (held_7 - center) * scale;
    const float weight_8 = weight[7u];
    const float mul_7 = value_7 * weight_8;
    const float bias_8 = bias[7u];
    const float add_8 = mul_7 + bias_8;
    add[((at * 96u) + (at_1 * 16u)) + 7u] = add_8;
  }
  if (threadIdx.x < 36u) {
    const float value_8 = (held_8 - center) * scale;
    const float weight_9 = weight[8u];
    const float mul_8 = value_8 * weight_9;
    const float bias_9 = bias[8u];
    const float add_9 = mul_8 + bias_9;
    add[((at * 96u) + (at_1 * 16u)) + 8u] = add_9;
  }
  if (threadIdx.x < 36u) {
    const float value_9 = (held_9 - center) * scale;
    const float weight_10 = weight[9u];
    const float mul_9 = value_9 * weight_10;
    const float bias_10 = bias[9u];
    const float add_10 = mul_9 + bias_10;
    add[((at * 96u) + (at_1 * 16u)) + 9u] = add_10;
  }
  if (threadIdx.x < 36u) {
    const float value_10 = (held_10 - center) * scale;
    const float weight_11 = weight[10u];
    const float mul_10 = value_10 * weight_11;
    const float bias_11 = bias[10u];
    const float add_11 = mul_10 + bias_11;
    add[((at * 96u) + (at_1 * 16u)) + 10u] = add_11;
  }
  if (threadIdx.x < 36u) {
    const float value_11 = (held_11 - center) * scale;
    const float weight_12 = weight[11u];
    const float mul_11 = value_11 * weight_12;
    const float bias_12 = bias[11u];
    const float add_12 = mul_11 + bias_12;
    add[((at * 96u) + (at_1 * 16u)) + 11u] = add_12;
  }
  if (threadIdx.x < 36u) {
    const float value_12 = (held_12 - center) * scale;
    const float weight_13 = weight[12u];
    const float mul_12 = value_12 * weight_13;
    const float bias_13 = bias[12u];
    const float add_13 = mul_12 + bias_13;
    add[((at * 96u) + (at_1 * 16u)) + 12u] = add_13;
  }
  if (threadIdx.x < 36u) {
    const float value_13 = (held_13 - center) * scale;
    const float weight_14 = weight[13u];
    const float mul_13 = value_13 * weight_14;
    const float bias_14 = bias[13u];
    const float add_14 = mul_13 + bias_14;
    add[((at * 96u) + (at_1 * 16u)) + 13u] = add_14;
  }
  if (threadIdx.x < 36u) {
    const float value_14 = (held_14 - center) * scale;
    const float weight_15 = weight[14u];
    const float mul_14 = value_14 * weight_15;
    const float bias_15 = bias[14u];
    const float add_15 = mul_14 + bias_15;
    add[((at * 96u) + (at_1 * 16u)) + 14u] = add_15;
  }
  if (threadIdx.x < 36u) {
    const float value_15 = (held_15 - center) * scale;
    const float weight_16 = weight[15u];
    const float mul_15 = value_15 * weight_16;
    const float bias_16 = bias[15u];
    const float add_16 = mul_15 + bias_16;
    add[((at * 96u) + (at_1 * 16u)) + 15u] = add_16;
  }
}

// matmul_add: step 1
extern "C" __global__ void __launch_bounds__(64) matmul_add(
    float* __restrict__ add,
    const float* __restrict__ weight,
    const float* __restrict__ add_1,
    const float* __restrict__ bias) {
  __shared__ float left[512];
  __shared__ float right[512];
  float held[16];
  const unsigned row = threadIdx.x / 8u;
  const unsigned col = threadIdx.x % 8u;
  const unsigned m0 = blockIdx.y * 32u;
  const unsigned n0 = blockIdx.x * 32u;
  float sum = 0.0f;
  float sum_1 = 0.0f;
  float sum_2 = 0.0f;
  float sum_3 = 0.0f;
  float sum_4 = 0.0f;
  float sum_5 = 0.0f;
  float sum_6 = 0.0f;
  float sum_7 = 0.0f;
  float sum_8 = 0.0f;
  float sum_9 = 0.0f;
  float sum_10 = 0.0f;
  float sum_11 = 0.0f;
  float sum_12 = 0.0f;
  float sum_13 = 0.0f;
  float sum_14 = 0.0f;
  float sum_15 = 0.0f;
  const unsigned r = m0 + (threadIdx.x / 16u);
  const unsigned c = threadIdx.x % 16u;
  const unsigned c_1 = min((((((((((r * 16u) + c) / 256u) * 256u) + ((r % 16u) * 16u)) + c) / 512u) * 4u) + ((((r % 16u) * 16u) + c) / 64u)), 5u);
  const unsigned c_2 = min(((((((r * 16u) + c) / 256u) % 2u) * 4u) + (r % 4u)), 5u);
  const float add_2 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c];
  const float pad = (((((((((((r * 16u) + c) / 256u) * 256u) + ((r % 16u) * 16u)) + c) / 512u) * 4u) + ((((r % 16u) * 16u) + c) / 64u)) <= 5u) && (((((((r * 16u) + c) / 256u) % 2u) * 4u) + (r % 4u)) <= 5u)) ? add_2 : 0.0f;
  left[threadIdx.x] = pad;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = m0 + (e / 16u);
  const unsigned c_3 = e % 16u;
  const unsigned c_4 = min((((((((((r_1 * 16u) + c_3) / 256u) * 256u) + ((r_1 % 16u) * 16u)) + c_3) / 512u) * 4u) + ((((r_1 % 16u) * 16u) + c_3) / 64u)), 5u);
  const unsigned c_5 = min(((((((r_1 * 16u) + c_3) / 256u) % 2u) * 4u) + (r_1 % 4u)), 5u);
  const float add_3 = add_1[((c_4 * 96u) + (c_5 * 16u)) + c_3];
  const float pad_1 = (((((((((((r_1 * 16u) + c_3) / 256u) * 256u) + ((r_1 % 16u) * 16u)) + c_3) / 512u) * 4u) + ((((r_1 % 16u) * 16u) + c_3) / 64u)) <= 5u) && (((((((r_1 * 16u) + c_3) / 256u) % 2u) * 4u) + (r_1 % 4u)) <= 5u)) ? add_3 : 0.0f;
  left[e] = pad_1;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = m0 + (e_1 / 16u);
  const unsigned c_6 = e_1 % 16u;
  const unsigned c_7 = min((((((((((r_2 * 16u) + c_6) / 256u) * 256u) + ((r_2 % 16u) * 16u)) + c_6) / 512u) * 4u) + ((((r_2 % 16u) * 16u) + c_6) / 64u)), 5u);
  const unsigned c_8 = min(((((((r_2 * 16u) + c_6) / 256u) % 2u) * 4u) + (r_2 % 4u)), 5u);
  const float add_4 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_6];
  const float pad_2 = (((((((((((r_2 * 16u) + c_6) / 256u) * 256u) + ((r_2 % 16u) * 16u)) + c_6) / 512u) * 4u) + ((((r_2 % 16u) * 16u) + c_6) / 64u)) <= 5u) && (((((((r_2 * 16u) + c_6) / 256u) % 2u) * 4u) + (r_2 % 4u)) <= 5u)) ? add_4 : 0.0f;
  left[e_1] = pad_2;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = m0 + (e_2 / 16u);
  const unsigned c_9 = e_2 % 16u;
  const unsigned c_10 = min((((((((((r_3 * 16u) + c_9) / 256u) * 256u) + ((r_3 % 16u) * 16u)) + c_9) / 512u) * 4u) + ((((r_3 % 16u) * 16u) + c_9) / 64u)), 5u);
  const unsigned c_11 = min(((((((r_3 * 16u) + c_9) / 256u) % 2u) * 4u) + (r_3 % 4u)), 5u);
  const float add_5 = add_1[((c_10 * 96u) + (c_11 * 16u)) + c_9];
  const float pad_3 = (((((((((((r_3 * 16u) + c_9) / 256u) * 256u) + ((r_3 % 16u) * 16u)) + c_9) / 512u) * 4u) + ((((r_3 % 16u) * 16u) + c_9) / 64u)) <= 5u) && (((((((r_3 * 16u) + c_9) / 256u) % 2u) * 4u) + (r_3 % 4u)) <= 5u)) ? add_5 : 0.0f;
  left[e_2] = pad_3;
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned r_4 = m0 + (e_3 / 16u);
  const unsigned c_12 = e_3 % 16u;
  const unsigned c_13 = min((((((((((r_4 * 16u) + c_12) / 256u) * 256u) + ((r_4 % 16u) * 16u)) + c_12) / 512u) * 4u) + ((((r_4 % 16u) * 16u) + c_12) / 64u)), 5u);
  const unsigned c_14 = min(((((((r_4 * 16u) + c_12) / 256u) % 2u) * 4u) + (r_4 % 4u)), 5u);
  const float add_6 = add_1[((c_13 * 96u) + (c_14 * 16u)) + c_12];
  const float pad_4 = (((((((((((r_4 * 16u) + c_12) / 256u) * 256u) + ((r_4 % 16u) * 16u)) + c_12) / 512u) * 4u) + ((((r_4 % 16u) * 16u) + c_12) / 64u)) <= 5u) && (((((((r_4 * 16u) + c_12) / 256u) % 2u) * 4u) + (r_4 % 4u)) <= 5u)) ? add_6 : 0.0f;
  left[e_3] = pad_4;
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned r_5 = m0 + (e_4 / 16u);
  const unsigned c_15 = e_4 % 16u;
  const unsigned c_16 = min((((((((((r_5 * 16u) + c_15) / 256u) * 256u) + ((r_5 % 16u) * 16u)) + c_15) / 512u) * 4u) + ((((r_5 % 16u) * 16u) + c_15) / 64u)), 5u);
  const unsigned c_17 = min(((((((r_5 * 16u) + c_15) / 256u) % 2u) * 4u) + (r_5 % 4u)), 5u);
  const float add_7 = add_1[((c_16 * 96u) + (c_17 * 16u)) + c_15];
  const float pad_5 = (((((((((((r_5 * 16u) + c_15) / 256u) * 256u) + ((r_5 % 16u) * 16u)) + c_15) / 512u) * 4u) + ((((r_5 % 16u) * 16u) + c_15) / 64u)) <= 5u) && (((((((r_5 * 16u) + c_15) / 256u) % 2u) * 4u) + (r_5 % 4u)) <= 5u)) ? add_7 : 0.0f;
  left[e_4] = pad_5;
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned r_6 = m0 + (e_5 / 16u);
  const unsigned c_18 = e_5 % 16u;
  const unsigned c_19 = min((((((((((r_6 * 16u) + c_18) / 256u) * 256u) + ((r_6 % 16u) * 16u)) + c_18) / 512u) * 4u) + ((((r_6 % 16u) * 16u) + c_18) / 64u)), 5u);
  const unsigned c_20 = min(((((((r_6 * 16u) + c_18) / 256u) % 2u) * 4u) + (r_6 % 4u)), 5u);
  const float add_8 = add_1[((c_19 * 96u) + (c_20 * 16u)) + c_18];
  const float pad_6 = (((((((((((r_6 * 16u) + c_18) / 256u) * 256u) + ((r_6 % 16u) * 16u)) + c_18) / 512u) * 4u) + ((((r_6 % 16u) * 16u) + c_18) / 64u)) <= 5u) && (((((((r_6 * 16u) + c_18) / 256u) % 2u) * 4u) + (r_6 % 4u)) <= 5u)) ? add_8 : 0.0f;
  left[e_5] = pad_6;
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned r_7 = m0 + (e_6 / 16u);
  const unsigned c_21 = e_6 % 16u;
  const unsigned c_22 = min((((((((((r_7 * 16u) + c_21) / 256u) * 256u) + ((r_7 % 16u) * 16u)) + c_21) / 512u) * 4u) + ((((r_7 % 16u) * 16u) + c_21) / 64u)), 5u);
  const unsigned c_23 = min(((((((r_7 * 16u) + c_21) / 256u) % 2u) * 4u) + (r_7 % 4u)), 5u);
  const float add_9 = add_1[((c_22 * 96u) + (c_23 * 16u)) + c_21];
  const float pad_7 = (((((((((((r_7 * 16u) + c_21) / 256u) * 256u) + ((r_7 % 16u) * 16u)) + c_21) / 512u) * 4u) + ((((r_7 % 16u) * 16u) + c_21) / 64u)) <= 5u) && (((((((r_7 * 16u) + c_21) / 256u) % 2u) * 4u) + (r_7 % 4u)) <= 5u)) ? add_9 : 0.0f;
  left[e_6] = pad_7;
  const unsigned r_8 = threadIdx.x / 32u;
  const unsigned c_24 = n0 + (threadIdx.x % 32u);
  const unsigned i = min(c_24, 47u);
  const float weight_1 = weight[(r_8 * 48u) + i];
  right[threadIdx.x] = (c_24 < 48u) ? weight_1 : 0.0f;
  const unsigned r_9 = e / 32u;
  const unsigned c_25 = n0 + (e % 32u);
  const unsigned i_1 = min(c_25, 47u);
  const float weight_2 = weight[(r_9 * 48u) + i_1];
  right[e] = (c_25 < 48u) ? weight_2 : 0.0f;
  const unsigned r_10 = e_1 / 32u;
  const unsigned c_26 = n0 + (e_1 % 32u);
  const unsigned i_2 = min(c_26, 47u);
  const float weight_3 = weight[(r_10 * 48u) + i_2];
  right[e_1] = (c_26 < 48u) ? weight_3 : 0.0f;
  const unsigned r_11 = e_2 / 32u;
  const unsigned c_27 = n0 + (e_2 % 32u);
  const unsigned i_3 = min(c_27, 47u);
  const float weight_4 = weight[(r_11 * 48u) + i_3];
  right[e_2] = (c_27 < 48u) ? weight_4 : 0.0f;
  const unsigned r_12 = e_3 / 32u;
  const unsigned c_28 = n0 + (e_3 % 32u);
  const unsigned i_4 = min(c_28, 47u);
  const float weight_5 = weight[(r_12 * 48u) + i_4];
  right[e_3] = (c_28 < 48u) ? weight_5 : 0.0f;
  const unsigned r_13 = e_4 / 32u;
  const unsigned c_29 = n0 + (e_4 % 32u);
  const unsigned i_5 = min(c_29, 47u);
  const float weight_6 = weight[(r_13 * 48u) + i_5];
  right[e_4] = (c_29 < 48u) ? weight_6 : 0.0f;
  const unsigned r_14 = e_5 / 32u;
  const unsigned c_30 = n0 + (e_5 % 32u);
  const unsigned i_6 = min(c_30, 47u);
  const float weight_7 = weight[(r_14 * 48u) + i_6];
  right[e_5] = (c_30 < 48u) ? weight_7 : 0.0f;
  const unsigned r_15 = e_6 / 32u;
  const unsigned c_31 = n0 + (e_6 % 32u);
  const unsigned i_7 = min(c_31, 47u);
  const float weight_8 = weight[(r_15 * 48u) + i_7];
  right[e_6] = (c_31 < 48u) ? weight_8 : 0.0f;
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quarter = 0u; quarter < 4u; ++quarter) {
    const float a = left[(row * 64u) + (quarter * 4u)];
    const float a_1 = left[((row * 64u) + (quarter * 4u)) + 16u];
    const float a_2 = left[((row * 64u) + (quarter * 4u)) + 32u];
    const float a_3 = left[((row * 64u) + (quarter * 4u)) + 48u];
    const float b = right[(quarter * 128u) + (col * 4u)];
    const float b_1 = right[((quarter * 128u) + (col * 4u)) + 1u];
    const float b_2 = right[((quarter * 128u) + (col * 4u)) + 2u];
    const float b_3 = right[((quarter * 128u) + (col * 4u)) + 3u];
    sum = fmaf(a, b, sum);
    sum_1 = fmaf(a, b_1, sum_1);
    sum_2 = fmaf(a, b_2, sum_2);
    sum_3 = fmaf(a, b_3, sum_3);
    sum_4 = fmaf(a_1, b, sum_4);
    sum_5 = fmaf(a_1, b_1, sum_5);
    sum_6 = fmaf(a_1, b_2, sum_6);
    sum_7 = fmaf(a_1, b_3, sum_7);
    sum_8 = fmaf(a_2, b, sum_8);
    sum_9 = fmaf(a_2, b_1, sum_9);
    sum_10 = fmaf(a_2, b_2, sum_10);
    sum_11 = fmaf(a_2, b_3, sum_11);
    sum_12 = fmaf(a_3, b, sum_12);
    sum_13 = fmaf(a_3, b_1, sum_13);
    sum_14 = fmaf(a_3, b_2, sum_14);
    sum_15 = fmaf(a_3, b_3, sum_15);
    const float a_4 = left[((row * 64u) + (quarter * 4u)) + 1u];
    const float a_5 = left[((row * 64u) + (quarter * 4u)) + 17u];
    const float a_6 = left[((row * 64u) + (quarter * 4u)) + 33u];
    const float a_7 = left[((row * 64u) + (quarter * 4u)) + 49u];
    const float b_4 = right[((quarter * 128u) + (col * 4u)) + 32u];
    const float b_5 = right[((quarter * 128u) + (col * 4u)) + 33u];
    const float b_6 = right[((quarter * 128u) + (col * 4u)) + 34u];
    const float b_7 = right[((quarter * 128u) + (col * 4u)) + 35u];
    sum = fmaf(a_4, b_4, sum);
    sum_1 = fmaf(a_4, b_5, sum_1);
    sum_2 = fmaf(a_4, b_6, sum_2);
    sum_3 = fmaf(a_4, b_7, sum_3);
    sum_4 = fmaf(a_5, b_4, sum_4);
    sum_5 = fmaf(a_5, b_5, sum_5);
    sum_6 = fmaf(a_5, b_6, sum_6);
    sum_7 = fmaf(a_5, b_7, sum_7);
    sum_8 = fmaf(a_6, b_4, sum_8);
    sum_9 = fmaf(a_6, b_5, sum_9);
    sum_10 = fmaf(a_6, b_6, sum_10);
    sum_11 = fmaf(a_6, b_7, sum_11);
    sum_12 = fmaf(a_7, b_4, sum_12);
    sum_13 = fmaf(a_7, b_5, sum_13);
    sum_14 = fmaf(a_7, b_6, sum_14);
    sum_15 = fmaf(a_7, b_7, sum_15);
    const float a_8 = left[((row * 64u) + (quarter * 4u)) + 2u];
    const float a_9 = left[((row * 64u) + (quarter * 4u)) + 18u];
    const float a_10 = left[((row * 64u) + (quarter * 4u)) + 34u];
    const float a_11 = left[((row * 64u) + (quarter * 4u)) + 50u];
    const float b_8 = right[((quarter * 128u) + (col * 4u)) + 64u];
    const float b_9 = right[((quarter * 128u) + (col * 4u)) + 65u];
    const float b_10 = right[((quarter * 128u) + (col * 4u)) + 66u];
    const float b_11 = right[((quarter * 128u) + (col * 4u)) + 67u];
    sum = fmaf(a_8, b_8, sum);
    sum_1 = fmaf(a_8, b_9, sum_1);
    sum_2 = fmaf(a_8, b_10, sum_2);
    sum_3 = fmaf(a_8, b_11, sum_3);
    sum_4 = fmaf(a_9, b_8, sum_4);
    sum_5 = fmaf(a_9, b_9, sum_5);
    sum_6 = fmaf(a_9, b_10, sum_6);
    sum_7 = fmaf(a_9, b_11, sum_7);
    sum_8 = fmaf(a_10, b_8, sum_8);
    sum_9 = fmaf(a_10, b_9, sum_9);
    sum_10 = fmaf(a_10, b_10, sum_10);
    sum_11 = fmaf(a_10, b_11, sum_11);
    sum_12 = fmaf(a_11, b_8, sum_12);
    sum_13 = fmaf(a_11, b_9, sum_13);
    sum_14 = fmaf(a_11, b_10, sum_14);
    sum_15 = fmaf(a_11, b_11, sum_15);
    const float a_12 = left[((row * 64u) + (quarter * 4u)) + 3u];
    const float a_13 = left[((row * 64u) + (quarter * 4u)) + 19u];
    const float a_14 = left[((row * 64u) + (quarter * 4u)) + 35u];
    const float a_15 = left[((row * 64u) + (quarter * 4u)) + 51u];
    const float b_12 = right[((quarter * 128u) + (col * 4u)) + 96u];
    const float b_13 = right[((quarter * 128u) + (col * 4u)) + 97u];
    const float b_14 = right[((quarter * 128u) + (col * 4u)) + 98u];
    const float b_15 = right[((quarter * 128u) + (col * 4u)) + 99u];
    sum = fmaf(a_12, b_12, sum);
    sum_1 = fmaf(a_12, b_13, sum_1);
    sum_2 = fmaf(a_12, b_14, sum_2);
    sum_3 = fmaf(a_12, b_15, sum_3);
    sum_4 = fmaf(a_13, b_12, sum_4);
    sum_5 = fmaf(a_13, b_13, sum_5);
    sum_6 = fmaf(a_13, b_14, sum_6);
    sum_7 = fmaf(a_13, b_15, sum_7);
    sum_8 = fmaf(a_14, b_12, sum_8);
    sum_9 = fmaf(a_14, b_13, sum_9);
    sum_10 = fmaf(a_14, b_14, sum_10);
    sum_11 = fmaf(a_14, b_15, sum_11);
    sum_12 = fmaf(a_15, b_12, sum_12);
    sum_13 = fmaf(a_15, b_13, sum_13);
    sum_14 = fmaf(a_15, b_14, sum_14);
    sum_15 = fmaf(a_15, b_15, sum_15);
  }
  held[0u] = sum;
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
  _Pragma("unroll 1") for (unsigned i_8 = 0u; i_8 < 16u; ++i_8) {
    const unsigned m = (m0 + (row * 4u)) + (i_8 / 4u);
    const unsigned n = (n0 + (col * 4u)) + (i_8 % 4u);
    if (n < 48u) {
      const float value = held[i_8];
      const float bias_1 = bias[n];
      const float add_10 = value + bias_1;
      add[(m * 48u) + n] = add_10;
    }
  }
}

// attention: step 2
extern "C" __global__ void __launch_bounds__(16) attention(
    float* __restrict__ reshape,
    const float* __restrict__ rel_pos_h,
    const float* __restrict__ rel_pos_w,
    const float* __restrict__ add) {
  float own[8];
  float sums[8];
  float columns[4];
  __shared__ float keys[32];
  __shared__ float values[32];
  float scores[4];
  const unsigned i = ((blockIdx.z * 768u) + (threadIdx.x * 48u)) + (blockIdx.y * 8u);
  _Pragma("unroll 1") for (unsigned d = 0u; d < 8u; ++d) {
    const float add_1 = add[i + d];
    own[d] = add_1;
  }
  _Pragma("unroll 1") for (unsigned d_1 = 0u; d_1 < 8u; ++d_1) {
    sums[d_1] = 0.0f;
  }
  const unsigned column = threadIdx.x % 4u;
  _Pragma("unroll 1") for (unsigned x = 0u; x < 4u; ++x) {
    const unsigned at = (column + 3u) - x;
    float dot = 0.0f;
    const unsigned i_1 = at * 8u;
    _Pragma("unroll 1") for (unsigned d_2 = 0u; d_2 < 8u; ++d_2) {
      const float rel_pos_w_1 = rel_pos_w[i_1 + d_2];
      dot = fmaf(own[d_2], rel_pos_w_1, dot);
    }
    columns[x] = dot;
  }
  float most = -1e+30f;
  float total = 0.0f;
  const unsigned i_4 = (blockIdx.z * 768u) + (blockIdx.y * 8u);
  _Pragma("unroll 1") for (unsigned y = 0u; y < 4u; ++y) {
    const unsigned at_1 = ((threadIdx.x / 4u) + 3u) - y;
    float dot_1 = 0.0f;
    const unsigned i_2 = at_1 * 8u;
    _Pragma("unroll 1") for (unsigned d_3 = 0u; d_3 < 8u; ++d_3) {
      const float rel_pos_h_1 = rel_pos_h[i_2 + d_3];
      dot_1 = fmaf(own[d_3], rel_pos_h_1, dot_1);
    }
    const float down = dot_1;
    _Pragma("unroll 1") for (unsigned part = 0u; part < 2u; ++part) {
      const unsigned e = (part * 16u) + threadIdx.x;
      const unsigned key = (y * 4u) + (e / 8u);
      const unsigned i_3 = e % 8u;
      const float add_2 = add[((i_4 + (key * 48u)) + i_3) + 16u];
      keys[e] = add_2;
    }
    _Pragma("unroll 1") for (unsigned part_1 = 0u; part_1 < 2u; ++part_1) {
      const unsigned e_1 = (part_1 * 16u) + threadIdx.x;
      const unsigned key_1 = (y * 4u) + (e_1 / 8u);
      const unsigned i_5 = e_1 % 8u;
      const float add_3 = add[((i_4 + (key_1 * 48u)) + i_5) + 32u];
      values[e_1] = add_3;
    }
    __syncthreads();
    float high = most;
    _Pragma("unroll 1") for (unsigned j = 0u; j < 4u; ++j) {
      float dot_2 = 0.0f;
      _Pragma("unroll 1") for (unsigned d_4 = 0u; d_4 < 8u; ++d_4) {
        dot_2 = fmaf(own[d_4], keys[(j * 8u) + d_4], dot_2);
      }
      const float score = ((dot_2 * 0.35355338f) + down) + columns[j];
      scores[j] = score;
      high = fmaxf(high, score);
    }
    const float shrink = expf((most - high));
    total = total * shrink;
    _Pragma("unroll 1") for (unsigned d_5 = 0u; d_5 < 8u; ++d_5) {
      sums[d_5] = sums[d_5] * shrink;
    }
    _Pragma("unroll 1") for (unsigned j_1 = 0u; j_1 < 4u; ++j_1) {
      const float weight = expf((scores[j_1] - high));
      total = total + weight;
      _Pragma("unroll 1") for (unsigned d_6 = 0u; d_6 < 8u; ++d_6) {
        sums[d_6] = fmaf(weight, values[(j_1 * 8u) + d_6], sums[d_6]);
      }
    }
    most = high;
    __syncthreads();
  }
  const float inverse = 1.0f / total;
  _Pragma("unroll 1") for (unsigned d_7 = 0u; d_7 < 8u; ++d_7) {
    const float value = sums[d_7] * inverse;
    reshape[(((blockIdx.z * 256u) + (threadIdx.x * 16u)) + (blockIdx.y * 8u)) + d_7] = value;
  }
}

// matmul_add: step 3
extern "C" __global__ void __launch_bounds__(64) matmul_add(
    float* __restrict__ add,
    const float* __restrict__ reshape,
    const float* __restrict__ weight,
    const float* __restrict__ x) {
  __shared__ float left[512];
  __shared__ float right[256];
  float held[8];
  const unsigned row = threadIdx.x / 8u;
  const unsigned col = threadIdx.x % 8u;
  const unsigned m0 = blockIdx.y * 32u;
  float sum = 0.0f;
  float sum_1 = 0.0f;
  float sum_2 = 0.0f;
  float sum_3 = 0.0f;
  float sum_4 = 0.0f;
  float sum_5 = 0.0f;
  float sum_6 = 0.0f;
  float sum_7 = 0.0f;
  const unsigned r = m0 + (threadIdx.x / 16u);
  const unsigned c = threadIdx.x % 16u;
  const float reshape_1 = reshape[(r * 16u) + c];
  left[threadIdx.x] = reshape_1;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = m0 + (e / 16u);
  const unsigned c_1 = e % 16u;
  const float reshape_2 = reshape[(r_1 * 16u) + c_1];
  left[e] = reshape_2;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = m0 + (e_1 / 16u);
  const unsigned c_2 = e_1 % 16u;
  const float reshape_3 = reshape[(r_2 * 16u) + c_2];
  left[e_1] = reshape_3;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = m0 + (e_2 / 16u);
  const unsigned c_3 = e_2 % 16u;
  const float reshape_4 = reshape[(r_3 * 16u) + c_3];
  left[e_2] = reshape_4;
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned r_4 = m0 + (e_3 / 16u);
  const unsigned c_4 = e_3 % 16u;
  const float reshape_5 = reshape[(r_4 * 16u) + c_4];
  left[e_3] = reshape_5;
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned r_5 = m0 + (e_4 / 16u);
  const unsigned c_5 = e_4 % 16u;
  const float reshape_6 = reshape[(r_5 * 16u) + c_5];
  left[e_4] = reshape_6;
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned r_6 = m0 + (e_5 / 16u);
  const unsigned c_6 = e_5 % 16u;
  const float reshape_7 = reshape[(r_6 * 16u) + c_6];
  left[e_5] = reshape_7;
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned r_7 = m0 + (e_6 / 16u);
  const unsigned c_7 = e_6 % 16u;
  const float reshape_8 = reshape[(r_7 * 16u) + c_7];
  left[e_6] = reshape_8;
  const unsigned r_8 = threadIdx.x / 16u;
  const float weight_1 = weight[(r_8 * 16u) + c];
  right[threadIdx.x] = weight_1;
  const unsigned r_9 = e / 16u;
  const float weight_2 = weight[(r_9 * 16u) + c_1];
  right[e] = weight_2;
  const unsigned r_10 = e_1 / 16u;
  const float weight_3 = weight[(r_10 * 16u) + c_2];
  right[e_1] = weight_3;
  const unsigned r_11 = e_2 / 16u;
  const float weight_4 = weight[(r_11 * 16u) + c_3];
  right[e_2] = weight_4;
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quarter = 0u; quarter < 4u; ++quarter) {
    const float a = left[(row * 64u) + (quarter * 4u)];
    const float a_1 = left[((row * 64u) + (quarter * 4u)) + 16u];
    const float a_2 = left[((row * 64u) + (quarter * 4u)) + 32u];
    const float a_3 = left[((row * 64u) + (quarter * 4u)) + 48u];
    const float b = right[(quarter * 64u) + (col * 2u)];
    const float b_1 = right[((quarter * 64u) + (col * 2u)) + 1u];
    sum = fmaf(a, b, sum);
    sum_1 = fmaf(a, b_1, sum_1);
    sum_2 = fmaf(a_1, b, sum_2);
    sum_3 = fmaf(a_1, b_1, sum_3);
    sum_4 = fmaf(a_2, b, sum_4);
    sum_5 = fmaf(a_2, b_1, sum_5);
    sum_6 = fmaf(a_3, b, sum_6);
    sum_7 = fmaf(a_3, b_1, sum_7);
    const float a_4 = left[((row * 64u) + (quarter * 4u)) + 1u];
    const float a_5 = left[((row * 64u) + (quarter * 4u)) + 17u];
    const float a_6 = left[((row * 64u) + (quarter * 4u)) + 33u];
    const float a_7 = left[((row * 64u) + (quarter * 4u)) + 49u];
    const float b_2 = right[((quarter * 64u) + (col * 2u)) + 16u];
    const float b_3 = right[((quarter * 64u) + (col * 2u)) + 17u];
    sum = fmaf(a_4, b_2, sum);
    sum_1 = fmaf(a_4, b_3, sum_1);
    sum_2 = fmaf(a_5, b_2, sum_2);
    sum_3 = fmaf(a_5, b_3, sum_3);
    sum_4 = fmaf(a_6, b_2, sum_4);
    sum_5 = fmaf(a_6, b_3, sum_5);
    sum_6 = fmaf(a_7, b_2, sum_6);
    sum_7 = fmaf(a_7, b_3, sum_7);
    const float a_8 = left[((row * 64u) + (quarter * 4u)) + 2u];
    const float a_9 = left[((row * 64u) + (quarter * 4u)) + 18u];
    const float a_10 = left[((row * 64u) + (quarter * 4u)) + 34u];
    const float a_11 = left[((row * 64u) + (quarter * 4u)) + 50u];
    const float b_4 = right[((quarter * 64u) + (col * 2u)) + 32u];
    const float b_5 = right[((quarter * 64u) + (col * 2u)) + 33u];
    sum = fmaf(a_8, b_4, sum);
    sum_1 = fmaf(a_8, b_5, sum_1);
    sum_2 = fmaf(a_9, b_4, sum_2);
    sum_3 = fmaf(a_9, b_5, sum_3);
    sum_4 = fmaf(a_10, b_4, sum_4);
    sum_5 = fmaf(a_10, b_5, sum_5);
    sum_6 = fmaf(a_11, b_4, sum_6);
    sum_7 = fmaf(a_11, b_5, sum_7);
    const float a_12 = left[((row * 64u) + (quarter * 4u)) + 3u];
    const float a_13 = left[((row * 64u) + (quarter * 4u)) + 19u];
    const float a_14 = left[((row * 64u) + (quarter * 4u)) + 35u];
    const float a_15 = left[((row * 64u) + (quarter * 4u)) + 51u];
    const float b_6 = right[((quarter * 64u) + (col * 2u)) + 48u];
    const float b_7 = right[((quarter * 64u) + (col * 2u)) + 49u];
    sum = fmaf(a_12, b_6, sum);
    sum_1 = fmaf(a_12, b_7, sum_1);
    sum_2 = fmaf(a_13, b_6, sum_2);
    sum_3 = fmaf(a_13, b_7, sum_3);
    sum_4 = fmaf(a_14, b_6, sum_4);
    sum_5 = fmaf(a_14, b_7, sum_5);
    sum_6 = fmaf(a_15, b_6, sum_6);
    sum_7 = fmaf(a_15, b_7, sum_7);
  }
  held[0u] = sum;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  held[4u] = sum_4;
  held[5u] = sum_5;
  held[6u] = sum_6;
  held[7u] = sum_7;
  _Pragma("unroll 1") for (unsigned i = 0u; i < 8u; ++i) {
    const unsigned m = (m0 + (row * 4u)) + (i / 2u);
    const unsigned n = (col * 2u) + (i % 2u);
    const float value = held[i];
    const unsigned i_1 = min((((((m * 16u) + n) / 512u) * 4u) + ((((m * 16u) + n) / 64u) % 4u)), 5u);
    const unsigned i_2 = min(((((((m * 16u) + n) / 256u) % 2u) * 4u) + (m % 4u)), 5u);
    const unsigned i_3 = ((i_1 * 96u) + (i_2 * 16u)) + n;
    if (((((((m * 16u) + n) / 512u) * 4u) + ((((m * 16u) + n) / 64u) % 4u)) <= 5u) && (((((((m * 16u) + n) / 256u) % 2u) * 4u) + (m % 4u)) <= 5u)) {
      const float x_1 = x[i_3];
      const float add_1 = x_1 + value;
      add[((min((((((m * 16u) + n) / 512u) * 4u) + ((((m * 16u) + n) / 64u) % 4u)), 5u) * 96u) + (min(((((((m * 16u) + n) / 256u) % 2u) * 4u) + (m % 4u)), 5u) * 16u)) + n] = add_1;
    }
  }
}
