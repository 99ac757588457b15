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
  __shared__ alignas(16) float left[1280];
  __shared__ alignas(16) float right[64];
  float held[4];
  float sum = 0.0f;
  float sum_1 = 0.0f;
  float sum_2 = 0.0f;
  float sum_3 = 0.0f;
  const unsigned r = threadIdx.x / 4u;
  const unsigned c = threadIdx.x % 4u;
  const unsigned c_1 = min((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  const unsigned c_2 = ((((r * 64u) + (c * 4u)) / 256u) % 2u) * 4u;
  const unsigned c_3 = c * 4u;
  const float add_2 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_3];
  const float pad = ((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) ? add_2 : 0.0f;
  const unsigned c_4 = min((((((((((((r * 64u) + (c * 4u)) + 1u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  const unsigned c_5 = (((((r * 64u) + (c * 4u)) + 1u) / 256u) % 2u) * 4u;
  const unsigned c_6 = (c * 4u) + 1u;
  const float add_3 = add_1[((c_4 * 96u) + (c_5 * 16u)) + c_6];
  const float pad_1 = ((((((((((((r * 64u) + (c * 4u)) + 1u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u) ? add_3 : 0.0f;
  const unsigned c_7 = min((((((((((((r * 64u) + (c * 4u)) + 2u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  const unsigned c_8 = (((((r * 64u) + (c * 4u)) + 2u) / 256u) % 2u) * 4u;
  const unsigned c_9 = (c * 4u) + 2u;
  const float add_4 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_9];
  const float pad_2 = ((((((((((((r * 64u) + (c * 4u)) + 2u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u) ? add_4 : 0.0f;
  const unsigned c_10 = min((((((((((((r * 64u) + (c * 4u)) + 3u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  const unsigned c_11 = (((((r * 64u) + (c * 4u)) + 3u) / 256u) % 2u) * 4u;
  const unsigned c_12 = (c * 4u) + 3u;
  const float add_5 = add_1[((c_10 * 96u) + (c_11 * 16u)) + c_12];
  const float pad_3 = ((((((((((((r * 64u) + (c * 4u)) + 3u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u) ? add_5 : 0.0f;
  const unsigned c_13 = min(((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  const unsigned c_14 = ((((((r * 64u) + (c * 4u)) + 16u) / 256u) % 2u) * 4u) + 1u;
  const float add_6 = add_1[((c_13 * 96u) + (c_14 * 16u)) + c_3];
  const float pad_4 = (((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) ? add_6 : 0.0f;
  const unsigned c_15 = min((((((((((((r * 64u) + (c * 4u)) + 17u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  const unsigned c_16 = ((((((r * 64u) + (c * 4u)) + 17u) / 256u) % 2u) * 4u) + 1u;
  const float add_7 = add_1[((c_15 * 96u) + (c_16 * 16u)) + c_6];
  const float pad_5 = ((((((((((((r * 64u) + (c * 4u)) + 17u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u) ? add_7 : 0.0f;
  const unsigned c_17 = min((((((((((((r * 64u) + (c * 4u)) + 18u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  const unsigned c_18 = ((((((r * 64u) + (c * 4u)) + 18u) / 256u) % 2u) * 4u) + 1u;
  const float add_8 = add_1[((c_17 * 96u) + (c_18 * 16u)) + c_9];
  const float pad_6 = ((((((((((((r * 64u) + (c * 4u)) + 18u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u) ? add_8 : 0.0f;
  const unsigned c_19 = min((((((((((((r * 64u) + (c * 4u)) + 19u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  const unsigned c_20 = ((((((r * 64u) + (c * 4u)) + 19u) / 256u) % 2u) * 4u) + 1u;
  const float add_9 = add_1[((c_19 * 96u) + (c_20 * 16u)) + c_12];
  const float pad_7 = ((((((((((((r * 64u) + (c * 4u)) + 19u) / 256u) * 256u) + ((((r * 4u) + 1u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 1u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u) ? add_9 : 0.0f;
  const unsigned c_21 = min(((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  const unsigned c_22 = min((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u), 5u);
  const float add_10 = add_1[((c_21 * 96u) + (c_22 * 16u)) + c_3];
  const float pad_8 = ((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_10 : 0.0f;
  const unsigned c_23 = min((((((((((((r * 64u) + (c * 4u)) + 33u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  const unsigned c_24 = min((((((((r * 64u) + (c * 4u)) + 33u) / 256u) % 2u) * 4u) + 2u), 5u);
  const float add_11 = add_1[((c_23 * 96u) + (c_24 * 16u)) + c_6];
  const float pad_9 = (((((((((((((r * 64u) + (c * 4u)) + 33u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 33u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_11 : 0.0f;
  const unsigned c_25 = min((((((((((((r * 64u) + (c * 4u)) + 34u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  const unsigned c_26 = min((((((((r * 64u) + (c * 4u)) + 34u) / 256u) % 2u) * 4u) + 2u), 5u);
  const float add_12 = add_1[((c_25 * 96u) + (c_26 * 16u)) + c_9];
  const float pad_10 = (((((((((((((r * 64u) + (c * 4u)) + 34u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 34u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_12 : 0.0f;
  const unsigned c_27 = min((((((((((((r * 64u) + (c * 4u)) + 35u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  const unsigned c_28 = min((((((((r * 64u) + (c * 4u)) + 35u) / 256u) % 2u) * 4u) + 2u), 5u);
  const float add_13 = add_1[((c_27 * 96u) + (c_28 * 16u)) + c_12];
  const float pad_11 = (((((((((((((r * 64u) + (c * 4u)) + 35u) / 256u) * 256u) + ((((r * 4u) + 2u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 2u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 35u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_13 : 0.0f;
  const unsigned c_29 = min(((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  const unsigned c_30 = min((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u), 5u);
  const float add_14 = add_1[((c_29 * 96u) + (c_30 * 16u)) + c_3];
  const float pad_12 = ((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + ((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_14 : 0.0f;
  const unsigned c_31 = min((((((((((((r * 64u) + (c * 4u)) + 49u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)), 5u);
  const unsigned c_32 = min((((((((r * 64u) + (c * 4u)) + 49u) / 256u) % 2u) * 4u) + 3u), 5u);
  const float add_15 = add_1[((c_31 * 96u) + (c_32 * 16u)) + c_6];
  const float pad_13 = (((((((((((((r * 64u) + (c * 4u)) + 49u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 1u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 1u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 49u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_15 : 0.0f;
  const unsigned c_33 = min((((((((((((r * 64u) + (c * 4u)) + 50u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)), 5u);
  const unsigned c_34 = min((((((((r * 64u) + (c * 4u)) + 50u) / 256u) % 2u) * 4u) + 3u), 5u);
  const float add_16 = add_1[((c_33 * 96u) + (c_34 * 16u)) + c_9];
  const float pad_14 = (((((((((((((r * 64u) + (c * 4u)) + 50u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 2u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 2u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 50u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_16 : 0.0f;
  const unsigned c_35 = min((((((((((((r * 64u) + (c * 4u)) + 51u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)), 5u);
  const unsigned c_36 = min((((((((r * 64u) + (c * 4u)) + 51u) / 256u) % 2u) * 4u) + 3u), 5u);
  const float add_17 = add_1[((c_35 * 96u) + (c_36 * 16u)) + c_12];
  const float pad_15 = (((((((((((((r * 64u) + (c * 4u)) + 51u) / 256u) * 256u) + ((((r * 4u) + 3u) % 16u) * 16u)) + (c * 4u)) + 3u) / 512u) * 4u) + (((((((r * 4u) + 3u) % 16u) * 16u) + (c * 4u)) + 3u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 51u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_17 : 0.0f;
  reinterpret_cast<float4*>(left)[(r * 20u) + c] = {pad, pad_1, pad_2, pad_3};
  reinterpret_cast<float4*>(left)[((r * 20u) + c) + 5u] = {pad_4, pad_5, pad_6, pad_7};
  reinterpret_cast<float4*>(left)[((r * 20u) + c) + 10u] = {pad_8, pad_9, pad_10, pad_11};
  reinterpret_cast<float4*>(left)[((r * 20u) + c) + 15u] = {pad_12, pad_13, pad_14, pad_15};
  const unsigned i = (threadIdx.x * 192u) + (blockIdx.x * 4u);
  if (threadIdx.x < 4u) {
    const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i / 4u];
    const float weight_1 = weight_1_4.x;
    const float weight_2 = weight_1_4.y;
    const float weight_3 = weight_1_4.z;
    const float weight_4 = weight_1_4.w;
    const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i + 48u) / 4u];
    const float weight_5 = weight_5_4.x;
    const float weight_6 = weight_5_4.y;
    const float weight_7 = weight_5_4.z;
    const float weight_8 = weight_5_4.w;
    const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i + 96u) / 4u];
    const float weight_9 = weight_9_4.x;
    const float weight_10 = weight_9_4.y;
    const float weight_11 = weight_9_4.z;
    const float weight_12 = weight_9_4.w;
    const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i + 144u) / 4u];
    const float weight_13 = weight_13_4.x;
    const float weight_14 = weight_13_4.y;
    const float weight_15 = weight_13_4.z;
    const float weight_16 = weight_13_4.w;
    reinterpret_cast<float4*>(right)[threadIdx.x * 4u] = {weight_1, weight_2, weight_3, weight_4};
    reinterpret_cast<float4*>(right)[(threadIdx.x * 4u) + 1u] = {weight_5, weight_6, weight_7, weight_8};
    reinterpret_cast<float4*>(right)[(threadIdx.x * 4u) + 2u] = {weight_9, weight_10, weight_11, weight_12};
    reinterpret_cast<float4*>(right)[(threadIdx.x * 4u) + 3u] = {weight_13, weight_14, weight_15, weight_16};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 4u; ++quad) {
    const float4 left_1_4 = reinterpret_cast<const float4*>(left)[(threadIdx.x * 5u) + quad];
    const float left_1 = left_1_4.x;
    const float left_2 = left_1_4.y;
    const float left_3 = left_1_4.z;
    const float left_4 = left_1_4.w;
    const float4 right_1_4 = reinterpret_cast<const float4*>(right)[quad * 4u];
    const float right_1 = right_1_4.x;
    const float right_2 = right_1_4.y;
    const float right_3 = right_1_4.z;
    const float right_4 = right_1_4.w;
    sum = fmaf(left_1, right_1, sum);
    sum_1 = fmaf(left_1, right_2, sum_1);
    sum_2 = fmaf(left_1, right_3, sum_2);
    sum_3 = fmaf(left_1, right_4, sum_3);
    const float4 right_5_4 = reinterpret_cast<const float4*>(right)[(quad * 4u) + 1u];
    const float right_5 = right_5_4.x;
    const float right_6 = right_5_4.y;
    const float right_7 = right_5_4.z;
    const float right_8 = right_5_4.w;
    sum = fmaf(left_2, right_5, sum);
    sum_1 = fmaf(left_2, right_6, sum_1);
    sum_2 = fmaf(left_2, right_7, sum_2);
    sum_3 = fmaf(left_2, right_8, sum_3);
    const float4 right_9_4 = reinterpret_cast<const float4*>(right)[(quad * 4u) + 2u];
    const float right_9 = right_9_4.x;
    const float right_10 = right_9_4.y;
    const float right_11 = right_9_4.z;
    const float right_12 = right_9_4.w;
    sum = fmaf(left_3, right_9, sum);
    sum_1 = fmaf(left_3, right_10, sum_1);
    sum_2 = fmaf(left_3, right_11, sum_2);
    sum_3 = fmaf(left_3, right_12, sum_3);
    const float4 right_13_4 = reinterpret_cast<const float4*>(right)[(quad * 4u) + 3u];
    const float right_13 = right_13_4.x;
    const float right_14 = right_13_4.y;
    const float right_15 = right_13_4.z;
    const float right_16 = right_13_4.w;
    sum = fmaf(left_4, right_13, sum);
    sum_1 = fmaf(left_4, right_14, sum_1);
    sum_2 = fmaf(left_4, right_15, sum_2);
    sum_3 = fmaf(left_4, right_16, sum_3);
  }
  held[0u] = sum;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  _Pragma("unroll 1") for (unsigned i_1 = 0u; i_1 < 4u; ++i_1) {
    const unsigned n = (blockIdx.x * 4u) + i_1;
    const float value = held[i_1];
    const float bias_1 = bias[n];
    const float add_18 = value + bias_1;
    add[(threadIdx.x * 48u) + n] = add_18;
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
  float most = __uint_as_float(0xff800000u);
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
      scores[j] = ((dot_2 * 0.35355338f) + down) + columns[j];
      high = fmaxf(high, scores[j]);
    }
    const float level = fmaxf(high, (-340282346638528859811704183484516925440.0f));
    const float shrink = expf((most - level));
    total = total * shrink;
    _Pragma("unroll 1") for (unsigned d_5 = 0u; d_5 < 8u; ++d_5) {
      sums[d_5] = sums[d_5] * shrink;
    }
    _Pragma("unroll 1") for (unsigned j_1 = 0u; j_1 < 4u; ++j_1) {
      const float weight = expf((scores[j_1] - level));
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
  __shared__ alignas(16) float left[1280];
  __shared__ alignas(16) float right[64];
  float held[4];
  float sum = 0.0f;
  float sum_1 = 0.0f;
  float sum_2 = 0.0f;
  float sum_3 = 0.0f;
  const unsigned r = threadIdx.x / 4u;
  const unsigned c = threadIdx.x % 4u;
  const float4 reshape_1_4 = reinterpret_cast<const float4*>(reshape)[((r * 64u) + (c * 4u)) / 4u];
  const float reshape_1 = reshape_1_4.x;
  const float reshape_2 = reshape_1_4.y;
  const float reshape_3 = reshape_1_4.z;
  const float reshape_4 = reshape_1_4.w;
  const float4 reshape_5_4 = reinterpret_cast<const float4*>(reshape)[(((r * 64u) + (c * 4u)) + 16u) / 4u];
  const float reshape_5 = reshape_5_4.x;
  const float reshape_6 = reshape_5_4.y;
  const float reshape_7 = reshape_5_4.z;
  const float reshape_8 = reshape_5_4.w;
  const float4 reshape_9_4 = reinterpret_cast<const float4*>(reshape)[(((r * 64u) + (c * 4u)) + 32u) / 4u];
  const float reshape_9 = reshape_9_4.x;
  const float reshape_10 = reshape_9_4.y;
  const float reshape_11 = reshape_9_4.z;
  const float reshape_12 = reshape_9_4.w;
  const float4 reshape_13_4 = reinterpret_cast<const float4*>(reshape)[(((r * 64u) + (c * 4u)) + 48u) / 4u];
  const float reshape_13 = reshape_13_4.x;
  const float reshape_14 = reshape_13_4.y;
  const float reshape_15 = reshape_13_4.z;
  const float reshape_16 = reshape_13_4.w;
  reinterpret_cast<float4*>(left)[(r * 20u) + c] = {reshape_1, reshape_2, reshape_3, reshape_4};
  reinterpret_cast<float4*>(left)[((r * 20u) + c) + 5u] = {reshape_5, reshape_6, reshape_7, reshape_8};
  reinterpret_cast<float4*>(left)[((r * 20u) + c) + 10u] = {reshape_9, reshape_10, reshape_11, reshape_12};
  reinterpret_cast<float4*>(left)[((r * 20u) + c) + 15u] = {reshape_13, reshape_14, reshape_15, reshape_16};
  const unsigned i = (threadIdx.x * 64u) + (blockIdx.x * 4u);
  if (threadIdx.x < 4u) {
    const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i / 4u];
    const float weight_1 = weight_1_4.x;
    const float weight_2 = weight_1_4.y;
    const float weight_3 = weight_1_4.z;
    const float weight_4 = weight_1_4.w;
    const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i + 16u) / 4u];
    const float weight_5 = weight_5_4.x;
    const float weight_6 = weight_5_4.y;
    const float weight_7 = weight_5_4.z;
    const float weight_8 = weight_5_4.w;
    const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i + 32u) / 4u];
    const float weight_9 = weight_9_4.x;
    const float weight_10 = weight_9_4.y;
    const float weight_11 = weight_9_4.z;
    const float weight_12 = weight_9_4.w;
    const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i + 48u) / 4u];
    const float weight_13 = weight_13_4.x;
    const float weight_14 = weight_13_4.y;
    const float weight_15 = weight_13_4.z;
    const float weight_16 = weight_13_4.w;
    reinterpret_cast<float4*>(right)[threadIdx.x * 4u] = {weight_1, weight_2, weight_3, weight_4};
    reinterpret_cast<float4*>(right)[(threadIdx.x * 4u) + 1u] = {weight_5, weight_6, weight_7, weight_8};
    reinterpret_cast<float4*>(right)[(threadIdx.x * 4u) + 2u] = {weight_9, weight_10, weight_11, weight_12};
    reinterpret_cast<float4*>(right)[(threadIdx.x * 4u) + 3u] = {weight_13, weight_14, weight_15, weight_16};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 4u; ++quad) {
    const float4 left_1_4 = reinterpret_cast<const float4*>(left)[(threadIdx.x * 5u) + quad];
    const float left_1 = left_1_4.x;
    const float left_2 = left_1_4.y;
    const float left_3 = left_1_4.z;
    const float left_4 = left_1_4.w;
    const float4 right_1_4 = reinterpret_cast<const float4*>(right)[quad * 4u];
    const float right_1 = right_1_4.x;
    const float right_2 = right_1_4.y;
    const float right_3 = right_1_4.z;
    const float right_4 = right_1_4.w;
    sum = fmaf(left_1, right_1, sum);
    sum_1 = fmaf(left_1, right_2, sum_1);
    sum_2 = fmaf(left_1, right_3, sum_2);
    sum_3 = fmaf(left_1, right_4, sum_3);
    const float4 right_5_4 = reinterpret_cast<const float4*>(right)[(quad * 4u) + 1u];
    const float right_5 = right_5_4.x;
    const float right_6 = right_5_4.y;
    const float right_7 = right_5_4.z;
    const float right_8 = right_5_4.w;
    sum = fmaf(left_2, right_5, sum);
    sum_1 = fmaf(left_2, right_6, sum_1);
    sum_2 = fmaf(left_2, right_7, sum_2);
    sum_3 = fmaf(left_2, right_8, sum_3);
    const float4 right_9_4 = reinterpret_cast<const float4*>(right)[(quad * 4u) + 2u];
    const float right_9 = right_9_4.x;
    const float right_10 = right_9_4.y;
    const float right_11 = right_9_4.z;
    const float right_12 = right_9_4.w;
    sum = fmaf(left_3, right_9, sum);
    sum_1 = fmaf(left_3, right_10, sum_1);
    sum_2 = fmaf(left_3, right_11, sum_2);
    sum_3 = fmaf(left_3, right_12, sum_3);
    const float4 right_13_4 = reinterpret_cast<const float4*>(right)[(quad * 4u) + 3u];
    const float right_13 = right_13_4.x;
    const float right_14 = right_13_4.y;
    const float right_15 = right_13_4.z;
    const float right_16 = right_13_4.w;
    sum = fmaf(left_4, right_13, sum);
    sum_1 = fmaf(left_4, right_14, sum_1);
    sum_2 = fmaf(left_4, right_15, sum_2);
    sum_3 = fmaf(left_4, right_16, sum_3);
  }
  held[0u] = sum;
  held[1u] = sum_1;
  held[2u] = sum_2;
  held[3u] = sum_3;
  _Pragma("unroll 1") for (unsigned i_1 = 0u; i_1 < 4u; ++i_1) {
    const unsigned n = (blockIdx.x * 4u) + i_1;
    const float value = held[i_1];
    const unsigned i_2 = min((((((threadIdx.x * 16u) + n) / 512u) * 4u) + ((((threadIdx.x * 16u) + n) / 64u) % 4u)), 5u);
    const unsigned i_3 = min(((((((threadIdx.x * 16u) + n) / 256u) % 2u) * 4u) + (threadIdx.x % 4u)), 5u);
    const unsigned i_4 = ((i_2 * 96u) + (i_3 * 16u)) + n;
    if (((((((threadIdx.x * 16u) + n) / 512u) * 4u) + ((((threadIdx.x * 16u) + n) / 64u) % 4u)) <= 5u) && (((((((threadIdx.x * 16u) + n) / 256u) % 2u) * 4u) + (threadIdx.x % 4u)) <= 5u)) {
      const float x_1 = x[i_4];
      const float add_1 = x_1 + value;
      add[((min((((((threadIdx.x * 16u) + n) / 512u) * 4u) + ((((threadIdx.x * 16u) + n) / 64u) % 4u)), 5u) * 96u) + (min(((((((threadIdx.x * 16u) + n) / 256u) % 2u) * 4u) + (threadIdx.x % 4u)), 5u) * 16u)) + n] = add_1;
    }
  }
}
