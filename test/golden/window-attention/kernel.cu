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
extern "C" __global__ void __launch_bounds__(128) matmul_add_kernel(
    float* __restrict__ add,
    const float* __restrict__ weight,
    const float* __restrict__ add_1,
    const float* __restrict__ bias) {
  alignas(16) __shared__ float operands[1152];
  float held[8];
  const unsigned column = threadIdx.x % 8u;
  const unsigned row = threadIdx.x / 8u;
  float carried = 0.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  float carried_4 = 0.0f;
  float carried_5 = 0.0f;
  float carried_6 = 0.0f;
  float carried_7 = 0.0f;
  const unsigned r = threadIdx.x / 4u;
  const unsigned c = threadIdx.x % 4u;
  const unsigned at = (blockIdx.y * 8u) + r;
  const unsigned c_1 = min((((at / 8u) * 4u) + (at % 4u)), 5u);
  const unsigned c_2 = ((at / 4u) % 2u) * 4u;
  const unsigned c_3 = c * 4u;
  const unsigned i = ((c_1 * 96u) + (c_2 * 16u)) + c_3;
  const unsigned c_4 = (c * 4u) + 1u;
  const unsigned i_1 = ((c_1 * 96u) + (c_2 * 16u)) + c_4;
  const unsigned c_5 = (c * 4u) + 2u;
  const unsigned i_2 = ((c_1 * 96u) + (c_2 * 16u)) + c_5;
  const unsigned c_6 = (c * 4u) + 3u;
  const unsigned i_3 = ((c_1 * 96u) + (c_2 * 16u)) + c_6;
  const unsigned c_7 = (((at / 4u) % 2u) * 4u) + 1u;
  const unsigned i_4 = ((c_1 * 96u) + (c_7 * 16u)) + c_3;
  const unsigned i_5 = ((c_1 * 96u) + (c_7 * 16u)) + c_4;
  const unsigned i_6 = ((c_1 * 96u) + (c_7 * 16u)) + c_5;
  const unsigned i_7 = ((c_1 * 96u) + (c_7 * 16u)) + c_6;
  const unsigned c_8 = min(((((at / 4u) % 2u) * 4u) + 2u), 5u);
  const unsigned i_8 = ((c_1 * 96u) + (c_8 * 16u)) + c_3;
  const unsigned i_9 = ((c_1 * 96u) + (c_8 * 16u)) + c_4;
  const unsigned i_10 = ((c_1 * 96u) + (c_8 * 16u)) + c_5;
  const unsigned i_11 = ((c_1 * 96u) + (c_8 * 16u)) + c_6;
  const unsigned c_9 = min(((((at / 4u) % 2u) * 4u) + 3u), 5u);
  const unsigned i_12 = ((c_1 * 96u) + (c_9 * 16u)) + c_3;
  const unsigned i_13 = ((c_1 * 96u) + (c_9 * 16u)) + c_4;
  const unsigned i_14 = ((c_1 * 96u) + (c_9 * 16u)) + c_5;
  const unsigned i_15 = ((c_1 * 96u) + (c_9 * 16u)) + c_6;
  if (threadIdx.x < 32u) {
    const float add_2 = add_1[i];
    const float pad = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_2 : 0.0f;
    const float add_3 = add_1[i_1];
    const float pad_1 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_3 : 0.0f;
    const float add_4 = add_1[i_2];
    const float pad_2 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_4 : 0.0f;
    const float add_5 = add_1[i_3];
    const float pad_3 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_5 : 0.0f;
    const float add_6 = add_1[i_4];
    const float pad_4 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_6 : 0.0f;
    const float add_7 = add_1[i_5];
    const float pad_5 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_7 : 0.0f;
    const float add_8 = add_1[i_6];
    const float pad_6 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_8 : 0.0f;
    const float add_9 = add_1[i_7];
    const float pad_7 = ((((at / 8u) * 4u) + (at % 4u)) <= 5u) ? add_9 : 0.0f;
    const float add_10 = add_1[i_8];
    const float pad_8 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 2u) <= 5u)) ? add_10 : 0.0f;
    const float add_11 = add_1[i_9];
    const float pad_9 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 2u) <= 5u)) ? add_11 : 0.0f;
    const float add_12 = add_1[i_10];
    const float pad_10 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 2u) <= 5u)) ? add_12 : 0.0f;
    const float add_13 = add_1[i_11];
    const float pad_11 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 2u) <= 5u)) ? add_13 : 0.0f;
    const float add_14 = add_1[i_12];
    const float pad_12 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 3u) <= 5u)) ? add_14 : 0.0f;
    const float add_15 = add_1[i_13];
    const float pad_13 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 3u) <= 5u)) ? add_15 : 0.0f;
    const float add_16 = add_1[i_14];
    const float pad_14 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 3u) <= 5u)) ? add_16 : 0.0f;
    const float add_17 = add_1[i_15];
    const float pad_15 = (((((at / 8u) * 4u) + (at % 4u)) <= 5u) && (((((at / 4u) % 2u) * 4u) + 3u) <= 5u)) ? add_17 : 0.0f;
    reinterpret_cast<float4*>(operands)[(r * 20u) + c] = {pad, pad_1, pad_2, pad_3};
    reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 5u] = {pad_4, pad_5, pad_6, pad_7};
    reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 10u] = {pad_8, pad_9, pad_10, pad_11};
    reinterpret_cast<float4*>(operands)[((r * 20u) + c) + 15u] = {pad_12, pad_13, pad_14, pad_15};
  }
  const unsigned e = (threadIdx.x + 96u) % 128u;
  const unsigned r_1 = e / 8u;
  const unsigned c_10 = e % 8u;
  const unsigned at_1 = (blockIdx.x * 8u) + c_10;
  const unsigned at_2 = min(at_1, 11u);
  const bool inside = at_1 < 12u;
  const unsigned i_16 = (r_1 * 192u) + (at_2 * 4u);
  if (e < 32u) {
    const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i_16 / 4u];
    const float weight_1 = weight_1_4.x;
    const float weight_2 = weight_1_4.y;
    const float weight_3 = weight_1_4.z;
    const float weight_4 = weight_1_4.w;
    const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i_16 + 48u) / 4u];
    const float weight_5 = weight_5_4.x;
    const float weight_6 = weight_5_4.y;
    const float weight_7 = weight_5_4.z;
    const float weight_8 = weight_5_4.w;
    const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i_16 + 96u) / 4u];
    const float weight_9 = weight_9_4.x;
    const float weight_10 = weight_9_4.y;
    const float weight_11 = weight_9_4.z;
    const float weight_12 = weight_9_4.w;
    const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i_16 + 144u) / 4u];
    const float weight_13 = weight_13_4.x;
    const float weight_14 = weight_13_4.y;
    const float weight_15 = weight_13_4.z;
    const float weight_16 = weight_13_4.w;
    reinterpret_cast<float4*>(operands)[((r_1 * 32u) + c_10) + 160u] = {inside ? weight_1 : 0.0f, inside ? weight_2 : 0.0f, inside ? weight_3 : 0.0f, inside ? weight_4 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r_1 * 32u) + c_10) + 168u] = {inside ? weight_5 : 0.0f, inside ? weight_6 : 0.0f, inside ? weight_7 : 0.0f, inside ? weight_8 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r_1 * 32u) + c_10) + 176u] = {inside ? weight_9 : 0.0f, inside ? weight_10 : 0.0f, inside ? weight_11 : 0.0f, inside ? weight_12 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r_1 * 32u) + c_10) + 184u] = {inside ? weight_13 : 0.0f, inside ? weight_14 : 0.0f, inside ? weight_15 : 0.0f, inside ? weight_16 : 0.0f};
  }
  __syncthreads();
  for (unsigned quad = 0u; quad < 4u; ++quad) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 10u) + quad];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((row * 10u) + quad) + 5u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((quad * 32u) + column) + 160u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    carried = fmaf(operands_1, operands_9, carried);
    carried_1 = fmaf(operands_1, operands_10, carried_1);
    carried_2 = fmaf(operands_1, operands_11, carried_2);
    carried_3 = fmaf(operands_1, operands_12, carried_3);
    carried_4 = fmaf(operands_5, operands_9, carried_4);
    carried_5 = fmaf(operands_5, operands_10, carried_5);
    carried_6 = fmaf(operands_5, operands_11, carried_6);
    carried_7 = fmaf(operands_5, operands_12, carried_7);
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((quad * 32u) + column) + 168u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    carried = fmaf(operands_2, operands_13, carried);
    carried_1 = fmaf(operands_2, operands_14, carried_1);
    carried_2 = fmaf(operands_2, operands_15, carried_2);
    carried_3 = fmaf(operands_2, operands_16, carried_3);
    carried_4 = fmaf(operands_6, operands_13, carried_4);
    carried_5 = fmaf(operands_6, operands_14, carried_5);
    carried_6 = fmaf(operands_6, operands_15, carried_6);
    carried_7 = fmaf(operands_6, operands_16, carried_7);
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((quad * 32u) + column) + 176u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    carried = fmaf(operands_3, operands_17, carried);
    carried_1 = fmaf(operands_3, operands_18, carried_1);
    carried_2 = fmaf(operands_3, operands_19, carried_2);
    carried_3 = fmaf(operands_3, operands_20, carried_3);
    carried_4 = fmaf(operands_7, operands_17, carried_4);
    carried_5 = fmaf(operands_7, operands_18, carried_5);
    carried_6 = fmaf(operands_7, operands_19, carried_6);
    carried_7 = fmaf(operands_7, operands_20, carried_7);
    const float4 operands_21_4 = reinterpret_cast<const float4*>(operands)[((quad * 32u) + column) + 184u];
    const float operands_21 = operands_21_4.x;
    const float operands_22 = operands_21_4.y;
    const float operands_23 = operands_21_4.z;
    const float operands_24 = operands_21_4.w;
    carried = fmaf(operands_4, operands_21, carried);
    carried_1 = fmaf(operands_4, operands_22, carried_1);
    carried_2 = fmaf(operands_4, operands_23, carried_2);
    carried_3 = fmaf(operands_4, operands_24, carried_3);
    carried_4 = fmaf(operands_8, operands_21, carried_4);
    carried_5 = fmaf(operands_8, operands_22, carried_5);
    carried_6 = fmaf(operands_8, operands_23, carried_6);
    carried_7 = fmaf(operands_8, operands_24, carried_7);
  }
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  held[4u] = carried_4;
  held[5u] = carried_5;
  held[6u] = carried_6;
  held[7u] = carried_7;
  const unsigned four = (blockIdx.x * 8u) + column;
  const unsigned i_17 = four * 4u;
  for (unsigned e_1 = 0u; e_1 < 2u; ++e_1) {
    const unsigned r_2 = ((blockIdx.y * 32u) + (row * 2u)) + e_1;
    const float value = held[e_1 * 4u];
    const float value_1 = held[(e_1 * 4u) + 1u];
    const float value_2 = held[(e_1 * 4u) + 2u];
    const float value_3 = held[(e_1 * 4u) + 3u];
    if (four < 12u) {
      const float4 bias_1_4 = reinterpret_cast<const float4*>(bias)[i_17 / 4u];
      const float bias_1 = bias_1_4.x;
      const float bias_2 = bias_1_4.y;
      const float bias_3 = bias_1_4.z;
      const float bias_4 = bias_1_4.w;
      const float add_18 = value + bias_1;
      add[(r_2 * 48u) + (four * 4u)] = add_18;
      const float add_19 = value_1 + bias_2;
      add[((r_2 * 48u) + (four * 4u)) + 1u] = add_19;
      const float add_20 = value_2 + bias_3;
      add[((r_2 * 48u) + (four * 4u)) + 2u] = add_20;
      const float add_21 = value_3 + bias_4;
      add[((r_2 * 48u) + (four * 4u)) + 3u] = add_21;
    }
  }
}

