// matmul: step 0
extern "C" __global__ void __launch_bounds__(128) matmul_kernel(
    float* __restrict__ matmul,
    const float* __restrict__ x,
    const float* __restrict__ A) {
  alignas(16) __shared__ float operands[816];
  __shared__ float parts[512];
  const unsigned column = threadIdx.x % 4u;
  const unsigned row = (threadIdx.x / 4u) % 4u;
  const unsigned slice = threadIdx.x / 16u;
  float carried = 0.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  const unsigned at = blockIdx.y * 4u;
  const unsigned at_1 = (blockIdx.y * 4u) + 1u;
  const unsigned at_2 = min(at_1, 32u);
  const bool inside = at_1 < 33u;
  const unsigned at_3 = (blockIdx.y * 4u) + 2u;
  const unsigned at_4 = min(at_3, 32u);
  const bool inside_1 = at_3 < 33u;
  const unsigned at_5 = (blockIdx.y * 4u) + 3u;
  const unsigned at_6 = min(at_5, 32u);
  const bool inside_2 = at_5 < 33u;
  const unsigned i = (at * 40u) + (threadIdx.x * 4u);
  const unsigned i_1 = (at_2 * 40u) + (threadIdx.x * 4u);
  const unsigned i_2 = (at_4 * 40u) + (threadIdx.x * 4u);
  const unsigned i_3 = (at_6 * 40u) + (threadIdx.x * 4u);
  if (threadIdx.x < 10u) {
    const float4 x_1_4 = reinterpret_cast<const float4*>(x)[i / 4u];
    const float x_1 = x_1_4.x;
    const float x_2 = x_1_4.y;
    const float x_3 = x_1_4.z;
    const float x_4 = x_1_4.w;
    const float4 x_5_4 = reinterpret_cast<const float4*>(x)[i_1 / 4u];
    const float x_5 = x_5_4.x;
    const float x_6 = x_5_4.y;
    const float x_7 = x_5_4.z;
    const float x_8 = x_5_4.w;
    const float4 x_9_4 = reinterpret_cast<const float4*>(x)[i_2 / 4u];
    const float x_9 = x_9_4.x;
    const float x_10 = x_9_4.y;
    const float x_11 = x_9_4.z;
    const float x_12 = x_9_4.w;
    const float4 x_13_4 = reinterpret_cast<const float4*>(x)[i_3 / 4u];
    const float x_13 = x_13_4.x;
    const float x_14 = x_13_4.y;
    const float x_15 = x_13_4.z;
    const float x_16 = x_13_4.w;
    reinterpret_cast<float4*>(operands)[threadIdx.x] = {x_1, x_2, x_3, x_4};
    reinterpret_cast<float4*>(operands)[threadIdx.x + 11u] = {inside ? x_5 : 0.0f, inside ? x_6 : 0.0f, inside ? x_7 : 0.0f, inside ? x_8 : 0.0f};
    reinterpret_cast<float4*>(operands)[threadIdx.x + 22u] = {inside_1 ? x_9 : 0.0f, inside_1 ? x_10 : 0.0f, inside_1 ? x_11 : 0.0f, inside_1 ? x_12 : 0.0f};
    reinterpret_cast<float4*>(operands)[threadIdx.x + 33u] = {inside_2 ? x_13 : 0.0f, inside_2 ? x_14 : 0.0f, inside_2 ? x_15 : 0.0f, inside_2 ? x_16 : 0.0f};
  }
  const unsigned e = (threadIdx.x + 118u) % 128u;
  const unsigned r = e / 4u;
  const unsigned c = e % 4u;
  const bool inside_3 = c < 1u;
  const unsigned i_4 = r * 16u;
  if (e < 40u) {
    const float4 A_1_4 = reinterpret_cast<const float4*>(A)[i_4 / 4u];
    const float A_1 = A_1_4.x;
    const float A_2 = A_1_4.y;
    const float A_3 = A_1_4.z;
    const float A_4 = A_1_4.w;
    const float4 A_5_4 = reinterpret_cast<const float4*>(A)[(i_4 + 4u) / 4u];
    const float A_5 = A_5_4.x;
    const float A_6 = A_5_4.y;
    const float A_7 = A_5_4.z;
    const float A_8 = A_5_4.w;
    const float4 A_9_4 = reinterpret_cast<const float4*>(A)[(i_4 + 8u) / 4u];
    const float A_9 = A_9_4.x;
    const float A_10 = A_9_4.y;
    const float A_11 = A_9_4.z;
    const float A_12 = A_9_4.w;
    const float4 A_13_4 = reinterpret_cast<const float4*>(A)[(i_4 + 12u) / 4u];
    const float A_13 = A_13_4.x;
    const float A_14 = A_13_4.y;
    const float A_15 = A_13_4.z;
    const float A_16 = A_13_4.w;
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 44u] = {inside_3 ? A_1 : 0.0f, inside_3 ? A_2 : 0.0f, inside_3 ? A_3 : 0.0f, inside_3 ? A_4 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 48u] = {inside_3 ? A_5 : 0.0f, inside_3 ? A_6 : 0.0f, inside_3 ? A_7 : 0.0f, inside_3 ? A_8 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 52u] = {inside_3 ? A_9 : 0.0f, inside_3 ? A_10 : 0.0f, inside_3 ? A_11 : 0.0f, inside_3 ? A_12 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 56u] = {inside_3 ? A_13 : 0.0f, inside_3 ? A_14 : 0.0f, inside_3 ? A_15 : 0.0f, inside_3 ? A_16 : 0.0f};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 2u; ++quad) {
    const unsigned quad_1 = (quad * 8u) + slice;
    if (quad_1 < 10u) {
      const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 11u) + quad_1];
      const float operands_1 = operands_1_4.x;
      const float operands_2 = operands_1_4.y;
      const float operands_3 = operands_1_4.z;
      const float operands_4 = operands_1_4.w;
      const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 44u];
      const float operands_5 = operands_5_4.x;
      const float operands_6 = operands_5_4.y;
      const float operands_7 = operands_5_4.z;
      const float operands_8 = operands_5_4.w;
      carried = fmaf(operands_1, operands_5, carried);
      carried_1 = fmaf(operands_1, operands_6, carried_1);
      carried_2 = fmaf(operands_1, operands_7, carried_2);
      carried_3 = fmaf(operands_1, operands_8, carried_3);
      const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 48u];
      const float operands_9 = operands_9_4.x;
      const float operands_10 = operands_9_4.y;
      const float operands_11 = operands_9_4.z;
      const float operands_12 = operands_9_4.w;
      carried = fmaf(operands_2, operands_9, carried);
      carried_1 = fmaf(operands_2, operands_10, carried_1);
      carried_2 = fmaf(operands_2, operands_11, carried_2);
      carried_3 = fmaf(operands_2, operands_12, carried_3);
      const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 52u];
      const float operands_13 = operands_13_4.x;
      const float operands_14 = operands_13_4.y;
      const float operands_15 = operands_13_4.z;
      const float operands_16 = operands_13_4.w;
      carried = fmaf(operands_3, operands_13, carried);
      carried_1 = fmaf(operands_3, operands_14, carried_1);
      carried_2 = fmaf(operands_3, operands_15, carried_2);
      carried_3 = fmaf(operands_3, operands_16, carried_3);
      const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 56u];
      const float operands_17 = operands_17_4.x;
      const float operands_18 = operands_17_4.y;
      const float operands_19 = operands_17_4.z;
      const float operands_20 = operands_17_4.w;
      carried = fmaf(operands_4, operands_17, carried);
      carried_1 = fmaf(operands_4, operands_18, carried_1);
      carried_2 = fmaf(operands_4, operands_19, carried_2);
      carried_3 = fmaf(operands_4, operands_20, carried_3);
    }
  }
  parts[((slice * 64u) + (row * 16u)) + (column * 4u)] = carried;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 1u] = carried_1;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 2u] = carried_2;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 3u] = carried_3;
  __syncthreads();
  const unsigned r_1 = (blockIdx.y * 4u) + (threadIdx.x / 16u);
  const unsigned c_1 = threadIdx.x % 16u;
  if (threadIdx.x < 64u) {
    const float part = parts[threadIdx.x];
    const float part_1 = parts[threadIdx.x + 64u];
    const float part_2 = parts[threadIdx.x + 128u];
    const float part_3 = parts[threadIdx.x + 192u];
    const float part_4 = parts[threadIdx.x + 256u];
    const float part_5 = parts[threadIdx.x + 320u];
    const float part_6 = parts[threadIdx.x + 384u];
    const float part_7 = parts[threadIdx.x + 448u];
    if ((r_1 < 33u) && (c_1 < 4u)) {
      matmul[(r_1 * 4u) + c_1] = ((((((part + part_1) + part_2) + part_3) + part_4) + part_5) + part_6) + part_7;
    }
  }
}

