// matmul_add_gelu: step 0
extern "C" __global__ void __launch_bounds__(128) matmul_add_gelu_kernel(
    float* __restrict__ gelu,
    const float* __restrict__ x,
    const float* __restrict__ weight,
    const float* __restrict__ bias) {
  auto min_of = [](float x, float y) { return x < y || x != x ? x : y; };
  alignas(16) __shared__ float operands[768];
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
  const unsigned at = (blockIdx.y * 4u) + column;
  const unsigned at_1 = min(at, 9u);
  const bool inside = at < 10u;
  const unsigned i = (at_1 * 96u) + (r * 4u);
  if (threadIdx.x < 24u) {
    const float4 x_1_4 = reinterpret_cast<const float4*>(x)[i / 4u];
    const float x_1 = x_1_4.x;
    const float x_5 = x_1_4.y;
    const float x_9 = x_1_4.z;
    const float x_13 = x_1_4.w;
    const float4 x_2_4 = reinterpret_cast<const float4*>(x)[(i + 24u) / 4u];
    const float x_2 = x_2_4.x;
    const float x_6 = x_2_4.y;
    const float x_10 = x_2_4.z;
    const float x_14 = x_2_4.w;
    const float4 x_3_4 = reinterpret_cast<const float4*>(x)[(i + 48u) / 4u];
    const float x_3 = x_3_4.x;
    const float x_7 = x_3_4.y;
    const float x_11 = x_3_4.z;
    const float x_15 = x_3_4.w;
    const float4 x_4_4 = reinterpret_cast<const float4*>(x)[(i + 72u) / 4u];
    const float x_4 = x_4_4.x;
    const float x_8 = x_4_4.y;
    const float x_12 = x_4_4.z;
    const float x_16 = x_4_4.w;
    reinterpret_cast<float4*>(operands)[(r * 16u) + column] = {inside ? x_1 : 0.0f, inside ? x_2 : 0.0f, inside ? x_3 : 0.0f, inside ? x_4 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + column) + 4u] = {inside ? x_5 : 0.0f, inside ? x_6 : 0.0f, inside ? x_7 : 0.0f, inside ? x_8 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + column) + 8u] = {inside ? x_9 : 0.0f, inside ? x_10 : 0.0f, inside ? x_11 : 0.0f, inside ? x_12 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + column) + 12u] = {inside ? x_13 : 0.0f, inside ? x_14 : 0.0f, inside ? x_15 : 0.0f, inside ? x_16 : 0.0f};
  }
  const unsigned e = (threadIdx.x + 104u) % 128u;
  const unsigned r_1 = e / 4u;
  const unsigned c = e % 4u;
  const unsigned at_2 = (blockIdx.x * 4u) + c;
  const unsigned i_1 = (r_1 * 192u) + (at_2 * 4u);
  if (e < 24u) {
    const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i_1 / 4u];
    const float weight_1 = weight_1_4.x;
    const float weight_2 = weight_1_4.y;
    const float weight_3 = weight_1_4.z;
    const float weight_4 = weight_1_4.w;
    const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 48u) / 4u];
    const float weight_5 = weight_5_4.x;
    const float weight_6 = weight_5_4.y;
    const float weight_7 = weight_5_4.z;
    const float weight_8 = weight_5_4.w;
    const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 96u) / 4u];
    const float weight_9 = weight_9_4.x;
    const float weight_10 = weight_9_4.y;
    const float weight_11 = weight_9_4.z;
    const float weight_12 = weight_9_4.w;
    const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 144u) / 4u];
    const float weight_13 = weight_13_4.x;
    const float weight_14 = weight_13_4.y;
    const float weight_15 = weight_13_4.z;
    const float weight_16 = weight_13_4.w;
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 96u] = {weight_1, weight_2, weight_3, weight_4};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 100u] = {weight_5, weight_6, weight_7, weight_8};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 104u] = {weight_9, weight_10, weight_11, weight_12};
    reinterpret_cast<float4*>(operands)[((r_1 * 16u) + c) + 108u] = {weight_13, weight_14, weight_15, weight_16};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned place = 0u; place < 3u; ++place) {
    const unsigned place_1 = (place * 8u) + slice;
    const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(place_1 * 4u) + row];
    const float operands_1 = operands_1_4.x;
    const float operands_2 = operands_1_4.y;
    const float operands_3 = operands_1_4.z;
    const float operands_4 = operands_1_4.w;
    const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((place_1 * 4u) + column) + 96u];
    const float operands_5 = operands_5_4.x;
    const float operands_6 = operands_5_4.y;
    const float operands_7 = operands_5_4.z;
    const float operands_8 = operands_5_4.w;
    carried = fmaf(operands_1, operands_5, carried);
    carried_1 = fmaf(operands_1, operands_6, carried_1);
    carried_2 = fmaf(operands_1, operands_7, carried_2);
    carried_3 = fmaf(operands_1, operands_8, carried_3);
    carried_4 = fmaf(operands_2, operands_5, carried_4);
    carried_5 = fmaf(operands_2, operands_6, carried_5);
    carried_6 = fmaf(operands_2, operands_7, carried_6);
    carried_7 = fmaf(operands_2, operands_8, carried_7);
    carried_8 = fmaf(operands_3, operands_5, carried_8);
    carried_9 = fmaf(operands_3, operands_6, carried_9);
    carried_10 = fmaf(operands_3, operands_7, carried_10);
    carried_11 = fmaf(operands_3, operands_8, carried_11);
    carried_12 = fmaf(operands_4, operands_5, carried_12);
    carried_13 = fmaf(operands_4, operands_6, carried_13);
    carried_14 = fmaf(operands_4, operands_7, carried_14);
    carried_15 = fmaf(operands_4, operands_8, carried_15);
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
  _Pragma("unroll 1") for (unsigned part = 0u; part < 2u; ++part) {
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
    const unsigned c_1 = (blockIdx.x * 16u) + (e_1 % 16u);
    const float value = ((((((part_1 + part_2) + part_3) + part_4) + part_5) + part_6) + part_7) + part_8;
    if (r_2 < 40u) {
      const float bias_1 = bias[c_1];
      const float add = value + bias_1;
      const float size = fabsf(add);
      const float z = size * 0.70710677f;
      const float bell = expf((-(z * z)));
      const float near = min_of(z, 30.0f);
      const float q = (near - 3.0f) / (near + 3.0f);
      const float upper = ((bell * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q, 0.0023242696f), q, (-0.024182335f)), q, 0.06827672f), q, (-0.11919529f)), q, 0.12965542f), q, (-0.047567412f)), q, (-0.13562153f)), q, 1.2530081f)) / fmaf(near, 2.0f, 1.0f)) * 0.5f;
      const float below = (add < 0.0f) ? upper : (1.0f - upper);
      const float gelu_1 = add * below;
      gelu[(r_2 * 48u) + c_1] = gelu_1;
    }
  }
}