// attention: step 2
extern "C" __global__ void __launch_bounds__(64) attention_kernel(
    float* __restrict__ reshape,
    const float* __restrict__ add,
    const float* __restrict__ stack) {
  const unsigned subgroup_number = threadIdx.x / 32u;
  alignas(16) __shared__ float operands[768];
  float held[4];
  const unsigned number = (subgroup_number * 32u) + (threadIdx.x & 31u);
  const unsigned column = number % 4u;
  const unsigned row = number / 4u;
  const unsigned r = threadIdx.x / 2u;
  const unsigned c = threadIdx.x % 2u;
  const unsigned i = (((blockIdx.z * 768u) + (r * 192u)) + (blockIdx.y * 8u)) + (c * 4u);
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
    reinterpret_cast<float4*>(operands)[(r * 12u) + c] = {add_1 * 0.35355338f, add_2 * 0.35355338f, add_3 * 0.35355338f, add_4 * 0.35355338f};
    reinterpret_cast<float4*>(operands)[((r * 12u) + c) + 3u] = {add_5 * 0.35355338f, add_6 * 0.35355338f, add_7 * 0.35355338f, add_8 * 0.35355338f};
    reinterpret_cast<float4*>(operands)[((r * 12u) + c) + 6u] = {add_9 * 0.35355338f, add_10 * 0.35355338f, add_11 * 0.35355338f, add_12 * 0.35355338f};
    reinterpret_cast<float4*>(operands)[((r * 12u) + c) + 9u] = {add_13 * 0.35355338f, add_14 * 0.35355338f, add_15 * 0.35355338f, add_16 * 0.35355338f};
  }
  float carried = -340282346638528859811704183484516925440.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  float carried_4 = 0.0f;
  float carried_5 = 0.0f;
  const unsigned e = (threadIdx.x + 56u) % 64u;
  const unsigned r_1 = e / 4u;
  const unsigned c_1 = e % 4u;
  const unsigned i_1 = (((blockIdx.z * 768u) + (c_1 * 192u)) + (blockIdx.y * 8u)) + (r_1 * 4u);
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
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c_1) + 48u] = {add_17, add_18, add_19, add_20};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c_1) + 52u] = {add_21, add_22, add_23, add_24};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c_1) + 56u] = {add_25, add_26, add_27, add_28};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c_1) + 60u] = {add_29, add_30, add_31, add_32};
  }
  float sum = 0.0f;
  float sum_1 = 0.0f;
  float sum_2 = 0.0f;
  float sum_3 = 0.0f;
  __syncthreads();
  for (unsigned quad = 0u; quad < 2u; ++quad) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 3u) + quad];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 48u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    sum = fmaf(operands_1, operands_5, sum);
    sum_1 = fmaf(operands_1, operands_6, sum_1);
    sum_2 = fmaf(operands_1, operands_7, sum_2);
    sum_3 = fmaf(operands_1, operands_8, sum_3);
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 52u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    sum = fmaf(operands_2, operands_9, sum);
    sum_1 = fmaf(operands_2, operands_10, sum_1);
    sum_2 = fmaf(operands_2, operands_11, sum_2);
    sum_3 = fmaf(operands_2, operands_12, sum_3);
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 56u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    sum = fmaf(operands_3, operands_13, sum);
    sum_1 = fmaf(operands_3, operands_14, sum_1);
    sum_2 = fmaf(operands_3, operands_15, sum_2);
    sum_3 = fmaf(operands_3, operands_16, sum_3);
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((quad * 16u) + column) + 60u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    sum = fmaf(operands_4, operands_17, sum);
    sum_1 = fmaf(operands_4, operands_18, sum_1);
    sum_2 = fmaf(operands_4, operands_19, sum_2);
    sum_3 = fmaf(operands_4, operands_20, sum_3);
  }
  const unsigned y = row / 4u;
  const unsigned x = row % 4u;
  const unsigned at = (y * 4u) + x;
  const float4 add_33_4 = reinterpret_cast<const float4*>(add)[(((blockIdx.z * 768u) + (at * 48u)) + (blockIdx.y * 8u)) / 4u];
  const float add_33 = add_33_4.x;
  const float add_34 = add_33_4.y;
  const float add_35 = add_33_4.z;
  const float add_36 = add_33_4.w;
  const unsigned row_1 = ((row / 4u) + 3u) - column;
  const float4 stack_1_4 = reinterpret_cast<const float4*>(stack)[(row_1 * 8u) / 4u];
  const float stack_1 = stack_1_4.x;
  const float stack_2 = stack_1_4.y;
  const float stack_3 = stack_1_4.z;
  const float stack_4 = stack_1_4.w;
  const float4 add_37_4 = reinterpret_cast<const float4*>(add)[((((blockIdx.z * 768u) + (at * 48u)) + (blockIdx.y * 8u)) + 4u) / 4u];
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
  const unsigned row_2 = (row % 4u) + 10u;
  const unsigned i_2 = row_2 / 7u;
  const unsigned i_3 = row_2 % 7u;
  const float4 stack_9_4 = reinterpret_cast<const float4*>(stack)[((i_2 * 64u) + (i_3 * 8u)) / 4u];
  const float stack_9 = stack_9_4.x;
  const float stack_10 = stack_9_4.y;
  const float stack_11 = stack_9_4.z;
  const float stack_12 = stack_9_4.w;
  const float4 stack_13_4 = reinterpret_cast<const float4*>(stack)[(((i_2 * 64u) + (i_3 * 8u)) + 4u) / 4u];
  const float stack_13 = stack_13_4.x;
  const float stack_14 = stack_13_4.y;
  const float stack_15 = stack_13_4.z;
  const float stack_16 = stack_13_4.w;
  const float matmul_1 = (((add_33 * stack_9) + (add_34 * stack_10)) + ((add_35 * stack_11) + (add_36 * stack_12))) + (((add_37 * stack_13) + (add_38 * stack_14)) + ((add_39 * stack_15) + (add_40 * stack_16)));
  const float x_1 = matmul + matmul_1;
  const unsigned row_3 = (row % 4u) + 9u;
  const unsigned i_4 = row_3 / 7u;
  const unsigned i_5 = row_3 % 7u;
  const float4 stack_17_4 = reinterpret_cast<const float4*>(stack)[((i_4 * 64u) + (i_5 * 8u)) / 4u];
  const float stack_17 = stack_17_4.x;
  const float stack_18 = stack_17_4.y;
  const float stack_19 = stack_17_4.z;
  const float stack_20 = stack_17_4.w;
  const float4 stack_21_4 = reinterpret_cast<const float4*>(stack)[(((i_4 * 64u) + (i_5 * 8u)) + 4u) / 4u];
  const float stack_21 = stack_21_4.x;
  const float stack_22 = stack_21_4.y;
  const float stack_23 = stack_21_4.z;
  const float stack_24 = stack_21_4.w;
  const float matmul_2 = (((add_33 * stack_17) + (add_34 * stack_18)) + ((add_35 * stack_19) + (add_36 * stack_20))) + (((add_37 * stack_21) + (add_38 * stack_22)) + ((add_39 * stack_23) + (add_40 * stack_24)));
  const float x_2 = matmul + matmul_2;
  const unsigned row_4 = (row % 4u) + 8u;
  const unsigned i_6 = row_4 / 7u;
  const unsigned i_7 = row_4 % 7u;
  const float4 stack_25_4 = reinterpret_cast<const float4*>(stack)[((i_6 * 64u) + (i_7 * 8u)) / 4u];
  const float stack_25 = stack_25_4.x;
  const float stack_26 = stack_25_4.y;
  const float stack_27 = stack_25_4.z;
  const float stack_28 = stack_25_4.w;
  const float4 stack_29_4 = reinterpret_cast<const float4*>(stack)[(((i_6 * 64u) + (i_7 * 8u)) + 4u) / 4u];
  const float stack_29 = stack_29_4.x;
  const float stack_30 = stack_29_4.y;
  const float stack_31 = stack_29_4.z;
  const float stack_32 = stack_29_4.w;
  const float matmul_3 = (((add_33 * stack_25) + (add_34 * stack_26)) + ((add_35 * stack_27) + (add_36 * stack_28))) + (((add_37 * stack_29) + (add_38 * stack_30)) + ((add_39 * stack_31) + (add_40 * stack_32)));
  const float x_3 = matmul + matmul_3;
  const unsigned row_5 = (row % 4u) + 7u;
  const unsigned i_8 = row_5 / 7u;
  const unsigned i_9 = row_5 % 7u;
  const float4 stack_33_4 = reinterpret_cast<const float4*>(stack)[((i_8 * 64u) + (i_9 * 8u)) / 4u];
  const float stack_33 = stack_33_4.x;
  const float stack_34 = stack_33_4.y;
  const float stack_35 = stack_33_4.z;
  const float stack_36 = stack_33_4.w;
  const float4 stack_37_4 = reinterpret_cast<const float4*>(stack)[(((i_8 * 64u) + (i_9 * 8u)) + 4u) / 4u];
  const float stack_37 = stack_37_4.x;
  const float stack_38 = stack_37_4.y;
  const float stack_39 = stack_37_4.z;
  const float stack_40 = stack_37_4.w;
  const float matmul_4 = (((add_33 * stack_33) + (add_34 * stack_34)) + ((add_35 * stack_35) + (add_36 * stack_36))) + (((add_37 * stack_37) + (add_38 * stack_38)) + ((add_39 * stack_39) + (add_40 * stack_40)));
  const float x_4 = matmul + matmul_4;
  const float x_5 = (1.0f == 0.0f) ? __uint_as_float(0xff800000u) : (sum + x_1);
  const float x_6 = (1.0f == 0.0f) ? __uint_as_float(0xff800000u) : (sum_1 + x_2);
  const float x_7 = (1.0f == 0.0f) ? __uint_as_float(0xff800000u) : (sum_2 + x_3);
  const float x_8 = (1.0f == 0.0f) ? __uint_as_float(0xff800000u) : (sum_3 + x_4);
  const float part = fmaxf(fmaxf(fmaxf(x_5, x_6), x_7), x_8);
  const float all = fmaxf(part, __shfl_xor_sync(0xffffffffu, part, 1));
  const float all_1 = fmaxf(all, __shfl_xor_sync(0xffffffffu, all, 2));
  const float x_9 = fmaxf(carried, all_1);
  const float x_10 = expf((carried - x_9));
  const float x_11 = expf((x_5 - x_9));
  const float x_12 = expf((x_6 - x_9));
  const float x_13 = expf((x_7 - x_9));
  const float x_14 = expf((x_8 - x_9));
  const float part_1 = ((x_11 + x_12) + x_13) + x_14;
  const float all_2 = part_1 + __shfl_xor_sync(0xffffffffu, part_1, 1);
  const float all_3 = all_2 + __shfl_xor_sync(0xffffffffu, all_2, 2);
  const float x_15 = fmaf(carried_1, x_10, all_3);
  __syncthreads();
  const unsigned e_1 = (threadIdx.x + 48u) % 64u;
  const unsigned r_2 = e_1 / 4u;
  const unsigned c_2 = e_1 % 4u;
  const unsigned at_1 = min(c_2, 1u);
  const bool inside = c_2 < 2u;
  const unsigned i_10 = (((blockIdx.z * 768u) + (r_2 * 192u)) + (blockIdx.y * 8u)) + (at_1 * 4u);
  if (e_1 < 16u) {
    const float4 add_41_4 = reinterpret_cast<const float4*>(add)[(i_10 + 32u) / 4u];
    const float add_41 = add_41_4.x;
    const float add_42 = add_41_4.y;
    const float add_43 = add_41_4.z;
    const float add_44 = add_41_4.w;
    const float4 add_45_4 = reinterpret_cast<const float4*>(add)[(i_10 + 80u) / 4u];
    const float add_45 = add_45_4.x;
    const float add_46 = add_45_4.y;
    const float add_47 = add_45_4.z;
    const float add_48 = add_45_4.w;
    const float4 add_49_4 = reinterpret_cast<const float4*>(add)[(i_10 + 128u) / 4u];
    const float add_49 = add_49_4.x;
    const float add_50 = add_49_4.y;
    const float add_51 = add_49_4.z;
    const float add_52 = add_49_4.w;
    const float4 add_53_4 = reinterpret_cast<const float4*>(add)[(i_10 + 176u) / 4u];
    const float add_53 = add_53_4.x;
    const float add_54 = add_53_4.y;
    const float add_55 = add_53_4.z;
    const float add_56 = add_53_4.w;
    reinterpret_cast<float4*>(operands)[((r_2 * 16u) + c_2) + 48u] = {inside ? add_41 : 0.0f, inside ? add_42 : 0.0f, inside ? add_43 : 0.0f, inside ? add_44 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r_2 * 16u) + c_2) + 52u] = {inside ? add_45 : 0.0f, inside ? add_46 : 0.0f, inside ? add_47 : 0.0f, inside ? add_48 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r_2 * 16u) + c_2) + 56u] = {inside ? add_49 : 0.0f, inside ? add_50 : 0.0f, inside ? add_51 : 0.0f, inside ? add_52 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r_2 * 16u) + c_2) + 60u] = {inside ? add_53 : 0.0f, inside ? add_54 : 0.0f, inside ? add_55 : 0.0f, inside ? add_56 : 0.0f};
  }
  const float x_16 = carried_2 * x_10;
  const float x_17 = carried_3 * x_10;
  const float x_18 = carried_4 * x_10;
  const float x_19 = carried_5 * x_10;
  reinterpret_cast<float4*>(operands)[((row * 5u) + column) + 112u] = {x_11, x_12, x_13, x_14};
  float sum_4 = x_16;
  float sum_5 = x_17;
  float sum_6 = x_18;
  float sum_7 = x_19;
  __syncthreads();
  for (unsigned quad_1 = 0u; quad_1 < 4u; ++quad_1) {
    const float4 operands_21_4 = reinterpret_cast<const float4*>(operands)[((row * 5u) + quad_1) + 112u];
    const float operands_21 = operands_21_4.x;
    const float operands_22 = operands_21_4.y;
    const float operands_23 = operands_21_4.z;
    const float operands_24 = operands_21_4.w;
    const float4 operands_25_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 48u];
    const float operands_25 = operands_25_4.x;
    const float operands_26 = operands_25_4.y;
    const float operands_27 = operands_25_4.z;
    const float operands_28 = operands_25_4.w;
    sum_4 = fmaf(operands_21, operands_25, sum_4);
    sum_5 = fmaf(operands_21, operands_26, sum_5);
    sum_6 = fmaf(operands_21, operands_27, sum_6);
    sum_7 = fmaf(operands_21, operands_28, sum_7);
    const float4 operands_29_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 52u];
    const float operands_29 = operands_29_4.x;
    const float operands_30 = operands_29_4.y;
    const float operands_31 = operands_29_4.z;
    const float operands_32 = operands_29_4.w;
    sum_4 = fmaf(operands_22, operands_29, sum_4);
    sum_5 = fmaf(operands_22, operands_30, sum_5);
    sum_6 = fmaf(operands_22, operands_31, sum_6);
    sum_7 = fmaf(operands_22, operands_32, sum_7);
    const float4 operands_33_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 56u];
    const float operands_33 = operands_33_4.x;
    const float operands_34 = operands_33_4.y;
    const float operands_35 = operands_33_4.z;
    const float operands_36 = operands_33_4.w;
    sum_4 = fmaf(operands_23, operands_33, sum_4);
    sum_5 = fmaf(operands_23, operands_34, sum_5);
    sum_6 = fmaf(operands_23, operands_35, sum_6);
    sum_7 = fmaf(operands_23, operands_36, sum_7);
    const float4 operands_37_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 60u];
    const float operands_37 = operands_37_4.x;
    const float operands_38 = operands_37_4.y;
    const float operands_39 = operands_37_4.z;
    const float operands_40 = operands_37_4.w;
    sum_4 = fmaf(operands_24, operands_37, sum_4);
    sum_5 = fmaf(operands_24, operands_38, sum_5);
    sum_6 = fmaf(operands_24, operands_39, sum_6);
    sum_7 = fmaf(operands_24, operands_40, sum_7);
  }
  const float next = sum_4;
  const float next_1 = sum_5;
  const float next_2 = sum_6;
  const float next_3 = sum_7;
  carried = x_9;
  carried_1 = x_15;
  carried_2 = next;
  carried_3 = next_1;
  carried_4 = next_2;
  carried_5 = next_3;
  const float x_20 = 1.0f / carried_1;
  const float x_21 = carried_2 * x_20;
  const float x_22 = carried_3 * x_20;
  const float x_23 = carried_4 * x_20;
  const float x_24 = carried_5 * x_20;
  held[0u] = x_21;
  held[1u] = x_22;
  held[2u] = x_23;
  held[3u] = x_24;
  const float value = held[0u];
  const float value_1 = held[1u];
  const float value_2 = held[2u];
  const float value_3 = held[3u];
  if (column < 2u) {
    reshape[(((blockIdx.z * 256u) + (row * 16u)) + (blockIdx.y * 8u)) + (column * 4u)] = value;
    reshape[((((blockIdx.z * 256u) + (row * 16u)) + (blockIdx.y * 8u)) + (column * 4u)) + 1u] = value_1;
    reshape[((((blockIdx.z * 256u) + (row * 16u)) + (blockIdx.y * 8u)) + (column * 4u)) + 2u] = value_2;
    reshape[((((blockIdx.z * 256u) + (row * 16u)) + (blockIdx.y * 8u)) + (column * 4u)) + 3u] = value_3;
  }
}

