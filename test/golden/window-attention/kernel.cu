// normalize_mul_add: step 0
extern "C" __global__ void __launch_bounds__(64) normalize_mul_add_kernel(
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
extern "C" __global__ void __launch_bounds__(64) matmul_add_kernel(
    float* __restrict__ add,
    const float* __restrict__ weight,
    const float* __restrict__ add_1,
    const float* __restrict__ bias) {
  alignas(16) __shared__ float operands[1344];
  float held[4];
  float carried = 0.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  const unsigned r = threadIdx.x / 4u;
  const unsigned c = threadIdx.x % 4u;
  const unsigned c_1 = min((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)), 5u);
  const unsigned c_2 = ((((r * 64u) + (c * 4u)) / 256u) % 2u) * 4u;
  const unsigned c_3 = c * 4u;
  const float add_2 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_3];
  const float pad = ((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) ? add_2 : 0.0f;
  const unsigned c_4 = (c * 4u) + 1u;
  const float add_3 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_4];
  const float pad_1 = ((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) ? add_3 : 0.0f;
  const unsigned c_5 = (c * 4u) + 2u;
  const float add_4 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_5];
  const float pad_2 = ((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) ? add_4 : 0.0f;
  const unsigned c_6 = (c * 4u) + 3u;
  const float add_5 = add_1[((c_1 * 96u) + (c_2 * 16u)) + c_6];
  const float pad_3 = ((((((((((r * 64u) + (c * 4u)) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) / 512u) * 4u) + (((((r * 4u) % 16u) * 16u) + (c * 4u)) / 64u)) <= 5u) ? add_5 : 0.0f;
  const unsigned c_7 = min((((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 16u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 16u) / 64u)), 5u);
  const unsigned c_8 = ((((((r * 64u) + (c * 4u)) + 16u) / 256u) % 2u) * 4u) + 1u;
  const float add_6 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_3];
  const float pad_4 = ((((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 16u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 16u) / 64u)) <= 5u) ? add_6 : 0.0f;
  const float add_7 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_4];
  const float pad_5 = ((((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 16u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 16u) / 64u)) <= 5u) ? add_7 : 0.0f;
  const float add_8 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_5];
  const float pad_6 = ((((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 16u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 16u) / 64u)) <= 5u) ? add_8 : 0.0f;
  const float add_9 = add_1[((c_7 * 96u) + (c_8 * 16u)) + c_6];
  const float pad_7 = ((((((((((((r * 64u) + (c * 4u)) + 16u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 16u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 16u) / 64u)) <= 5u) ? add_9 : 0.0f;
  const unsigned c_9 = min((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 32u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 32u) / 64u)), 5u);
  const unsigned c_10 = min((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u), 5u);
  const float add_10 = add_1[((c_9 * 96u) + (c_10 * 16u)) + c_3];
  const float pad_8 = (((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 32u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 32u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_10 : 0.0f;
  const float add_11 = add_1[((c_9 * 96u) + (c_10 * 16u)) + c_4];
  const float pad_9 = (((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 32u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 32u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_11 : 0.0f;
  const float add_12 = add_1[((c_9 * 96u) + (c_10 * 16u)) + c_5];
  const float pad_10 = (((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 32u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 32u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_12 : 0.0f;
  const float add_13 = add_1[((c_9 * 96u) + (c_10 * 16u)) + c_6];
  const float pad_11 = (((((((((((((r * 64u) + (c * 4u)) + 32u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 32u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 32u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 32u) / 256u) % 2u) * 4u) + 2u) <= 5u)) ? add_13 : 0.0f;
  const unsigned c_11 = min((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 48u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 48u) / 64u)), 5u);
  const unsigned c_12 = min((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u), 5u);
  const float add_14 = add_1[((c_11 * 96u) + (c_12 * 16u)) + c_3];
  const float pad_12 = (((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 48u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 48u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_14 : 0.0f;
  const float add_15 = add_1[((c_11 * 96u) + (c_12 * 16u)) + c_4];
  const float pad_13 = (((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 48u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 48u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_15 : 0.0f;
  const float add_16 = add_1[((c_11 * 96u) + (c_12 * 16u)) + c_5];
  const float pad_14 = (((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 48u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 48u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_16 : 0.0f;
  const float add_17 = add_1[((c_11 * 96u) + (c_12 * 16u)) + c_6];
  const float pad_15 = (((((((((((((r * 64u) + (c * 4u)) + 48u) / 256u) * 256u) + (((r * 4u) % 16u) * 16u)) + (c * 4u)) + 48u) / 512u) * 4u) + ((((((r * 4u) % 16u) * 16u) + (c * 4u)) + 48u) / 64u)) <= 5u) && ((((((((r * 64u) + (c * 4u)) + 48u) / 256u) % 2u) * 4u) + 3u) <= 5u)) ? add_17 : 0.0f;
  reinterpret_cast<float4*>(operands)[(r * 20u) + c] = {pad, pad_1, pad_2, pad_3};
  reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 5u] = {pad_4, pad_5, pad_6, pad_7};
  reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 10u] = {pad_8, pad_9, pad_10, pad_11};
  reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 15u] = {pad_12, pad_13, pad_14, pad_15};
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
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 320u] = {weight_1, weight_2, weight_3, weight_4};
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 321u] = {weight_5, weight_6, weight_7, weight_8};
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 322u] = {weight_9, weight_10, weight_11, weight_12};
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 323u] = {weight_13, weight_14, weight_15, weight_16};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 4u; ++quad) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(threadIdx.x * 5u) + quad];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 320u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    carried = fmaf(operands_1, operands_5, carried);
    carried_1 = fmaf(operands_1, operands_6, carried_1);
    carried_2 = fmaf(operands_1, operands_7, carried_2);
    carried_3 = fmaf(operands_1, operands_8, carried_3);
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 321u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    carried = fmaf(operands_2, operands_9, carried);
    carried_1 = fmaf(operands_2, operands_10, carried_1);
    carried_2 = fmaf(operands_2, operands_11, carried_2);
    carried_3 = fmaf(operands_2, operands_12, carried_3);
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 322u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    carried = fmaf(operands_3, operands_13, carried);
    carried_1 = fmaf(operands_3, operands_14, carried_1);
    carried_2 = fmaf(operands_3, operands_15, carried_2);
    carried_3 = fmaf(operands_3, operands_16, carried_3);
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 323u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    carried = fmaf(operands_4, operands_17, carried);
    carried_1 = fmaf(operands_4, operands_18, carried_1);
    carried_2 = fmaf(operands_4, operands_19, carried_2);
    carried_3 = fmaf(operands_4, operands_20, carried_3);
  }
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  _Pragma("unroll 1") for (unsigned e = 0u; e < 4u; ++e) {
    const unsigned c_13 = (blockIdx.x * 4u) + e;
    const float value = held[e];
    const float bias_1 = bias[c_13];
    const float add_18 = value + bias_1;
    add[(threadIdx.x * 48u) + c_13] = add_18;
  }
}

// attention: step 2
extern "C" __global__ void __launch_bounds__(8) attention_kernel(
    float* __restrict__ reshape,
    const float* __restrict__ add,
    const float* __restrict__ stack) {
  alignas(16) __shared__ float operands[512];
  float own[32];
  float own_1[8];
  alignas(16) __shared__ float folds[32];
  float held[16];
  const unsigned column = threadIdx.x % 2u;
  const unsigned row = threadIdx.x / 2u;
  const unsigned r = threadIdx.x / 4u;
  const unsigned c = threadIdx.x % 4u;
  const float4 add_1_4 = reinterpret_cast<const float4*>(add)[((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) / 4u];
  const float add_1 = add_1_4.x;
  const float add_5 = add_1_4.y;
  const float add_9 = add_1_4.z;
  const float add_13 = add_1_4.w;
  const float4 add_2_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 48u) / 4u];
  const float add_2 = add_2_4.x;
  const float add_6 = add_2_4.y;
  const float add_10 = add_2_4.z;
  const float add_14 = add_2_4.w;
  const float4 add_3_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 96u) / 4u];
  const float add_3 = add_3_4.x;
  const float add_7 = add_3_4.y;
  const float add_11 = add_3_4.z;
  const float add_15 = add_3_4.w;
  const float4 add_4_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 144u) / 4u];
  const float add_4 = add_4_4.x;
  const float add_8 = add_4_4.y;
  const float add_12 = add_4_4.z;
  const float add_16 = add_4_4.w;
  reinterpret_cast<float4*>(operands)[(r * 16u) + c] = {add_1 * 0.35355338f, add_2 * 0.35355338f, add_3 * 0.35355338f, add_4 * 0.35355338f};
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 4u] = {add_5 * 0.35355338f, add_6 * 0.35355338f, add_7 * 0.35355338f, add_8 * 0.35355338f};
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 8u] = {add_9 * 0.35355338f, add_10 * 0.35355338f, add_11 * 0.35355338f, add_12 * 0.35355338f};
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 12u] = {add_13 * 0.35355338f, add_14 * 0.35355338f, add_15 * 0.35355338f, add_16 * 0.35355338f};
  float carried = __uint_as_float(0xff800000u);
  float carried_1 = __uint_as_float(0xff800000u);
  float carried_2 = __uint_as_float(0xff800000u);
  float carried_3 = __uint_as_float(0xff800000u);
  float carried_4 = 0.0f;
  float carried_5 = 0.0f;
  float carried_6 = 0.0f;
  float carried_7 = 0.0f;
  float carried_8 = 0.0f;
  float carried_9 = 0.0f;
  float carried_10 = 0.0f;
  float carried_11 = 0.0f;
  float carried_12 = 0.0f;
  float carried_13 = 0.0f;
  float carried_14 = 0.0f;
  float carried_15 = 0.0f;
  float carried_16 = 0.0f;
  float carried_17 = 0.0f;
  float carried_18 = 0.0f;
  float carried_19 = 0.0f;
  float carried_20 = 0.0f;
  float carried_21 = 0.0f;
  float carried_22 = 0.0f;
  float carried_23 = 0.0f;
  const float4 add_17_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 16u) / 4u];
  const float add_17 = add_17_4.x;
  const float add_21 = add_17_4.y;
  const float add_25 = add_17_4.z;
  const float add_29 = add_17_4.w;
  const float4 add_18_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 64u) / 4u];
  const float add_18 = add_18_4.x;
  const float add_22 = add_18_4.y;
  const float add_26 = add_18_4.z;
  const float add_30 = add_18_4.w;
  const float4 add_19_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 112u) / 4u];
  const float add_19 = add_19_4.x;
  const float add_23 = add_19_4.y;
  const float add_27 = add_19_4.z;
  const float add_31 = add_19_4.w;
  const float4 add_20_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u)) + 160u) / 4u];
  const float add_20 = add_20_4.x;
  const float add_24 = add_20_4.y;
  const float add_28 = add_20_4.z;
  const float add_32 = add_20_4.w;
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 32u] = {add_17, add_18, add_19, add_20};
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 36u] = {add_21, add_22, add_23, add_24};
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 40u] = {add_25, add_26, add_27, add_28};
  reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 44u] = {add_29, add_30, add_31, add_32};
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
  float sum_16 = 0.0f;
  float sum_17 = 0.0f;
  float sum_18 = 0.0f;
  float sum_19 = 0.0f;
  float sum_20 = 0.0f;
  float sum_21 = 0.0f;
  float sum_22 = 0.0f;
  float sum_23 = 0.0f;
  float sum_24 = 0.0f;
  float sum_25 = 0.0f;
  float sum_26 = 0.0f;
  float sum_27 = 0.0f;
  float sum_28 = 0.0f;
  float sum_29 = 0.0f;
  float sum_30 = 0.0f;
  float sum_31 = 0.0f;
  __syncthreads();
  _Pragma("unroll 1") for (unsigned place = 0u; place < 8u; ++place) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(place * 4u) + row];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((place * 4u) + column) + 32u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((place * 4u) + column) + 34u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    sum = fmaf(operands_1, operands_5, sum);
    sum_1 = fmaf(operands_1, operands_6, sum_1);
    sum_2 = fmaf(operands_1, operands_7, sum_2);
    sum_3 = fmaf(operands_1, operands_8, sum_3);
    sum_4 = fmaf(operands_1, operands_9, sum_4);
    sum_5 = fmaf(operands_1, operands_10, sum_5);
    sum_6 = fmaf(operands_1, operands_11, sum_6);
    sum_7 = fmaf(operands_1, operands_12, sum_7);
    sum_8 = fmaf(operands_2, operands_5, sum_8);
    sum_9 = fmaf(operands_2, operands_6, sum_9);
    sum_10 = fmaf(operands_2, operands_7, sum_10);
    sum_11 = fmaf(operands_2, operands_8, sum_11);
    sum_12 = fmaf(operands_2, operands_9, sum_12);
    sum_13 = fmaf(operands_2, operands_10, sum_13);
    sum_14 = fmaf(operands_2, operands_11, sum_14);
    sum_15 = fmaf(operands_2, operands_12, sum_15);
    sum_16 = fmaf(operands_3, operands_5, sum_16);
    sum_17 = fmaf(operands_3, operands_6, sum_17);
    sum_18 = fmaf(operands_3, operands_7, sum_18);
    sum_19 = fmaf(operands_3, operands_8, sum_19);
    sum_20 = fmaf(operands_3, operands_9, sum_20);
    sum_21 = fmaf(operands_3, operands_10, sum_21);
    sum_22 = fmaf(operands_3, operands_11, sum_22);
    sum_23 = fmaf(operands_3, operands_12, sum_23);
    sum_24 = fmaf(operands_4, operands_5, sum_24);
    sum_25 = fmaf(operands_4, operands_6, sum_25);
    sum_26 = fmaf(operands_4, operands_7, sum_26);
    sum_27 = fmaf(operands_4, operands_8, sum_27);
    sum_28 = fmaf(operands_4, operands_9, sum_28);
    sum_29 = fmaf(operands_4, operands_10, sum_29);
    sum_30 = fmaf(operands_4, operands_11, sum_30);
    sum_31 = fmaf(operands_4, operands_12, sum_31);
  }
  const unsigned i = (blockIdx.z * 768u) + (blockIdx.y * 8u);
  _Pragma("unroll 1") for (unsigned e = 0u; e < 32u; ++e) {
    const unsigned at = (row * 4u) + (e / 8u);
    const unsigned at_1 = ((((e % 8u) / 4u) * 8u) + (column * 4u)) + (e % 4u);
    const unsigned y = at_1 / 4u;
    const unsigned y_1 = at / 4u;
    const unsigned x = at % 4u;
    const unsigned at_2 = (y_1 * 4u) + x;
    const float4 add_33_4 = reinterpret_cast<const float4*>(add)[(i + (at_2 * 48u)) / 4u];
    const float add_33 = add_33_4.x;
    const float add_34 = add_33_4.y;
    const float add_35 = add_33_4.z;
    const float add_36 = add_33_4.w;
    const unsigned row_1 = ((at / 4u) + 3u) - y;
    const float4 stack_1_4 = reinterpret_cast<const float4*>(stack)[(row_1 * 8u) / 4u];
    const float stack_1 = stack_1_4.x;
    const float stack_2 = stack_1_4.y;
    const float stack_3 = stack_1_4.z;
    const float stack_4 = stack_1_4.w;
    const float4 add_37_4 = reinterpret_cast<const float4*>(add)[((i + (at_2 * 48u)) + 4u) / 4u];
    const float add_37 = add_37_4.x;
    const float add_38 = add_37_4.y;
    const float add_39 = add_37_4.z;
    const float add_40 = add_37_4.w;
    const float4 stack_5_4 = reinterpret_cast<const float4*>(stack)[((row_1 * 8u) + 4u) / 4u];
    const float stack_5 = stack_5_4.x;
    const float stack_6 = stack_5_4.y;
    const float stack_7 = stack_5_4.z;
    const float stack_8 = stack_5_4.w;
    const float matmul = (((add_33 * stack_1) + (add_34 * stack_2)) + ((add_35 * stack_3) + (add_36 * stack_4))) + (((add_37 * stack_5) + (add_38 * stack_6)) + ((add_39 * stack_7) + (add_40 * stack_8)));
    const unsigned x_1 = at_1 % 4u;
    const unsigned row_2 = ((at % 4u) + 10u) - x_1;
    const unsigned i_1 = (row_2 * 8u) / 56u;
    const unsigned i_2 = row_2 % 7u;
    const float4 stack_9_4 = reinterpret_cast<const float4*>(stack)[((i_1 * 64u) + (i_2 * 8u)) / 4u];
    const float stack_9 = stack_9_4.x;
    const float stack_10 = stack_9_4.y;
    const float stack_11 = stack_9_4.z;
    const float stack_12 = stack_9_4.w;
    const float4 stack_13_4 = reinterpret_cast<const float4*>(stack)[(((i_1 * 64u) + (i_2 * 8u)) + 4u) / 4u];
    const float stack_13 = stack_13_4.x;
    const float stack_14 = stack_13_4.y;
    const float stack_15 = stack_13_4.z;
    const float stack_16 = stack_13_4.w;
    const float matmul_1 = (((add_33 * stack_9) + (add_34 * stack_10)) + ((add_35 * stack_11) + (add_36 * stack_12))) + (((add_37 * stack_13) + (add_38 * stack_14)) + ((add_39 * stack_15) + (add_40 * stack_16)));
    own[e] = matmul + matmul_1;
  }
  const float x_2 = own[0u];
  const float x_3 = own[1u];
  const float x_4 = own[2u];
  const float x_5 = own[3u];
  const float x_6 = own[4u];
  const float x_7 = own[5u];
  const float x_8 = own[6u];
  const float x_9 = own[7u];
  const float x_10 = own[8u];
  const float x_11 = own[9u];
  const float x_12 = own[10u];
  const float x_13 = own[11u];
  const float x_14 = own[12u];
  const float x_15 = own[13u];
  const float x_16 = own[14u];
  const float x_17 = own[15u];
  const float x_18 = own[16u];
  const float x_19 = own[17u];
  const float x_20 = own[18u];
  const float x_21 = own[19u];
  const float x_22 = own[20u];
  const float x_23 = own[21u];
  const float x_24 = own[22u];
  const float x_25 = own[23u];
  const float x_26 = own[24u];
  const float x_27 = own[25u];
  const float x_28 = own[26u];
  const float x_29 = own[27u];
  const float x_30 = own[28u];
  const float x_31 = own[29u];
  const float x_32 = own[30u];
  const float x_33 = own[31u];
  _Pragma("unroll 1") for (unsigned e_1 = 0u; e_1 < 8u; ++e_1) {
    own_1[e_1] = 1.0f;
  }
  const float x_34 = own_1[0u];
  const float x_35 = own_1[1u];
  const float x_36 = own_1[2u];
  const float x_37 = own_1[3u];
  const float x_38 = own_1[4u];
  const float x_39 = own_1[5u];
  const float x_40 = own_1[6u];
  const float x_41 = own_1[7u];
  const float x_42 = (x_34 == 0.0f) ? __uint_as_float(0xff800000u) : (sum + x_2);
  const float x_43 = (x_35 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_1 + x_3);
  const float x_44 = (x_36 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_2 + x_4);
  const float x_45 = (x_37 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_3 + x_5);
  const float x_46 = (x_38 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_4 + x_6);
  const float x_47 = (x_39 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_5 + x_7);
  const float x_48 = (x_40 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_6 + x_8);
  const float x_49 = (x_41 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_7 + x_9);
  const float x_50 = (x_34 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_8 + x_10);
  const float x_51 = (x_35 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_9 + x_11);
  const float x_52 = (x_36 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_10 + x_12);
  const float x_53 = (x_37 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_11 + x_13);
  const float x_54 = (x_38 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_12 + x_14);
  const float x_55 = (x_39 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_13 + x_15);
  const float x_56 = (x_40 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_14 + x_16);
  const float x_57 = (x_41 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_15 + x_17);
  const float x_58 = (x_34 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_16 + x_18);
  const float x_59 = (x_35 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_17 + x_19);
  const float x_60 = (x_36 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_18 + x_20);
  const float x_61 = (x_37 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_19 + x_21);
  const float x_62 = (x_38 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_20 + x_22);
  const float x_63 = (x_39 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_21 + x_23);
  const float x_64 = (x_40 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_22 + x_24);
  const float x_65 = (x_41 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_23 + x_25);
  const float x_66 = (x_34 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_24 + x_26);
  const float x_67 = (x_35 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_25 + x_27);
  const float x_68 = (x_36 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_26 + x_28);
  const float x_69 = (x_37 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_27 + x_29);
  const float x_70 = (x_38 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_28 + x_30);
  const float x_71 = (x_39 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_29 + x_31);
  const float x_72 = (x_40 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_30 + x_32);
  const float x_73 = (x_41 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_31 + x_33);
  const float part = fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(x_42, x_43), x_44), x_45), x_46), x_47), x_48), x_49);
  const float part_1 = fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(x_50, x_51), x_52), x_53), x_54), x_55), x_56), x_57);
  const float part_2 = fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(x_58, x_59), x_60), x_61), x_62), x_63), x_64), x_65);
  const float part_3 = fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(x_66, x_67), x_68), x_69), x_70), x_71), x_72), x_73);
  reinterpret_cast<float4*>(folds)[(row * 2u) + column] = {part, part_1, part_2, part_3};
  __syncthreads();
  float all = __uint_as_float(0xff800000u);
  float all_1 = __uint_as_float(0xff800000u);
  float all_2 = __uint_as_float(0xff800000u);
  float all_3 = __uint_as_float(0xff800000u);
  _Pragma("unroll 1") for (unsigned p = 0u; p < 2u; ++p) {
    const float4 folds_1_4 = reinterpret_cast<const float4*>(folds)[(row * 2u) + p];
    const float folds_1 = folds_1_4.x;
    const float folds_2 = folds_1_4.y;
    const float folds_3 = folds_1_4.z;
    const float folds_4 = folds_1_4.w;
    all = fmaxf(all, folds_1);
    all_1 = fmaxf(all_1, folds_2);
    all_2 = fmaxf(all_2, folds_3);
    all_3 = fmaxf(all_3, folds_4);
  }
  const float all_4 = all;
  const float all_5 = all_1;
  const float all_6 = all_2;
  const float all_7 = all_3;
  const float x_74 = fmaxf(carried, all_4);
  const float x_75 = fmaxf(carried_1, all_5);
  const float x_76 = fmaxf(carried_2, all_6);
  const float x_77 = fmaxf(carried_3, all_7);
  const float x_78 = expf((carried - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_79 = expf((carried_1 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_80 = expf((carried_2 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_81 = expf((carried_3 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_82 = expf((x_42 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_83 = expf((x_43 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_84 = expf((x_44 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_85 = expf((x_45 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_86 = expf((x_46 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_87 = expf((x_47 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_88 = expf((x_48 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_89 = expf((x_49 - fmaxf(x_74, (-340282346638528859811704183484516925440.0f))));
  const float x_90 = expf((x_50 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_91 = expf((x_51 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_92 = expf((x_52 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_93 = expf((x_53 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_94 = expf((x_54 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_95 = expf((x_55 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_96 = expf((x_56 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_97 = expf((x_57 - fmaxf(x_75, (-340282346638528859811704183484516925440.0f))));
  const float x_98 = expf((x_58 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_99 = expf((x_59 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_100 = expf((x_60 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_101 = expf((x_61 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_102 = expf((x_62 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_103 = expf((x_63 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_104 = expf((x_64 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_105 = expf((x_65 - fmaxf(x_76, (-340282346638528859811704183484516925440.0f))));
  const float x_106 = expf((x_66 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_107 = expf((x_67 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_108 = expf((x_68 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_109 = expf((x_69 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_110 = expf((x_70 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_111 = expf((x_71 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_112 = expf((x_72 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float x_113 = expf((x_73 - fmaxf(x_77, (-340282346638528859811704183484516925440.0f))));
  const float part_4 = ((((((x_82 + x_83) + x_84) + x_85) + x_86) + x_87) + x_88) + x_89;
  const float part_5 = ((((((x_90 + x_91) + x_92) + x_93) + x_94) + x_95) + x_96) + x_97;
  const float part_6 = ((((((x_98 + x_99) + x_100) + x_101) + x_102) + x_103) + x_104) + x_105;
  const float part_7 = ((((((x_106 + x_107) + x_108) + x_109) + x_110) + x_111) + x_112) + x_113;
  __syncthreads();
  reinterpret_cast<float4*>(folds)[(row * 2u) + column] = {part_4, part_5, part_6, part_7};
  __syncthreads();
  float all_8 = 0.0f;
  float all_9 = 0.0f;
  float all_10 = 0.0f;
  float all_11 = 0.0f;
  _Pragma("unroll 1") for (unsigned p_1 = 0u; p_1 < 2u; ++p_1) {
    const float4 folds_5_4 = reinterpret_cast<const float4*>(folds)[(row * 2u) + p_1];
    const float folds_5 = folds_5_4.x;
    const float folds_6 = folds_5_4.y;
    const float folds_7 = folds_5_4.z;
    const float folds_8 = folds_5_4.w;
    all_8 = all_8 + folds_5;
    all_9 = all_9 + folds_6;
    all_10 = all_10 + folds_7;
    all_11 = all_11 + folds_8;
  }
  const float all_12 = all_8;
  const float all_13 = all_9;
  const float all_14 = all_10;
  const float all_15 = all_11;
  const float x_114 = fmaf(carried_4, x_78, all_12);
  const float x_115 = fmaf(carried_5, x_79, all_13);
  const float x_116 = fmaf(carried_6, x_80, all_14);
  const float x_117 = fmaf(carried_7, x_81, all_15);
  const float4 add_41_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (row * 192u)) + (blockIdx.y * 8u)) + (column * 4u)) + 32u) / 4u];
  const float add_41 = add_41_4.x;
  const float add_42 = add_41_4.y;
  const float add_43 = add_41_4.z;
  const float add_44 = add_41_4.w;
  const float4 add_45_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (row * 192u)) + (blockIdx.y * 8u)) + (column * 4u)) + 80u) / 4u];
  const float add_45 = add_45_4.x;
  const float add_46 = add_45_4.y;
  const float add_47 = add_45_4.z;
  const float add_48 = add_45_4.w;
  const float4 add_49_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (row * 192u)) + (blockIdx.y * 8u)) + (column * 4u)) + 128u) / 4u];
  const float add_49 = add_49_4.x;
  const float add_50 = add_49_4.y;
  const float add_51 = add_49_4.z;
  const float add_52 = add_49_4.w;
  const float4 add_53_4 = reinterpret_cast<const float4*>(add)[(((((blockIdx.z * 768u) + (row * 192u)) + (blockIdx.y * 8u)) + (column * 4u)) + 176u) / 4u];
  const float add_53 = add_53_4.x;
  const float add_54 = add_53_4.y;
  const float add_55 = add_53_4.z;
  const float add_56 = add_53_4.w;
  reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 32u] = {add_41, add_42, add_43, add_44};
  reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 34u] = {add_45, add_46, add_47, add_48};
  reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 36u] = {add_49, add_50, add_51, add_52};
  reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 38u] = {add_53, add_54, add_55, add_56};
  const float x_118 = carried_8 * x_78;
  const float x_119 = carried_9 * x_78;
  const float x_120 = carried_10 * x_78;
  const float x_121 = carried_11 * x_78;
  const float x_122 = carried_12 * x_79;
  const float x_123 = carried_13 * x_79;
  const float x_124 = carried_14 * x_79;
  const float x_125 = carried_15 * x_79;
  const float x_126 = carried_16 * x_80;
  const float x_127 = carried_17 * x_80;
  const float x_128 = carried_18 * x_80;
  const float x_129 = carried_19 * x_80;
  const float x_130 = carried_20 * x_81;
  const float x_131 = carried_21 * x_81;
  const float x_132 = carried_22 * x_81;
  const float x_133 = carried_23 * x_81;
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 64u] = {x_82, x_90, x_98, x_106};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 68u] = {x_83, x_91, x_99, x_107};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 72u] = {x_84, x_92, x_100, x_108};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 76u] = {x_85, x_93, x_101, x_109};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 96u] = {x_86, x_94, x_102, x_110};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 100u] = {x_87, x_95, x_103, x_111};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 104u] = {x_88, x_96, x_104, x_112};
  reinterpret_cast<float4*>(operands)[((column * 16u) + row) + 108u] = {x_89, x_97, x_105, x_113};
  float sum_32 = x_118;
  float sum_33 = x_119;
  float sum_34 = x_120;
  float sum_35 = x_121;
  float sum_36 = x_122;
  float sum_37 = x_123;
  float sum_38 = x_124;
  float sum_39 = x_125;
  float sum_40 = x_126;
  float sum_41 = x_127;
  float sum_42 = x_128;
  float sum_43 = x_129;
  float sum_44 = x_130;
  float sum_45 = x_131;
  float sum_46 = x_132;
  float sum_47 = x_133;
  __syncthreads();
  _Pragma("unroll 1") for (unsigned place_1 = 0u; place_1 < 16u; ++place_1) {
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((place_1 * 4u) + row) + 64u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((place_1 * 2u) + column) + 32u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    sum_32 = fmaf(operands_13, operands_17, sum_32);
    sum_33 = fmaf(operands_13, operands_18, sum_33);
    sum_34 = fmaf(operands_13, operands_19, sum_34);
    sum_35 = fmaf(operands_13, operands_20, sum_35);
    sum_36 = fmaf(operands_14, operands_17, sum_36);
    sum_37 = fmaf(operands_14, operands_18, sum_37);
    sum_38 = fmaf(operands_14, operands_19, sum_38);
    sum_39 = fmaf(operands_14, operands_20, sum_39);
    sum_40 = fmaf(operands_15, operands_17, sum_40);
    sum_41 = fmaf(operands_15, operands_18, sum_41);
    sum_42 = fmaf(operands_15, operands_19, sum_42);
    sum_43 = fmaf(operands_15, operands_20, sum_43);
    sum_44 = fmaf(operands_16, operands_17, sum_44);
    sum_45 = fmaf(operands_16, operands_18, sum_45);
    sum_46 = fmaf(operands_16, operands_19, sum_46);
    sum_47 = fmaf(operands_16, operands_20, sum_47);
  }
  const float next = sum_32;
  const float next_1 = sum_33;
  const float next_2 = sum_34;
  const float next_3 = sum_35;
  const float next_4 = sum_36;
  const float next_5 = sum_37;
  const float next_6 = sum_38;
  const float next_7 = sum_39;
  const float next_8 = sum_40;
  const float next_9 = sum_41;
  const float next_10 = sum_42;
  const float next_11 = sum_43;
  const float next_12 = sum_44;
  const float next_13 = sum_45;
  const float next_14 = sum_46;
  const float next_15 = sum_47;
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
  const float x_134 = 1.0f / carried_4;
  const float x_135 = 1.0f / carried_5;
  const float x_136 = 1.0f / carried_6;
  const float x_137 = 1.0f / carried_7;
  const float x_138 = carried_8 * x_134;
  const float x_139 = carried_9 * x_134;
  const float x_140 = carried_10 * x_134;
  const float x_141 = carried_11 * x_134;
  const float x_142 = carried_12 * x_135;
  const float x_143 = carried_13 * x_135;
  const float x_144 = carried_14 * x_135;
  const float x_145 = carried_15 * x_135;
  const float x_146 = carried_16 * x_136;
  const float x_147 = carried_17 * x_136;
  const float x_148 = carried_18 * x_136;
  const float x_149 = carried_19 * x_136;
  const float x_150 = carried_20 * x_137;
  const float x_151 = carried_21 * x_137;
  const float x_152 = carried_22 * x_137;
  const float x_153 = carried_23 * x_137;
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
  _Pragma("unroll 1") for (unsigned e_2 = 0u; e_2 < 16u; ++e_2) {
    const unsigned r_1 = (row * 4u) + (e_2 / 4u);
    const unsigned c_1 = (column * 4u) + (e_2 % 4u);
    const float value = held[e_2];
    reshape[(((blockIdx.z * 256u) + (r_1 * 16u)) + (blockIdx.y * 8u)) + c_1] = value;
  }
}

// matmul_add: step 3
extern "C" __global__ void __launch_bounds__(64) matmul_add_2_kernel(
    float* __restrict__ add,
    const float* __restrict__ reshape,
    const float* __restrict__ weight,
    const float* __restrict__ x) {
  alignas(16) __shared__ float operands[1344];
  float held[4];
  float carried = 0.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
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
  reinterpret_cast<float4*>(operands)[(r * 20u) + c] = {reshape_1, reshape_2, reshape_3, reshape_4};
  reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 5u] = {reshape_5, reshape_6, reshape_7, reshape_8};
  reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 10u] = {reshape_9, reshape_10, reshape_11, reshape_12};
  reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 15u] = {reshape_13, reshape_14, reshape_15, reshape_16};
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
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 320u] = {weight_1, weight_2, weight_3, weight_4};
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 321u] = {weight_5, weight_6, weight_7, weight_8};
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 322u] = {weight_9, weight_10, weight_11, weight_12};
    reinterpret_cast<float4*>(operands)[(threadIdx.x * 4u) + 323u] = {weight_13, weight_14, weight_15, weight_16};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 4u; ++quad) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(threadIdx.x * 5u) + quad];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 320u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    carried = fmaf(operands_1, operands_5, carried);
    carried_1 = fmaf(operands_1, operands_6, carried_1);
    carried_2 = fmaf(operands_1, operands_7, carried_2);
    carried_3 = fmaf(operands_1, operands_8, carried_3);
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 321u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    carried = fmaf(operands_2, operands_9, carried);
    carried_1 = fmaf(operands_2, operands_10, carried_1);
    carried_2 = fmaf(operands_2, operands_11, carried_2);
    carried_3 = fmaf(operands_2, operands_12, carried_3);
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 322u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    carried = fmaf(operands_3, operands_13, carried);
    carried_1 = fmaf(operands_3, operands_14, carried_1);
    carried_2 = fmaf(operands_3, operands_15, carried_2);
    carried_3 = fmaf(operands_3, operands_16, carried_3);
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[(quad * 4u) + 323u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    carried = fmaf(operands_4, operands_17, carried);
    carried_1 = fmaf(operands_4, operands_18, carried_1);
    carried_2 = fmaf(operands_4, operands_19, carried_2);
    carried_3 = fmaf(operands_4, operands_20, carried_3);
  }
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  _Pragma("unroll 1") for (unsigned e = 0u; e < 4u; ++e) {
    const unsigned c_1 = (blockIdx.x * 4u) + e;
    const float value = held[e];
    const unsigned i_1 = min((((((threadIdx.x * 16u) + c_1) / 512u) * 4u) + ((((threadIdx.x * 16u) + c_1) / 64u) % 4u)), 5u);
    const unsigned i_2 = min(((((((threadIdx.x * 16u) + c_1) / 256u) % 2u) * 4u) + (threadIdx.x % 4u)), 5u);
    const unsigned i_3 = ((i_1 * 96u) + (i_2 * 16u)) + c_1;
    if (((((((threadIdx.x * 16u) + c_1) / 512u) * 4u) + ((((threadIdx.x * 16u) + c_1) / 64u) % 4u)) <= 5u) && (((((((threadIdx.x * 16u) + c_1) / 256u) % 2u) * 4u) + (threadIdx.x % 4u)) <= 5u)) {
      const float x_1 = x[i_3];
      const float add_1 = x_1 + value;
      add[((min((((((threadIdx.x * 16u) + c_1) / 512u) * 4u) + ((((threadIdx.x * 16u) + c_1) / 64u) % 4u)), 5u) * 96u) + (min(((((((threadIdx.x * 16u) + c_1) / 256u) % 2u) * 4u) + (threadIdx.x % 4u)), 5u) * 16u)) + c_1] = add_1;
    }
  }
}