// matmul: step 1
extern "C" __global__ void __launch_bounds__(64) matmul_2_kernel(
    float* __restrict__ matmul,
    const float* __restrict__ x,
    const float* __restrict__ weight,
    const float* __restrict__ matmul_1,
    const float* __restrict__ B) {
  alignas(16) __shared__ float operands[560];
  float held[4];
  const unsigned column = threadIdx.x % 16u;
  const unsigned row = threadIdx.x / 16u;
  float carried = 0.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  const unsigned at_1 = blockIdx.y * 4u;
  const unsigned at_2 = (blockIdx.y * 4u) + 1u;
  const unsigned at_3 = min(at_2, 32u);
  const bool inside = at_2 < 33u;
  const unsigned at_4 = (blockIdx.y * 4u) + 2u;
  const unsigned at_5 = min(at_4, 32u);
  const bool inside_1 = at_4 < 33u;
  const unsigned at_6 = (blockIdx.y * 4u) + 3u;
  const unsigned at_7 = min(at_6, 32u);
  const bool inside_2 = at_6 < 33u;
  const unsigned i = at_1 * 40u;
  const unsigned i_2 = at_3 * 40u;
  const unsigned i_4 = at_5 * 40u;
  const unsigned i_6 = at_7 * 40u;
  const unsigned e = (threadIdx.x + 62u) % 64u;
  const unsigned r = e / 16u;
  const unsigned c = e % 16u;
  const unsigned at_8 = min(c, 8u);
  const bool inside_3 = c < 9u;
  const unsigned i_8 = at_8 * 4u;
  _Pragma("unroll 1") for (unsigned step = 0u; step < 5u; ++step) {
    const unsigned at = (step * 2u) + threadIdx.x;
    const unsigned i_1 = i + (at * 4u);
    const unsigned i_3 = i_2 + (at * 4u);
    const unsigned i_5 = i_4 + (at * 4u);
    const unsigned i_7 = i_6 + (at * 4u);
    if (threadIdx.x < 2u) {
      const float4 x_1_4 = reinterpret_cast<const float4*>(x)[i_1 / 4u];
      const float x_1 = x_1_4.x;
      const float x_2 = x_1_4.y;
      const float x_3 = x_1_4.z;
      const float x_4 = x_1_4.w;
      const float4 x_5_4 = reinterpret_cast<const float4*>(x)[i_3 / 4u];
      const float x_5 = x_5_4.x;
      const float x_6 = x_5_4.y;
      const float x_7 = x_5_4.z;
      const float x_8 = x_5_4.w;
      const float4 x_9_4 = reinterpret_cast<const float4*>(x)[i_5 / 4u];
      const float x_9 = x_9_4.x;
      const float x_10 = x_9_4.y;
      const float x_11 = x_9_4.z;
      const float x_12 = x_9_4.w;
      const float4 x_13_4 = reinterpret_cast<const float4*>(x)[i_7 / 4u];
      const float x_13 = x_13_4.x;
      const float x_14 = x_13_4.y;
      const float x_15 = x_13_4.z;
      const float x_16 = x_13_4.w;
      reinterpret_cast<float4*>(operands)[threadIdx.x] = {x_1, x_2, x_3, x_4};
      reinterpret_cast<float4*>(operands)[threadIdx.x + 3u] = {inside ? x_5 : 0.0f, inside ? x_6 : 0.0f, inside ? x_7 : 0.0f, inside ? x_8 : 0.0f};
      reinterpret_cast<float4*>(operands)[threadIdx.x + 6u] = {inside_1 ? x_9 : 0.0f, inside_1 ? x_10 : 0.0f, inside_1 ? x_11 : 0.0f, inside_1 ? x_12 : 0.0f};
      reinterpret_cast<float4*>(operands)[threadIdx.x + 9u] = {inside_2 ? x_13 : 0.0f, inside_2 ? x_14 : 0.0f, inside_2 ? x_15 : 0.0f, inside_2 ? x_16 : 0.0f};
    }
    const unsigned at_9 = (step * 2u) + r;
    const unsigned i_9 = i_8 + (at_9 * 144u);
    if (e < 32u) {
      const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i_9 / 4u];
      const float weight_1 = weight_1_4.x;
      const float weight_2 = weight_1_4.y;
      const float weight_3 = weight_1_4.z;
      const float weight_4 = weight_1_4.w;
      const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i_9 + 36u) / 4u];
      const float weight_5 = weight_5_4.x;
      const float weight_6 = weight_5_4.y;
      const float weight_7 = weight_5_4.z;
      const float weight_8 = weight_5_4.w;
      const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i_9 + 72u) / 4u];
      const float weight_9 = weight_9_4.x;
      const float weight_10 = weight_9_4.y;
      const float weight_11 = weight_9_4.z;
      const float weight_12 = weight_9_4.w;
      const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i_9 + 108u) / 4u];
      const float weight_13 = weight_13_4.x;
      const float weight_14 = weight_13_4.y;
      const float weight_15 = weight_13_4.z;
      const float weight_16 = weight_13_4.w;
      reinterpret_cast<float4*>(operands)[((r * 64u) + c) + 12u] = {inside_3 ? weight_1 : 0.0f, inside_3 ? weight_2 : 0.0f, inside_3 ? weight_3 : 0.0f, inside_3 ? weight_4 : 0.0f};
      reinterpret_cast<float4*>(operands)[((r * 64u) + c) + 28u] = {inside_3 ? weight_5 : 0.0f, inside_3 ? weight_6 : 0.0f, inside_3 ? weight_7 : 0.0f, inside_3 ? weight_8 : 0.0f};
      reinterpret_cast<float4*>(operands)[((r * 64u) + c) + 44u] = {inside_3 ? weight_9 : 0.0f, inside_3 ? weight_10 : 0.0f, inside_3 ? weight_11 : 0.0f, inside_3 ? weight_12 : 0.0f};
      reinterpret_cast<float4*>(operands)[((r * 64u) + c) + 60u] = {inside_3 ? weight_13 : 0.0f, inside_3 ? weight_14 : 0.0f, inside_3 ? weight_15 : 0.0f, inside_3 ? weight_16 : 0.0f};
    }
    __syncthreads();
    _Pragma("unroll 1") for (unsigned quad = 0u; quad < 2u; ++quad) {
      const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 3u) + quad];
      const float operands_1 = operands_1_4.x;
      const float operands_2 = operands_1_4.y;
      const float operands_3 = operands_1_4.z;
      const float operands_4 = operands_1_4.w;
      const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((quad * 64u) + column) + 12u];
      const float operands_5 = operands_5_4.x;
      const float operands_6 = operands_5_4.y;
      const float operands_7 = operands_5_4.z;
      const float operands_8 = operands_5_4.w;
      carried = fmaf(operands_1, operands_5, carried);
      carried_1 = fmaf(operands_1, operands_6, carried_1);
      carried_2 = fmaf(operands_1, operands_7, carried_2);
      carried_3 = fmaf(operands_1, operands_8, carried_3);
      const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((quad * 64u) + column) + 28u];
      const float operands_9 = operands_9_4.x;
      const float operands_10 = operands_9_4.y;
      const float operands_11 = operands_9_4.z;
      const float operands_12 = operands_9_4.w;
      carried = fmaf(operands_2, operands_9, carried);
      carried_1 = fmaf(operands_2, operands_10, carried_1);
      carried_2 = fmaf(operands_2, operands_11, carried_2);
      carried_3 = fmaf(operands_2, operands_12, carried_3);
      const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((quad * 64u) + column) + 44u];
      const float operands_13 = operands_13_4.x;
      const float operands_14 = operands_13_4.y;
      const float operands_15 = operands_13_4.z;
      const float operands_16 = operands_13_4.w;
      carried = fmaf(operands_3, operands_13, carried);
      carried_1 = fmaf(operands_3, operands_14, carried_1);
      carried_2 = fmaf(operands_3, operands_15, carried_2);
      carried_3 = fmaf(operands_3, operands_16, carried_3);
      const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((quad * 64u) + column) + 60u];
      const float operands_17 = operands_17_4.x;
      const float operands_18 = operands_17_4.y;
      const float operands_19 = operands_17_4.z;
      const float operands_20 = operands_17_4.w;
      carried = fmaf(operands_4, operands_17, carried);
      carried_1 = fmaf(operands_4, operands_18, carried_1);
      carried_2 = fmaf(operands_4, operands_19, carried_2);
      carried_3 = fmaf(operands_4, operands_20, carried_3);
    }
    __syncthreads();
  }
  const unsigned e_1 = (threadIdx.x + 30u) % 64u;
  const unsigned at_10 = blockIdx.y + e_1;
  const unsigned at_11 = at_10 * 4u;
  const unsigned at_12 = (at_10 * 4u) + 1u;
  const unsigned at_13 = min(at_12, 32u);
  const bool inside_4 = at_12 < 33u;
  const unsigned at_14 = (at_10 * 4u) + 2u;
  const unsigned at_15 = min(at_14, 32u);
  const bool inside_5 = at_14 < 33u;
  const unsigned at_16 = (at_10 * 4u) + 3u;
  const unsigned at_17 = min(at_16, 32u);
  const bool inside_6 = at_16 < 33u;
  const unsigned i_10 = at_11 * 4u;
  const unsigned i_11 = at_13 * 4u;
  const unsigned i_12 = at_15 * 4u;
  const unsigned i_13 = at_17 * 4u;
  if (e_1 < 1u) {
    const float4 matmul_2_4 = reinterpret_cast<const float4*>(matmul_1)[i_10 / 4u];
    const float matmul_2 = matmul_2_4.x;
    const float matmul_3 = matmul_2_4.y;
    const float matmul_4 = matmul_2_4.z;
    const float matmul_5 = matmul_2_4.w;
    const float4 matmul_6_4 = reinterpret_cast<const float4*>(matmul_1)[i_11 / 4u];
    const float matmul_6 = matmul_6_4.x;
    const float matmul_7 = matmul_6_4.y;
    const float matmul_8 = matmul_6_4.z;
    const float matmul_9 = matmul_6_4.w;
    const float4 matmul_10_4 = reinterpret_cast<const float4*>(matmul_1)[i_12 / 4u];
    const float matmul_10 = matmul_10_4.x;
    const float matmul_11 = matmul_10_4.y;
    const float matmul_12 = matmul_10_4.z;
    const float matmul_13 = matmul_10_4.w;
    const float4 matmul_14_4 = reinterpret_cast<const float4*>(matmul_1)[i_13 / 4u];
    const float matmul_14 = matmul_14_4.x;
    const float matmul_15 = matmul_14_4.y;
    const float matmul_16 = matmul_14_4.z;
    const float matmul_17 = matmul_14_4.w;
    reinterpret_cast<float4*>(operands)[e_1 * 8u] = {matmul_2, matmul_3, matmul_4, matmul_5};
    reinterpret_cast<float4*>(operands)[(e_1 * 8u) + 2u] = {inside_4 ? matmul_6 : 0.0f, inside_4 ? matmul_7 : 0.0f, inside_4 ? matmul_8 : 0.0f, inside_4 ? matmul_9 : 0.0f};
    reinterpret_cast<float4*>(operands)[(e_1 * 8u) + 4u] = {inside_5 ? matmul_10 : 0.0f, inside_5 ? matmul_11 : 0.0f, inside_5 ? matmul_12 : 0.0f, inside_5 ? matmul_13 : 0.0f};
    reinterpret_cast<float4*>(operands)[(e_1 * 8u) + 6u] = {inside_6 ? matmul_14 : 0.0f, inside_6 ? matmul_15 : 0.0f, inside_6 ? matmul_16 : 0.0f, inside_6 ? matmul_17 : 0.0f};
  }
  const unsigned e_2 = (threadIdx.x + 29u) % 64u;
  const unsigned at_18 = min(e_2, 8u);
  const bool inside_7 = e_2 < 9u;
  const unsigned i_14 = at_18 * 4u;
  if (e_2 < 16u) {
    const float4 B_1_4 = reinterpret_cast<const float4*>(B)[i_14 / 4u];
    const float B_1 = B_1_4.x;
    const float B_2 = B_1_4.y;
    const float B_3 = B_1_4.z;
    const float B_4 = B_1_4.w;
    const float mul = B_1 * 2.0f;
    const float mul_1 = B_2 * 2.0f;
    const float mul_2 = B_3 * 2.0f;
    const float mul_3 = B_4 * 2.0f;
    const float4 B_5_4 = reinterpret_cast<const float4*>(B)[(i_14 + 36u) / 4u];
    const float B_5 = B_5_4.x;
    const float B_6 = B_5_4.y;
    const float B_7 = B_5_4.z;
    const float B_8 = B_5_4.w;
    const float mul_4 = B_5 * 2.0f;
    const float mul_5 = B_6 * 2.0f;
    const float mul_6 = B_7 * 2.0f;
    const float mul_7 = B_8 * 2.0f;
    const float4 B_9_4 = reinterpret_cast<const float4*>(B)[(i_14 + 72u) / 4u];
    const float B_9 = B_9_4.x;
    const float B_10 = B_9_4.y;
    const float B_11 = B_9_4.z;
    const float B_12 = B_9_4.w;
    const float mul_8 = B_9 * 2.0f;
    const float mul_9 = B_10 * 2.0f;
    const float mul_10 = B_11 * 2.0f;
    const float mul_11 = B_12 * 2.0f;
    const float4 B_13_4 = reinterpret_cast<const float4*>(B)[(i_14 + 108u) / 4u];
    const float B_13 = B_13_4.x;
    const float B_14 = B_13_4.y;
    const float B_15 = B_13_4.z;
    const float B_16 = B_13_4.w;
    const float mul_12 = B_13 * 2.0f;
    const float mul_13 = B_14 * 2.0f;
    const float mul_14 = B_15 * 2.0f;
    const float mul_15 = B_16 * 2.0f;
    reinterpret_cast<float4*>(operands)[e_2 + 8u] = {inside_7 ? mul : 0.0f, inside_7 ? mul_1 : 0.0f, inside_7 ? mul_2 : 0.0f, inside_7 ? mul_3 : 0.0f};
    reinterpret_cast<float4*>(operands)[e_2 + 24u] = {inside_7 ? mul_4 : 0.0f, inside_7 ? mul_5 : 0.0f, inside_7 ? mul_6 : 0.0f, inside_7 ? mul_7 : 0.0f};
    reinterpret_cast<float4*>(operands)[e_2 + 40u] = {inside_7 ? mul_8 : 0.0f, inside_7 ? mul_9 : 0.0f, inside_7 ? mul_10 : 0.0f, inside_7 ? mul_11 : 0.0f};
    reinterpret_cast<float4*>(operands)[e_2 + 56u] = {inside_7 ? mul_12 : 0.0f, inside_7 ? mul_13 : 0.0f, inside_7 ? mul_14 : 0.0f, inside_7 ? mul_15 : 0.0f};
  }
  __syncthreads();
  const float4 operands_21_4 = reinterpret_cast<const float4*>(operands)[row * 2u];
  const float operands_21 = operands_21_4.x;
  const float operands_22 = operands_21_4.y;
  const float operands_23 = operands_21_4.z;
  const float operands_24 = operands_21_4.w;
  const float4 operands_25_4 = reinterpret_cast<const float4*>(operands)[column + 8u];
  const float operands_25 = operands_25_4.x;
  const float operands_26 = operands_25_4.y;
  const float operands_27 = operands_25_4.z;
  const float operands_28 = operands_25_4.w;
  carried = fmaf(operands_21, operands_25, carried);
  carried_1 = fmaf(operands_21, operands_26, carried_1);
  carried_2 = fmaf(operands_21, operands_27, carried_2);
  carried_3 = fmaf(operands_21, operands_28, carried_3);
  const float4 operands_29_4 = reinterpret_cast<const float4*>(operands)[column + 24u];
  const float operands_29 = operands_29_4.x;
  const float operands_30 = operands_29_4.y;
  const float operands_31 = operands_29_4.z;
  const float operands_32 = operands_29_4.w;
  carried = fmaf(operands_22, operands_29, carried);
  carried_1 = fmaf(operands_22, operands_30, carried_1);
  carried_2 = fmaf(operands_22, operands_31, carried_2);
  carried_3 = fmaf(operands_22, operands_32, carried_3);
  const float4 operands_33_4 = reinterpret_cast<const float4*>(operands)[column + 40u];
  const float operands_33 = operands_33_4.x;
  const float operands_34 = operands_33_4.y;
  const float operands_35 = operands_33_4.z;
  const float operands_36 = operands_33_4.w;
  carried = fmaf(operands_23, operands_33, carried);
  carried_1 = fmaf(operands_23, operands_34, carried_1);
  carried_2 = fmaf(operands_23, operands_35, carried_2);
  carried_3 = fmaf(operands_23, operands_36, carried_3);
  const float4 operands_37_4 = reinterpret_cast<const float4*>(operands)[column + 56u];
  const float operands_37 = operands_37_4.x;
  const float operands_38 = operands_37_4.y;
  const float operands_39 = operands_37_4.z;
  const float operands_40 = operands_37_4.w;
  carried = fmaf(operands_24, operands_37, carried);
  carried_1 = fmaf(operands_24, operands_38, carried_1);
  carried_2 = fmaf(operands_24, operands_39, carried_2);
  carried_3 = fmaf(operands_24, operands_40, carried_3);
  held[0u] = carried;
  held[1u] = carried_1;
  held[2u] = carried_2;
  held[3u] = carried_3;
  const unsigned r_1 = (blockIdx.y * 4u) + row;
  _Pragma("unroll 1") for (unsigned e_3 = 0u; e_3 < 4u; ++e_3) {
    const unsigned c_1 = (column * 4u) + e_3;
    if ((r_1 < 33u) && (c_1 < 36u)) {
      matmul[(r_1 * 36u) + c_1] = held[e_3];
    }
  }
}