// matmul_add: step 3
extern "C" __global__ void __launch_bounds__(128) matmul_add_2_kernel(
    float* __restrict__ add,
    const float* __restrict__ reshape,
    const float* __restrict__ weight,
    const float* __restrict__ x) {
  alignas(16) __shared__ float operands[576];
  __shared__ float parts[2048];
  const unsigned column = threadIdx.x % 4u;
  const unsigned row = (threadIdx.x / 4u) % 4u;
  const unsigned slice = threadIdx.x / 16u;
  float carried = 0.0f;
  float carried_1 = 0.0f;
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
  float carried_12 = 0.0f;
  float carried_13 = 0.0f;
  float carried_14 = 0.0f;
  float carried_15 = 0.0f;
  const unsigned r = threadIdx.x / 4u;
  const unsigned at = (blockIdx.y * 4u) + r;
  const unsigned i = (at * 64u) + (column * 4u);
  if (threadIdx.x < 16u) {
    const float4 reshape_1_4 = reinterpret_cast<const float4*>(reshape)[i / 4u];
    const float reshape_1 = reshape_1_4.x;
    const float reshape_2 = reshape_1_4.y;
    const float reshape_3 = reshape_1_4.z;
    const float reshape_4 = reshape_1_4.w;
    const float4 reshape_5_4 = reinterpret_cast<const float4*>(reshape)[(i + 16u) / 4u];
    const float reshape_5 = reshape_5_4.x;
    const float reshape_6 = reshape_5_4.y;
    const float reshape_7 = reshape_5_4.z;
    const float reshape_8 = reshape_5_4.w;
    const float4 reshape_9_4 = reinterpret_cast<const float4*>(reshape)[(i + 32u) / 4u];
    const float reshape_9 = reshape_9_4.x;
    const float reshape_10 = reshape_9_4.y;
    const float reshape_11 = reshape_9_4.z;
    const float reshape_12 = reshape_9_4.w;
    const float4 reshape_13_4 = reinterpret_cast<const float4*>(reshape)[(i + 48u) / 4u];
    const float reshape_13 = reshape_13_4.x;
    const float reshape_14 = reshape_13_4.y;
    const float reshape_15 = reshape_13_4.z;
    const float reshape_16 = reshape_13_4.w;
    reinterpret_cast<float4*>(operands)[(r * 20u) + column] = {reshape_1, reshape_2, reshape_3, reshape_4};
    reinterpret_cast<float4*>(operands)[((r * 20u) + column) + 5u] = {reshape_5, reshape_6, reshape_7, reshape_8};
    reinterpret_cast<float4*>(operands)[((r * 20u) + column) + 10u] = {reshape_9, reshape_10, reshape_11, reshape_12};
    reinterpret_cast<float4*>(operands)[((r * 20u) + column) + 15u] = {reshape_13, reshape_14, reshape_15, reshape_16};
  }
  const unsigned e = (threadIdx.x + 112u) % 128u;
  const unsigned r_1 = e / 4u;
  const unsigned c = e % 4u;
  const unsigned i_1 = (r_1 * 64u) + (c * 4u);
  if (e < 16u) {
    const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i_1 / 4u];
    const float weight_1 = weight_1_4.x;
    const float weight_2 = weight_1_4.y;
    const float weight_3 = weight_1_4.z;
    const float weight_4 = weight_1_4.w;
    const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 16u) / 4u];
    const float weight_5 = weight_5_4.x;
    const float weight_6 = weight_5_4.y;
    const float weight_7 = weight_5_4.z;
    const float weight_8 = weight_5_4.w;
    const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 32u) / 4u];
    const float weight_9 = weight_9_4.x;
    const float weight_10 = weight_9_4.y;
    const float weight_11 = weight_9_4.z;
    const float weight_12 = weight_9_4.w;
    const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 48u) / 4u];
    const float weight_13 = weight_13_4.x;
    const float weight_14 = weight_13_4.y;
    const float weight_15 = weight_13_4.z;
    const float weight_16 = weight_13_4.w;
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 80u] = {weight_1, weight_2, weight_3, weight_4};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 84u] = {weight_5, weight_6, weight_7, weight_8};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 88u] = {weight_9, weight_10, weight_11, weight_12};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 92u] = {weight_13, weight_14, weight_15, weight_16};
  }
  __syncthreads();
  if (slice < 4u) {
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 20u) + slice];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((row * 20u) + slice) + 5u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((row * 20u) + slice) + 10u];
    const float operands_9 = operands_9_4.x;
    const float operands_10 = operands_9_4.y;
    const float operands_11 = operands_9_4.z;
    const float operands_12 = operands_9_4.w;
    const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((row * 20u) + slice) + 15u];
    const float operands_13 = operands_13_4.x;
    const float operands_14 = operands_13_4.y;
    const float operands_15 = operands_13_4.z;
    const float operands_16 = operands_13_4.w;
    const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((slice * 16u) + column) + 80u];
    const float operands_17 = operands_17_4.x;
    const float operands_18 = operands_17_4.y;
    const float operands_19 = operands_17_4.z;
    const float operands_20 = operands_17_4.w;
    carried = fmaf(operands_1, operands_17, carried);
    carried_1 = fmaf(operands_1, operands_18, carried_1);
    carried_2 = fmaf(operands_1, operands_19, carried_2);
    carried_3 = fmaf(operands_1, operands_20, carried_3);
    carried_4 = fmaf(operands_5, operands_17, carried_4);
    carried_5 = fmaf(operands_5, operands_18, carried_5);
    carried_6 = fmaf(operands_5, operands_19, carried_6);
    carried_7 = fmaf(operands_5, operands_20, carried_7);
    carried_8 = fmaf(operands_9, operands_17, carried_8);
    carried_9 = fmaf(operands_9, operands_18, carried_9);
    carried_10 = fmaf(operands_9, operands_19, carried_10);
    carried_11 = fmaf(operands_9, operands_20, carried_11);
    carried_12 = fmaf(operands_13, operands_17, carried_12);
    carried_13 = fmaf(operands_13, operands_18, carried_13);
    carried_14 = fmaf(operands_13, operands_19, carried_14);
    carried_15 = fmaf(operands_13, operands_20, carried_15);
    const float4 operands_21_4 = reinterpret_cast<const float4*>(operands)[((slice * 16u) + column) + 84u];
    const float operands_21 = operands_21_4.x;
    const float operands_22 = operands_21_4.y;
    const float operands_23 = operands_21_4.z;
    const float operands_24 = operands_21_4.w;
    carried = fmaf(operands_2, operands_21, carried);
    carried_1 = fmaf(operands_2, operands_22, carried_1);
    carried_2 = fmaf(operands_2, operands_23, carried_2);
    carried_3 = fmaf(operands_2, operands_24, carried_3);
    carried_4 = fmaf(operands_6, operands_21, carried_4);
    carried_5 = fmaf(operands_6, operands_22, carried_5);
    carried_6 = fmaf(operands_6, operands_23, carried_6);
    carried_7 = fmaf(operands_6, operands_24, carried_7);
    carried_8 = fmaf(operands_10, operands_21, carried_8);
    carried_9 = fmaf(operands_10, operands_22, carried_9);
    carried_10 = fmaf(operands_10, operands_23, carried_10);
    carried_11 = fmaf(operands_10, operands_24, carried_11);
    carried_12 = fmaf(operands_14, operands_21, carried_12);
    carried_13 = fmaf(operands_14, operands_22, carried_13);
    carried_14 = fmaf(operands_14, operands_23, carried_14);
    carried_15 = fmaf(operands_14, operands_24, carried_15);
    const float4 operands_25_4 = reinterpret_cast<const float4*>(operands)[((slice * 16u) + column) + 88u];
    const float operands_25 = operands_25_4.x;
    const float operands_26 = operands_25_4.y;
    const float operands_27 = operands_25_4.z;
    const float operands_28 = operands_25_4.w;
    carried = fmaf(operands_3, operands_25, carried);
    carried_1 = fmaf(operands_3, operands_26, carried_1);
    carried_2 = fmaf(operands_3, operands_27, carried_2);
    carried_3 = fmaf(operands_3, operands_28, carried_3);
    carried_4 = fmaf(operands_7, operands_25, carried_4);
    carried_5 = fmaf(operands_7, operands_26, carried_5);
    carried_6 = fmaf(operands_7, operands_27, carried_6);
    carried_7 = fmaf(operands_7, operands_28, carried_7);
    carried_8 = fmaf(operands_11, operands_25, carried_8);
    carried_9 = fmaf(operands_11, operands_26, carried_9);
    carried_10 = fmaf(operands_11, operands_27, carried_10);
    carried_11 = fmaf(operands_11, operands_28, carried_11);
    carried_12 = fmaf(operands_15, operands_25, carried_12);
    carried_13 = fmaf(operands_15, operands_26, carried_13);
    carried_14 = fmaf(operands_15, operands_27, carried_14);
    carried_15 = fmaf(operands_15, operands_28, carried_15);
    const float4 operands_29_4 = reinterpret_cast<const float4*>(operands)[((slice * 16u) + column) + 92u];
    const float operands_29 = operands_29_4.x;
    const float operands_30 = operands_29_4.y;
    const float operands_31 = operands_29_4.z;
    const float operands_32 = operands_29_4.w;
    carried = fmaf(operands_4, operands_29, carried);
    carried_1 = fmaf(operands_4, operands_30, carried_1);
    carried_2 = fmaf(operands_4, operands_31, carried_2);
    carried_3 = fmaf(operands_4, operands_32, carried_3);
    carried_4 = fmaf(operands_8, operands_29, carried_4);
    carried_5 = fmaf(operands_8, operands_30, carried_5);
    carried_6 = fmaf(operands_8, operands_31, carried_6);
    carried_7 = fmaf(operands_8, operands_32, carried_7);
    carried_8 = fmaf(operands_12, operands_29, carried_8);
    carried_9 = fmaf(operands_12, operands_30, carried_9);
    carried_10 = fmaf(operands_12, operands_31, carried_10);
    carried_11 = fmaf(operands_12, operands_32, carried_11);
    carried_12 = fmaf(operands_16, operands_29, carried_12);
    carried_13 = fmaf(operands_16, operands_30, carried_13);
    carried_14 = fmaf(operands_16, operands_31, carried_14);
    carried_15 = fmaf(operands_16, operands_32, carried_15);
  }
  parts[((slice * 256u) + (row * 64u)) + (column * 4u)] = carried;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 1u] = carried_1;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 2u] = carried_2;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 3u] = carried_3;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 16u] = carried_4;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 17u] = carried_5;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 18u] = carried_6;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 19u] = carried_7;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 32u] = carried_8;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 33u] = carried_9;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 34u] = carried_10;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 35u] = carried_11;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 48u] = carried_12;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 49u] = carried_13;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 50u] = carried_14;
  parts[(((slice * 256u) + (row * 64u)) + (column * 4u)) + 51u] = carried_15;
  __syncthreads();
  for (unsigned part = 0u; part < 2u; ++part) {
    const unsigned e_1 = (part * 128u) + threadIdx.x;
    const float part_1 = parts[e_1];
    const float part_2 = parts[e_1 + 256u];
    const float part_3 = parts[e_1 + 512u];
    const float part_4 = parts[e_1 + 768u];
    const float part_5 = parts[e_1 + 1024u];
    const float part_6 = parts[e_1 + 1280u];
    const float part_7 = parts[e_1 + 1536u];
    const float part_8 = parts[e_1 + 1792u];
    const unsigned r_2 = (blockIdx.y * 16u) + (e_1 / 16u);
    const unsigned c_1 = e_1 % 16u;
    const float value = ((((((part_1 + part_2) + part_3) + part_4) + part_5) + part_6) + part_7) + part_8;
    const unsigned i_2 = min((((r_2 / 32u) * 4u) + ((r_2 / 4u) % 4u)), 5u);
    const unsigned i_3 = min(((((r_2 / 16u) % 2u) * 4u) + (r_2 % 4u)), 5u);
    const unsigned i_4 = ((i_2 * 96u) + (i_3 * 16u)) + c_1;
    if (((((r_2 / 32u) * 4u) + ((r_2 / 4u) % 4u)) <= 5u) && (((((r_2 / 16u) % 2u) * 4u) + (r_2 % 4u)) <= 5u)) {
      const float x_1 = x[i_4];
      const float add_1 = x_1 + value;
      add[((min((((r_2 / 32u) * 4u) + ((r_2 / 4u) % 4u)), 5u) * 96u) + (min(((((r_2 / 16u) % 2u) * 4u) + (r_2 % 4u)), 5u) * 16u)) + c_1] = add_1;
    }
  }
}