// matmul_add: step 1
extern "C" __global__ void __launch_bounds__(128) matmul_add_kernel(
    float* __restrict__ add,
    const float* __restrict__ gelu,
    const float* __restrict__ weight,
    const float* __restrict__ x) {
  alignas(16) __shared__ float operands[976];
  __shared__ float parts[512];
  const unsigned column = threadIdx.x % 4u;
  const unsigned row = (threadIdx.x / 4u) % 4u;
  const unsigned slice = threadIdx.x / 16u;
  float carried = 0.0f;
  float carried_1 = 0.0f;
  float carried_2 = 0.0f;
  float carried_3 = 0.0f;
  const unsigned i = (blockIdx.y * 192u) + (threadIdx.x * 4u);
  if (threadIdx.x < 12u) {
    const float4 gelu_1_4 = reinterpret_cast<const float4*>(gelu)[i / 4u];
    const float gelu_1 = gelu_1_4.x;
    const float gelu_2 = gelu_1_4.y;
    const float gelu_3 = gelu_1_4.z;
    const float gelu_4 = gelu_1_4.w;
    const float4 gelu_5_4 = reinterpret_cast<const float4*>(gelu)[(i + 48u) / 4u];
    const float gelu_5 = gelu_5_4.x;
    const float gelu_6 = gelu_5_4.y;
    const float gelu_7 = gelu_5_4.z;
    const float gelu_8 = gelu_5_4.w;
    const float4 gelu_9_4 = reinterpret_cast<const float4*>(gelu)[(i + 96u) / 4u];
    const float gelu_9 = gelu_9_4.x;
    const float gelu_10 = gelu_9_4.y;
    const float gelu_11 = gelu_9_4.z;
    const float gelu_12 = gelu_9_4.w;
    const float4 gelu_13_4 = reinterpret_cast<const float4*>(gelu)[(i + 144u) / 4u];
    const float gelu_13 = gelu_13_4.x;
    const float gelu_14 = gelu_13_4.y;
    const float gelu_15 = gelu_13_4.z;
    const float gelu_16 = gelu_13_4.w;
    reinterpret_cast<float4*>(operands)[threadIdx.x] = {gelu_1, gelu_2, gelu_3, gelu_4};
    reinterpret_cast<float4*>(operands)[threadIdx.x + 13u] = {gelu_5, gelu_6, gelu_7, gelu_8};
    reinterpret_cast<float4*>(operands)[threadIdx.x + 26u] = {gelu_9, gelu_10, gelu_11, gelu_12};
    reinterpret_cast<float4*>(operands)[threadIdx.x + 39u] = {gelu_13, gelu_14, gelu_15, gelu_16};
  }
  const unsigned e = (threadIdx.x + 116u) % 128u;
  const unsigned r = e / 4u;
  const unsigned c = e % 4u;
  const unsigned at = (blockIdx.x * 4u) + c;
  const unsigned at_1 = min(at, 5u);
  const bool inside = at < 6u;
  const unsigned i_1 = (r * 96u) + (at_1 * 4u);
  if (e < 48u) {
    const float4 weight_1_4 = reinterpret_cast<const float4*>(weight)[i_1 / 4u];
    const float weight_1 = weight_1_4.x;
    const float weight_2 = weight_1_4.y;
    const float weight_3 = weight_1_4.z;
    const float weight_4 = weight_1_4.w;
    const float4 weight_5_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 24u) / 4u];
    const float weight_5 = weight_5_4.x;
    const float weight_6 = weight_5_4.y;
    const float weight_7 = weight_5_4.z;
    const float weight_8 = weight_5_4.w;
    const float4 weight_9_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 48u) / 4u];
    const float weight_9 = weight_9_4.x;
    const float weight_10 = weight_9_4.y;
    const float weight_11 = weight_9_4.z;
    const float weight_12 = weight_9_4.w;
    const float4 weight_13_4 = reinterpret_cast<const float4*>(weight)[(i_1 + 72u) / 4u];
    const float weight_13 = weight_13_4.x;
    const float weight_14 = weight_13_4.y;
    const float weight_15 = weight_13_4.z;
    const float weight_16 = weight_13_4.w;
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 52u] = {inside ? weight_1 : 0.0f, inside ? weight_2 : 0.0f, inside ? weight_3 : 0.0f, inside ? weight_4 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 56u] = {inside ? weight_5 : 0.0f, inside ? weight_6 : 0.0f, inside ? weight_7 : 0.0f, inside ? weight_8 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 60u] = {inside ? weight_9 : 0.0f, inside ? weight_10 : 0.0f, inside ? weight_11 : 0.0f, inside ? weight_12 : 0.0f};
    reinterpret_cast<float4*>(operands)[((r * 16u) + c) + 64u] = {inside ? weight_13 : 0.0f, inside ? weight_14 : 0.0f, inside ? weight_15 : 0.0f, inside ? weight_16 : 0.0f};
  }
  __syncthreads();
  _Pragma("unroll 1") for (unsigned quad = 0u; quad < 2u; ++quad) {
    const unsigned quad_1 = (quad * 8u) + slice;
    if (quad_1 < 12u) {
      const float4 operands_1_4 = reinterpret_cast<const float4*>(operands)[(row * 13u) + quad_1];
      const float operands_1 = operands_1_4.x;
      const float operands_2 = operands_1_4.y;
      const float operands_3 = operands_1_4.z;
      const float operands_4 = operands_1_4.w;
      const float4 operands_5_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 52u];
      const float operands_5 = operands_5_4.x;
      const float operands_6 = operands_5_4.y;
      const float operands_7 = operands_5_4.z;
      const float operands_8 = operands_5_4.w;
      carried = fmaf(operands_1, operands_5, carried);
      carried_1 = fmaf(operands_1, operands_6, carried_1);
      carried_2 = fmaf(operands_1, operands_7, carried_2);
      carried_3 = fmaf(operands_1, operands_8, carried_3);
      const float4 operands_9_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 56u];
      const float operands_9 = operands_9_4.x;
      const float operands_10 = operands_9_4.y;
      const float operands_11 = operands_9_4.z;
      const float operands_12 = operands_9_4.w;
      carried = fmaf(operands_2, operands_9, carried);
      carried_1 = fmaf(operands_2, operands_10, carried_1);
      carried_2 = fmaf(operands_2, operands_11, carried_2);
      carried_3 = fmaf(operands_2, operands_12, carried_3);
      const float4 operands_13_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 60u];
      const float operands_13 = operands_13_4.x;
      const float operands_14 = operands_13_4.y;
      const float operands_15 = operands_13_4.z;
      const float operands_16 = operands_13_4.w;
      carried = fmaf(operands_3, operands_13, carried);
      carried_1 = fmaf(operands_3, operands_14, carried_1);
      carried_2 = fmaf(operands_3, operands_15, carried_2);
      carried_3 = fmaf(operands_3, operands_16, carried_3);
      const float4 operands_17_4 = reinterpret_cast<const float4*>(operands)[((quad_1 * 16u) + column) + 64u];
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
  const unsigned c_1 = (blockIdx.x * 16u) + (threadIdx.x % 16u);
  const unsigned i_2 = (r_1 * 24u) + c_1;
  if (threadIdx.x < 64u) {
    const float part = parts[threadIdx.x];
    const float part_1 = parts[threadIdx.x + 64u];
    const float part_2 = parts[threadIdx.x + 128u];
    const float part_3 = parts[threadIdx.x + 192u];
    const float part_4 = parts[threadIdx.x + 256u];
    const float part_5 = parts[threadIdx.x + 320u];
    const float part_6 = parts[threadIdx.x + 384u];
    const float part_7 = parts[threadIdx.x + 448u];
    const float value = ((((((part + part_1) + part_2) + part_3) + part_4) + part_5) + part_6) + part_7;
    if (c_1 < 24u) {
      const float x_1 = x[i_2];
      const float add_1 = x_1 + value;
      add[(r_1 * 24u) + c_1] = add_1;
    }
  }
}
