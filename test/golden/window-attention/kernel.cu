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
  __shared__ alignas(16) float operands[1344];
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
extern "C" __global__ void __launch_bounds__(16) attention(
    float* __restrict__ reshape,
    const float* __restrict__ add,
    const float* __restrict__ stack) {
  __shared__ alignas(16) float operands[640];
  float own[16];
  float own_1[8];
  __shared__ float parts[32];
  float held[8];
  const unsigned column = threadIdx.x % 2u;
  const unsigned row = threadIdx.x / 2u;
  const unsigned at = min(row, 3u);
  const bool inside = row < 4u;
  const unsigned i = (((blockIdx.z * 768u) + (at * 192u)) + (blockIdx.y * 8u)) + (column * 4u);
  if (threadIdx.x < 8u) {
    const float4 add_1_4 = reinterpret_cast<const float4*>(add)[i / 4u];
    const float add_1 = add_1_4.x;
    const float add_2 = add_1_4.y;
    const float add_3 = add_1_4.z;
    const float add_4 = add_1_4.w;
    const float4 add_5_4 = reinterpret_cast<const float4*>(add)[(i + 48u) / 4u];
    const float add_5 = add_5_4.x;
    const float add_6 = add_5_4.y;
    const float add_7 = add_5_4.z;
    const float add_8 = add_5_4.w;
    const float4 add_9_4 = reinterpret_cast<const float4*>(add)[(i + 96u) / 4u];
    const float add_9 = add_9_4.x;
    const float add_10 = add_9_4.y;
    const float add_11 = add_9_4.z;
    const float add_12 = add_9_4.w;
    const float4 add_13_4 = reinterpret_cast<const float4*>(add)[(i + 144u) / 4u];
    const float add_13 = add_13_4.x;
    const float add_14 = add_13_4.y;
    const float add_15 = add_13_4.z;
    const float add_16 = add_13_4.w;
    reinterpret_cast<float4*>(operands)[(row * 12u) + column] = {inside ? (add_1 * 0.35355338f) : 0.0f, inside ? (add_2 * 0.35355338f) : 0.0f, inside ? (add_3 * 0.35355338f) : 0.0f, inside ? (add_4 * 0.35355338f) : 0.0f};
    reinterpret_cast<float4*>(operands)[((row * 12u) + column) + 3u] = {inside ? (add_5 * 0.35355338f) : 0.0f, inside ? (add_6 * 0.35355338f) : 0.0f, inside ? (add_7 * 0.35355338f) : 0.0f, inside ? (add_8 * 0.35355338f) : 0.0f};
    reinterpret_cast<float4*>(operands)[((row * 12u) + column) + 6u] = {inside ? (add_9 * 0.35355338f) : 0.0f, inside ? (add_10 * 0.35355338f) : 0.0f, inside ? (add_11 * 0.35355338f) : 0.0f, inside ? (add_12 * 0.35355338f) : 0.0f};
    reinterpret_cast<float4*>(operands)[((row * 12u) + column) + 9u] = {inside ? (add_13 * 0.35355338f) : 0.0f, inside ? (add_14 * 0.35355338f) : 0.0f, inside ? (add_15 * 0.35355338f) : 0.0f, inside ? (add_16 * 0.35355338f) : 0.0f};
  }
  float carried = __uint_as_float(0xff800000u);
  float carried_1 = __uint_as_float(0xff800000u);
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  float carried_4 = 0.0f;
  float carried_5 = 0.0f;
  float carried_6 = 0.0f;
  float carried_7 = 0.0f;
  float carried_8 = 0.0f;
  float carried_9 = 0.0f;
  float carried_10 = 0.0f;
  float carried_11 = 0.0f;
  const unsigned e = (threadIdx.x + 8u) % 16u;
  const unsigned r = e / 4u;
  const unsigned c = e % 4u;
  const unsigned i_1 = (((blockIdx.z * 768u) + (c * 192u)) + (blockIdx.y * 8u)) + (r * 4u);
  if (e < 8u) {
    const float4 add_17_4 = reinterpret_cast<const float4*>(add)[(i_1 + 16u) / 4u];
    const float add_17 = add_17_4.x;
    const float add_21 = add_17_4.y;
    const float add_25 = add_17_4.z;
    const float add_29 = add_17_4.w;
    const float4 add_18_4 = reinterpret_cast<const float4*>(add)[(i_1 + 64u) / 4u];
    const float add_18 = add_18_4.x;
    const float add_22 = add_18_4.y;
    const float add_26 = add_18_4.z;
    const float add_30 = add_18_4.w;
    const float4 add_19_4 = reinterpret_cast<const float4*>(add)[(i_1 + 112u) / 4u];
    const float add_19 = add_19_4.x;
    const float add_23 = add_19_4.y;
    const float add_27 = add_19_4.z;
    const float add_31 = add_19_4.w;
    const float4 add_20_4 = reinterpret_cast<const float4*>(add)[(i_1 + 160u) / 4u];
    const float add_20 = add_20_4.x;
    const float add_24 = add_20_4.y;
    const float add_28 = add_20_4.z;
    const float add_32 = add_20_4.w;
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 48u] = {add_17, add_18, add_19, add_20};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 52u] = {add_21, add_22, add_23, add_24};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 56u] = {add_25, add_26, add_27, add_28};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 60u] = {add_29, add_30, add_31, add_32};
  }
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
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 2u; ++quad) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 6u) + quad];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((row * 6u) + quad) + 3u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 48u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 50u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    sum = fmaf(operands_1, operands_9, sum);
    sum_1 = fmaf(operands_1, operands_10, sum_1);
    sum_2 = fmaf(operands_1, operands_11, sum_2);
    sum_3 = fmaf(operands_1, operands_12, sum_3);
    sum_4 = fmaf(operands_1, operands_13, sum_4);
    sum_5 = fmaf(operands_1, operands_14, sum_5);
    sum_6 = fmaf(operands_1, operands_15, sum_6);
    sum_7 = fmaf(operands_1, operands_16, sum_7);
    sum_8 = fmaf(operands_5, operands_9, sum_8);
    sum_9 = fmaf(operands_5, operands_10, sum_9);
    sum_10 = fmaf(operands_5, operands_11, sum_10);
    sum_11 = fmaf(operands_5, operands_12, sum_11);
    sum_12 = fmaf(operands_5, operands_13, sum_12);
    sum_13 = fmaf(operands_5, operands_14, sum_13);
    sum_14 = fmaf(operands_5, operands_15, sum_14);
    sum_15 = fmaf(operands_5, operands_16, sum_15);
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 52u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    const float4 operands_21_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 54u];
    const float operands_21 = operands_21_4.x;
    const float operands_22 = operands_21_4.y;
    const float operands_23 = operands_21_4.z;
    const float operands_24 = operands_21_4.w;
    sum = fmaf(operands_2, operands_17, sum);
    sum_1 = fmaf(operands_2, operands_18, sum_1);
    sum_2 = fmaf(operands_2, operands_19, sum_2);
    sum_3 = fmaf(operands_2, operands_20, sum_3);
    sum_4 = fmaf(operands_2, operands_21, sum_4);
    sum_5 = fmaf(operands_2, operands_22, sum_5);
    sum_6 = fmaf(operands_2, operands_23, sum_6);
    sum_7 = fmaf(operands_2, operands_24, sum_7);
    sum_8 = fmaf(operands_6, operands_17, sum_8);
    sum_9 = fmaf(operands_6, operands_18, sum_9);
    sum_10 = fmaf(operands_6, operands_19, sum_10);
    sum_11 = fmaf(operands_6, operands_20, sum_11);
    sum_12 = fmaf(operands_6, operands_21, sum_12);
    sum_13 = fmaf(operands_6, operands_22, sum_13);
    sum_14 = fmaf(operands_6, operands_23, sum_14);
    sum_15 = fmaf(operands_6, operands_24, sum_15);
    const float4 operands_25_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 56u];
    const float operands_25 = operands_25_4.x;
    const float operands_26 = operands_25_4.y;
    const float operands_27 = operands_25_4.z;
    const float operands_28 = operands_25_4.w;
    const float4 operands_29_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 58u];
    const float operands_29 = operands_29_4.x;
    const float operands_30 = operands_29_4.y;
    const float operands_31 = operands_29_4.z;
    const float operands_32 = operands_29_4.w;
    sum = fmaf(operands_3, operands_25, sum);
    sum_1 = fmaf(operands_3, operands_26, sum_1);
    sum_2 = fmaf(operands_3, operands_27, sum_2);
    sum_3 = fmaf(operands_3, operands_28, sum_3);
    sum_4 = fmaf(operands_3, operands_29, sum_4);
    sum_5 = fmaf(operands_3, operands_30, sum_5);
    sum_6 = fmaf(operands_3, operands_31, sum_6);
    sum_7 = fmaf(operands_3, operands_32, sum_7);
    sum_8 = fmaf(operands_7, operands_25, sum_8);
    sum_9 = fmaf(operands_7, operands_26, sum_9);
    sum_10 = fmaf(operands_7, operands_27, sum_10);
    sum_11 = fmaf(operands_7, operands_28, sum_11);
    sum_12 = fmaf(operands_7, operands_29, sum_12);
    sum_13 = fmaf(operands_7, operands_30, sum_13);
    sum_14 = fmaf(operands_7, operands_31, sum_14);
    sum_15 = fmaf(operands_7, operands_32, sum_15);
    const float4 operands_33_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 60u];
    const float operands_33 = operands_33_4.x;
    const float operands_34 = operands_33_4.y;
    const float operands_35 = operands_33_4.z;
    const float operands_36 = operands_33_4.w;
    const float4 operands_37_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 62u];
    const float operands_37 = operands_37_4.x;
    const float operands_38 = operands_37_4.y;
    const float operands_39 = operands_37_4.z;
    const float operands_40 = operands_37_4.w;
    sum = fmaf(operands_4, operands_33, sum);
    sum_1 = fmaf(operands_4, operands_34, sum_1);
    sum_2 = fmaf(operands_4, operands_35, sum_2);
    sum_3 = fmaf(operands_4, operands_36, sum_3);
    sum_4 = fmaf(operands_4, operands_37, sum_4);
    sum_5 = fmaf(operands_4, operands_38, sum_5);
    sum_6 = fmaf(operands_4, operands_39, sum_6);
    sum_7 = fmaf(operands_4, operands_40, sum_7);
    sum_8 = fmaf(operands_8, operands_33, sum_8);
    sum_9 = fmaf(operands_8, operands_34, sum_9);
    sum_10 = fmaf(operands_8, operands_35, sum_10);
    sum_11 = fmaf(operands_8, operands_36, sum_11);
    sum_12 = fmaf(operands_8, operands_37, sum_12);
    sum_13 = fmaf(operands_8, operands_38, sum_13);
    sum_14 = fmaf(operands_8, operands_39, sum_14);
    sum_15 = fmaf(operands_8, operands_40, sum_15);
  }
  const unsigned i_2 = (blockIdx.z * 768u) + (blockIdx.y * 8u);
  _Pragma("unroll 1") for (unsigned e_1 = 0u; e_1 < 16u; ++e_1) {
    const unsigned at_1 = (row * 2u) + (e_1 / 8u);
    const unsigned at_2 = ((((e_1 % 8u) / 4u) * 8u) + (column * 4u)) + (e_1 % 4u);
    const unsigned y = at_2 / 4u;
    const unsigned y_1 = at_1 / 4u;
    const unsigned x = at_1 % 4u;
    const unsigned at_3 = (y_1 * 4u) + x;
    const float4 add_33_4 = reinterpret_cast<const float4*>(add)[(i_2 + (at_3 * 48u)) / 4u];
    const float add_33 = add_33_4.x;
    const float add_34 = add_33_4.y;
    const float add_35 = add_33_4.z;
    const float add_36 = add_33_4.w;
    const unsigned row_1 = ((at_1 / 4u) + 3u) - y;
    const float4 stack_1_4 = reinterpret_cast<const float4*>(stack)[(row_1 * 8u) / 4u];
    const float stack_1 = stack_1_4.x;
    const float stack_2 = stack_1_4.y;
    const float stack_3 = stack_1_4.z;
    const float stack_4 = stack_1_4.w;
    const float4 add_37_4 = reinterpret_cast<const float4*>(add)[((i_2 + (at_3 * 48u)) + 4u) / 4u];
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
    const unsigned x_1 = at_2 % 4u;
    const unsigned row_2 = ((at_1 % 4u) + 10u) - x_1;
    const unsigned i_3 = (row_2 * 8u) / 56u;
    const unsigned i_4 = row_2 % 7u;
    const float4 stack_9_4 = reinterpret_cast<const float4*>(stack)[((i_3 * 64u) + (i_4 * 8u)) / 4u];
    const float stack_9 = stack_9_4.x;
    const float stack_10 = stack_9_4.y;
    const float stack_11 = stack_9_4.z;
    const float stack_12 = stack_9_4.w;
    const float4 stack_13_4 = reinterpret_cast<const float4*>(stack)[(((i_3 * 64u) + (i_4 * 8u)) + 4u) / 4u];
    const float stack_13 = stack_13_4.x;
    const float stack_14 = stack_13_4.y;
    const float stack_15 = stack_13_4.z;
    const float stack_16 = stack_13_4.w;
    const float matmul_1 = (((add_33 * stack_9) + (add_34 * stack_10)) + ((add_35 * stack_11) + (add_36 * stack_12))) + (((add_37 * stack_13) + (add_38 * stack_14)) + ((add_39 * stack_15) + (add_40 * stack_16)));
    own[e_1] = matmul + matmul_1;
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
  _Pragma("unroll 1") for (unsigned e_2 = 0u; e_2 < 8u; ++e_2) {
    own_1[e_2] = 1.0f;
  }
  const float x_18 = own_1[0u];
  const float x_19 = own_1[1u];
  const float x_20 = own_1[2u];
  const float x_21 = own_1[3u];
  const float x_22 = own_1[4u];
  const float x_23 = own_1[5u];
  const float x_24 = own_1[6u];
  const float x_25 = own_1[7u];
  const float x_26 = (x_18 == 0.0f) ? __uint_as_float(0xff800000u) : (sum + x_2);
  const float x_27 = (x_19 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_1 + x_3);
  const float x_28 = (x_20 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_2 + x_4);
  const float x_29 = (x_21 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_3 + x_5);
  const float x_30 = (x_22 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_4 + x_6);
  const float x_31 = (x_23 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_5 + x_7);
  const float x_32 = (x_24 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_6 + x_8);
  const float x_33 = (x_25 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_7 + x_9);
  const float x_34 = (x_18 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_8 + x_10);
  const float x_35 = (x_19 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_9 + x_11);
  const float x_36 = (x_20 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_10 + x_12);
  const float x_37 = (x_21 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_11 + x_13);
  const float x_38 = (x_22 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_12 + x_14);
  const float x_39 = (x_23 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_13 + x_15);
  const float x_40 = (x_24 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_14 + x_16);
  const float x_41 = (x_25 == 0.0f) ? __uint_as_float(0xff800000u) : (sum_15 + x_17);
  const float part = fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(x_26, x_27), x_28), x_29), x_30), x_31), x_32), x_33);
  const float part_1 = fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(fmaxf(x_34, x_35), x_36), x_37), x_38), x_39), x_40), x_41);
  parts[(row * 4u) + column] = part;
  parts[((row * 4u) + column) + 2u] = part_1;
  __syncthreads();
  float all = __uint_as_float(0xff800000u);
  float all_1 = __uint_as_float(0xff800000u);
  _Pragma("unroll 1") for (unsigned p = 0u; p < 2u; ++p) {
    all = fmaxf(all, parts[(row * 4u) + p]);
    all_1 = fmaxf(all_1, parts[((row * 4u) + p) + 2u]);
  }
  const float all_2 = all;
  const float all_3 = all_1;
  const float x_42 = fmaxf(carried, all_2);
  const float x_43 = fmaxf(carried_1, all_3);
  const float x_44 = expf((carried - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_45 = expf((carried_1 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_46 = expf((x_26 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_47 = expf((x_27 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_48 = expf((x_28 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_49 = expf((x_29 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_50 = expf((x_30 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_51 = expf((x_31 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_52 = expf((x_32 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_53 = expf((x_33 - fmaxf(x_42, (-340282346638528859811704183484516925440.0f))));
  const float x_54 = expf((x_34 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_55 = expf((x_35 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_56 = expf((x_36 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_57 = expf((x_37 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_58 = expf((x_38 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_59 = expf((x_39 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_60 = expf((x_40 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float x_61 = expf((x_41 - fmaxf(x_43, (-340282346638528859811704183484516925440.0f))));
  const float part_2 = ((((((x_46 + x_47) + x_48) + x_49) + x_50) + x_51) + x_52) + x_53;
  const float part_3 = ((((((x_54 + x_55) + x_56) + x_57) + x_58) + x_59) + x_60) + x_61;
  __syncthreads();
  parts[(row * 4u) + column] = part_2;
  parts[((row * 4u) + column) + 2u] = part_3;
  __syncthreads();
  float all_4 = 0.0f;
  float all_5 = 0.0f;
  _Pragma("unroll 1") for (unsigned p_1 = 0u; p_1 < 2u; ++p_1) {
    all_4 = all_4 + parts[(row * 4u) + p_1];
    all_5 = all_5 + parts[((row * 4u) + p_1) + 2u];
  }
  const float all_6 = all_4;
  const float all_7 = all_5;
  const float x_62 = fmaf(carried_2, x_44, all_6);
  const float x_63 = fmaf(carried_3, x_45, all_7);
  if (threadIdx.x < 8u) {
    const float4 add_41_4 = reinterpret_cast<const float4*>(add)[(i + 32u) / 4u];
    const float add_41 = add_41_4.x;
    const float add_42 = add_41_4.y;
    const float add_43 = add_41_4.z;
    const float add_44 = add_41_4.w;
    const float4 add_45_4 = reinterpret_cast<const float4*>(add)[(i + 80u) / 4u];
    const float add_45 = add_45_4.x;
    const float add_46 = add_45_4.y;
    const float add_47 = add_45_4.z;
    const float add_48 = add_45_4.w;
    const float4 add_49_4 = reinterpret_cast<const float4*>(add)[(i + 128u) / 4u];
    const float add_49 = add_49_4.x;
    const float add_50 = add_49_4.y;
    const float add_51 = add_49_4.z;
    const float add_52 = add_49_4.w;
    const float4 add_53_4 = reinterpret_cast<const float4*>(add)[(i + 176u) / 4u];
    const float add_53 = add_53_4.x;
    const float add_54 = add_53_4.y;
    const float add_55 = add_53_4.z;
    const float add_56 = add_53_4.w;
    reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 48u] = {inside ? add_41 : 0.0f, inside ? add_42 : 0.0f, inside ? add_43 : 0.0f, inside ? add_44 : 0.0f};
    reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 50u] = {inside ? add_45 : 0.0f, inside ? add_46 : 0.0f, inside ? add_47 : 0.0f, inside ? add_48 : 0.0f};
    reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 52u] = {inside ? add_49 : 0.0f, inside ? add_50 : 0.0f, inside ? add_51 : 0.0f, inside ? add_52 : 0.0f};
    reinterpret_cast<float4*>(operands)[((row * 8u) + column) + 54u] = {inside ? add_53 : 0.0f, inside ? add_54 : 0.0f, inside ? add_55 : 0.0f, inside ? add_56 : 0.0f};
  }
  const float x_64 = carried_4 * x_44;
  const float x_65 = carried_5 * x_44;
  const float x_66 = carried_6 * x_44;
  const float x_67 = carried_7 * x_44;
  const float x_68 = carried_8 * x_45;
  const float x_69 = carried_9 * x_45;
  const float x_70 = carried_10 * x_45;
  const float x_71 = carried_11 * x_45;
  reinterpret_cast<float4*>(operands)[((row * 10u) + column) + 80u] = {x_46, x_47, x_48, x_49};
  reinterpret_cast<float4*>(operands)[((row * 10u) + column) + 82u] = {x_50, x_51, x_52, x_53};
  reinterpret_cast<float4*>(operands)[((row * 10u) + column) + 85u] = {x_54, x_55, x_56, x_57};
  reinterpret_cast<float4*>(operands)[((row * 10u) + column) + 87u] = {x_58, x_59, x_60, x_61};
  float sum_16 = x_64;
  float sum_17 = x_65;
  float sum_18 = x_66;
  float sum_19 = x_67;
  float sum_20 = x_68;
  float sum_21 = x_69;
  float sum_22 = x_70;
  float sum_23 = x_71;
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad_1 = 0u; quad_1 < 4u; ++quad_1) {
    const float4 operands_41_4 = reinterpret_cast<const float4*>(operands)[((row * 10u) + quad_1) + 80u];
    const float operands_41 = operands_41_4.x;
    const float operands_42 = operands_41_4.y;
    const float operands_43 = operands_41_4.z;
    const float operands_44 = operands_41_4.w;
    const float4 operands_45_4 = reinterpret_cast<const float4*>(operands)[((row * 10u) + quad_1) + 85u];
    const float operands_45 = operands_45_4.x;
    const float operands_46 = operands_45_4.y;
    const float operands_47 = operands_45_4.z;
    const float operands_48 = operands_45_4.w;
    const float4 operands_49_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 8u) + column) + 48u];
    const float operands_49 = operands_49_4.x;
    const float operands_50 = operands_49_4.y;
    const float operands_51 = operands_49_4.z;
    const float operands_52 = operands_49_4.w;
    sum_16 = fmaf(operands_41, operands_49, sum_16);
    sum_17 = fmaf(operands_41, operands_50, sum_17);
    sum_18 = fmaf(operands_41, operands_51, sum_18);
    sum_19 = fmaf(operands_41, operands_52, sum_19);
    sum_20 = fmaf(operands_45, operands_49, sum_20);
    sum_21 = fmaf(operands_45, operands_50, sum_21);
    sum_22 = fmaf(operands_45, operands_51, sum_22);
    sum_23 = fmaf(operands_45, operands_52, sum_23);
    const float4 operands_53_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 8u) + column) + 50u];
    const float operands_53 = operands_53_4.x;
    const float operands_54 = operands_53_4.y;
    const float operands_55 = operands_53_4.z;
    const float operands_56 = operands_53_4.w;
    sum_16 = fmaf(operands_42, operands_53, sum_16);
    sum_17 = fmaf(operands_42, operands_54, sum_17);
    sum_18 = fmaf(operands_42, operands_55, sum_18);
    sum_19 = fmaf(operands_42, operands_56, sum_19);
    sum_20 = fmaf(operands_46, operands_53, sum_20);
    sum_21 = fmaf(operands_46, operands_54, sum_21);
    sum_22 = fmaf(operands_46, operands_55, sum_22);
    sum_23 = fmaf(operands_46, operands_56, sum_23);
    const float4 operands_57_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 8u) + column) + 52u];
    const float operands_57 = operands_57_4.x;
    const float operands_58 = operands_57_4.y;
    const float operands_59 = operands_57_4.z;
    const float operands_60 = operands_57_4.w;
    sum_16 = fmaf(operands_43, operands_57, sum_16);
    sum_17 = fmaf(operands_43, operands_58, sum_17);
    sum_18 = fmaf(operands_43, operands_59, sum_18);
    sum_19 = fmaf(operands_43, operands_60, sum_19);
    sum_20 = fmaf(operands_47, operands_57, sum_20);
    sum_21 = fmaf(operands_47, operands_58, sum_21);
    sum_22 = fmaf(operands_47, operands_59, sum_22);
    sum_23 = fmaf(operands_47, operands_60, sum_23);
    const float4 operands_61_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 8u) + column) + 54u];
    const float operands_61 = operands_61_4.x;
    const float operands_62 = operands_61_4.y;
    const float operands_63 = operands_61_4.z;
    const float operands_64 = operands_61_4.w;
    sum_16 = fmaf(operands_44, operands_61, sum_16);
    sum_17 = fmaf(operands_44, operands_62, sum_17);
    sum_18 = fmaf(operands_44, operands_63, sum_18);
    sum_19 = fmaf(operands_44, operands_64, sum_19);
    sum_20 = fmaf(operands_48, operands_61, sum_20);
    sum_21 = fmaf(operands_48, operands_62, sum_21);
    sum_22 = fmaf(operands_48, operands_63, sum_22);
    sum_23 = fmaf(operands_48, operands_64, sum_23);
  }
  const float next = sum_16;
  const float next_1 = sum_17;
  const float next_2 = sum_18;
  const float next_3 = sum_19;
  const float next_4 = sum_20;
  const float next_5 = sum_21;
  const float next_6 = sum_22;
  const float next_7 = sum_23;
  carried = x_42;
  carried_1 = x_43;
  carried_2 = x_62;
  carried_3 = x_63;
  carried_4 = next;
  carried_5 = next_1;
  carried_6 = next_2;
  carried_7 = next_3;
  carried_8 = next_4;
  carried_9 = next_5;
  carried_10 = next_6;
  carried_11 = next_7;
  const float x_72 = 1.0f / carried_2;
  const float x_73 = 1.0f / carried_3;
  const float x_74 = carried_4 * x_72;
  const float x_75 = carried_5 * x_72;
  const float x_76 = carried_6 * x_72;
  const float x_77 = carried_7 * x_72;
  const float x_78 = carried_8 * x_73;
  const float x_79 = carried_9 * x_73;
  const float x_80 = carried_10 * x_73;
  const float x_81 = carried_11 * x_73;
  held[0u] = x_74;
  held[1u] = x_75;
  held[2u] = x_76;
  held[3u] = x_77;
  held[4u] = x_78;
  held[5u] = x_79;
  held[6u] = x_80;
  held[7u] = x_81;
  _Pragma("unroll 1") for (unsigned e_3 = 0u; e_3 < 8u; ++e_3) {
    const unsigned r_1 = (row * 2u) + (e_3 / 4u);
    const unsigned c_1 = (column * 4u) + (e_3 % 4u);
    const float value = held[e_3];
    reshape[(((blockIdx.z * 256u) + (r_1 * 16u)) + (blockIdx.y * 8u)) + c_1] = value;
  }
}

// matmul_add: step 3
extern "C" __global__ void __launch_bounds__(64) matmul_add(
    float* __restrict__ add,
    const float* __restrict__ reshape,
    const float* __restrict__ weight,
    const float* __restrict__ x) {
  __shared__ alignas(16) float operands[1344];
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
