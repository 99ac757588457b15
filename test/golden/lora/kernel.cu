// matmul: step 0
extern "C" __global__ void __launch_bounds__(64) matmul(
    float* __restrict__ matmul,
    const float* __restrict__ x,
    const float* __restrict__ A) {
  __shared__ float left[512];
  __shared__ float right[256];
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
  const unsigned i = min(r, 32u);
  const unsigned i_2 = i * 40u;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = m0 + (e / 16u);
  const unsigned i_3 = min(r_1, 32u);
  const unsigned i_5 = i_3 * 40u;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = m0 + (e_1 / 16u);
  const unsigned i_6 = min(r_2, 32u);
  const unsigned i_8 = i_6 * 40u;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = m0 + (e_2 / 16u);
  const unsigned i_9 = min(r_3, 32u);
  const unsigned i_11 = i_9 * 40u;
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned r_4 = m0 + (e_3 / 16u);
  const unsigned i_12 = min(r_4, 32u);
  const unsigned i_14 = i_12 * 40u;
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned r_5 = m0 + (e_4 / 16u);
  const unsigned i_15 = min(r_5, 32u);
  const unsigned i_17 = i_15 * 40u;
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned r_6 = m0 + (e_5 / 16u);
  const unsigned i_18 = min(r_6, 32u);
  const unsigned i_20 = i_18 * 40u;
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned r_7 = m0 + (e_6 / 16u);
  const unsigned i_21 = min(r_7, 32u);
  const unsigned i_23 = i_21 * 40u;
  const unsigned c_8 = threadIdx.x % 16u;
  const unsigned i_24 = min(c_8, 3u);
  const unsigned c_9 = e % 16u;
  const unsigned i_25 = min(c_9, 3u);
  const unsigned c_10 = e_1 % 16u;
  const unsigned i_27 = min(c_10, 3u);
  const unsigned c_11 = e_2 % 16u;
  const unsigned i_29 = min(c_11, 3u);
  for (unsigned step = 0u; step < 3u; ++step) {
    const unsigned k0 = step * 16u;
    const unsigned c = k0 + (threadIdx.x % 16u);
    const unsigned i_1 = min(c, 39u);
    const float x_1 = x[i_2 + i_1];
    left[threadIdx.x] = ((r < 33u) && (c < 40u)) ? x_1 : 0.0f;
    const unsigned c_1 = k0 + (e % 16u);
    const unsigned i_4 = min(c_1, 39u);
    const float x_2 = x[i_5 + i_4];
    left[e] = ((r_1 < 33u) && (c_1 < 40u)) ? x_2 : 0.0f;
    const unsigned c_2 = k0 + (e_1 % 16u);
    const unsigned i_7 = min(c_2, 39u);
    const float x_3 = x[i_8 + i_7];
    left[e_1] = ((r_2 < 33u) && (c_2 < 40u)) ? x_3 : 0.0f;
    const unsigned c_3 = k0 + (e_2 % 16u);
    const unsigned i_10 = min(c_3, 39u);
    const float x_4 = x[i_11 + i_10];
    left[e_2] = ((r_3 < 33u) && (c_3 < 40u)) ? x_4 : 0.0f;
    const unsigned c_4 = k0 + (e_3 % 16u);
    const unsigned i_13 = min(c_4, 39u);
    const float x_5 = x[i_14 + i_13];
    left[e_3] = ((r_4 < 33u) && (c_4 < 40u)) ? x_5 : 0.0f;
    const unsigned c_5 = k0 + (e_4 % 16u);
    const unsigned i_16 = min(c_5, 39u);
    const float x_6 = x[i_17 + i_16];
    left[e_4] = ((r_5 < 33u) && (c_5 < 40u)) ? x_6 : 0.0f;
    const unsigned c_6 = k0 + (e_5 % 16u);
    const unsigned i_19 = min(c_6, 39u);
    const float x_7 = x[i_20 + i_19];
    left[e_5] = ((r_6 < 33u) && (c_6 < 40u)) ? x_7 : 0.0f;
    const unsigned c_7 = k0 + (e_6 % 16u);
    const unsigned i_22 = min(c_7, 39u);
    const float x_8 = x[i_23 + i_22];
    left[e_6] = ((r_7 < 33u) && (c_7 < 40u)) ? x_8 : 0.0f;
    const unsigned r_8 = k0 + (threadIdx.x / 16u);
    const float A_1 = A[i_24 + (r_8 * 4u)];
    right[threadIdx.x] = (c_8 < 4u) ? A_1 : 0.0f;
    const unsigned r_9 = k0 + (e / 16u);
    const float A_2 = A[i_25 + (r_9 * 4u)];
    right[e] = (c_9 < 4u) ? A_2 : 0.0f;
    const unsigned r_10 = k0 + (e_1 / 16u);
    const unsigned i_26 = min(r_10, 39u);
    const float A_3 = A[i_27 + (i_26 * 4u)];
    right[e_1] = ((r_10 < 40u) && (c_10 < 4u)) ? A_3 : 0.0f;
    const unsigned r_11 = k0 + (e_2 / 16u);
    const unsigned i_28 = min(r_11, 39u);
    const float A_4 = A[i_29 + (i_28 * 4u)];
    right[e_2] = ((r_11 < 40u) && (c_11 < 4u)) ? A_4 : 0.0f;
    __syncthreads();
    for (unsigned kk = 0u; kk < 16u; ++kk) {
      const float a = left[(row * 64u) + kk];
      const float a_1 = left[((row * 64u) + kk) + 16u];
      const float a_2 = left[((row * 64u) + kk) + 32u];
      const float a_3 = left[((row * 64u) + kk) + 48u];
      const float b = right[(kk * 16u) + (col * 2u)];
      const float b_1 = right[((kk * 16u) + (col * 2u)) + 1u];
      sum = fmaf(a, b, sum);
      sum_1 = fmaf(a, b_1, sum_1);
      sum_2 = fmaf(a_1, b, sum_2);
      sum_3 = fmaf(a_1, b_1, sum_3);
      sum_4 = fmaf(a_2, b, sum_4);
      sum_5 = fmaf(a_2, b_1, sum_5);
      sum_6 = fmaf(a_3, b, sum_6);
      sum_7 = fmaf(a_3, b_1, sum_7);
    }
    __syncthreads();
  }
  const unsigned m = m0 + (row * 4u);
  const unsigned n = col * 2u;
  if ((m < 33u) && (n < 4u)) {
    matmul[(m * 4u) + n] = sum;
  }
  const unsigned n_1 = (col * 2u) + 1u;
  if ((m < 33u) && (n_1 < 4u)) {
    matmul[(m * 4u) + n_1] = sum_1;
  }
  const unsigned m_1 = (m0 + (row * 4u)) + 1u;
  if ((m_1 < 33u) && (n < 4u)) {
    matmul[(m_1 * 4u) + n] = sum_2;
  }
  if ((m_1 < 33u) && (n_1 < 4u)) {
    matmul[(m_1 * 4u) + n_1] = sum_3;
  }
  const unsigned m_2 = (m0 + (row * 4u)) + 2u;
  if ((m_2 < 33u) && (n < 4u)) {
    matmul[(m_2 * 4u) + n] = sum_4;
  }
  if ((m_2 < 33u) && (n_1 < 4u)) {
    matmul[(m_2 * 4u) + n_1] = sum_5;
  }
  const unsigned m_3 = (m0 + (row * 4u)) + 3u;
  if ((m_3 < 33u) && (n < 4u)) {
    matmul[(m_3 * 4u) + n] = sum_6;
  }
  if ((m_3 < 33u) && (n_1 < 4u)) {
    matmul[(m_3 * 4u) + n_1] = sum_7;
  }
}

// matmul: step 1
extern "C" __global__ void __launch_bounds__(64) matmul(
    float* __restrict__ matmul,
    const float* __restrict__ x,
    const float* __restrict__ weight,
    const float* __restrict__ matmul_1,
    const float* __restrict__ B) {
  __shared__ float left[512];
  __shared__ float right[512];
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
  const unsigned i = min(r, 32u);
  const unsigned i_2 = i * 40u;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = m0 + (e / 16u);
  const unsigned i_3 = min(r_1, 32u);
  const unsigned i_5 = i_3 * 40u;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = m0 + (e_1 / 16u);
  const unsigned i_6 = min(r_2, 32u);
  const unsigned i_8 = i_6 * 40u;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = m0 + (e_2 / 16u);
  const unsigned i_9 = min(r_3, 32u);
  const unsigned i_11 = i_9 * 40u;
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned r_4 = m0 + (e_3 / 16u);
  const unsigned i_12 = min(r_4, 32u);
  const unsigned i_14 = i_12 * 40u;
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned r_5 = m0 + (e_4 / 16u);
  const unsigned i_15 = min(r_5, 32u);
  const unsigned i_17 = i_15 * 40u;
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned r_6 = m0 + (e_5 / 16u);
  const unsigned i_18 = min(r_6, 32u);
  const unsigned i_20 = i_18 * 40u;
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned r_7 = m0 + (e_6 / 16u);
  const unsigned i_21 = min(r_7, 32u);
  const unsigned i_23 = i_21 * 40u;
  const unsigned c_8 = n0 + (threadIdx.x % 32u);
  const unsigned i_24 = min(c_8, 35u);
  const unsigned c_9 = n0 + (e % 32u);
  const unsigned i_25 = min(c_9, 35u);
  const unsigned c_10 = n0 + (e_1 % 32u);
  const unsigned i_26 = min(c_10, 35u);
  const unsigned c_11 = n0 + (e_2 % 32u);
  const unsigned i_27 = min(c_11, 35u);
  const unsigned c_12 = n0 + (e_3 % 32u);
  const unsigned i_29 = min(c_12, 35u);
  const unsigned c_13 = n0 + (e_4 % 32u);
  const unsigned i_31 = min(c_13, 35u);
  const unsigned c_14 = n0 + (e_5 % 32u);
  const unsigned i_33 = min(c_14, 35u);
  const unsigned c_15 = n0 + (e_6 % 32u);
  const unsigned i_35 = min(c_15, 35u);
  for (unsigned step = 0u; step < 3u; ++step) {
    const unsigned k0 = step * 16u;
    const unsigned c = k0 + (threadIdx.x % 16u);
    const unsigned i_1 = min(c, 39u);
    const float x_1 = x[i_2 + i_1];
    left[threadIdx.x] = ((r < 33u) && (c < 40u)) ? x_1 : 0.0f;
    const unsigned c_1 = k0 + (e % 16u);
    const unsigned i_4 = min(c_1, 39u);
    const float x_2 = x[i_5 + i_4];
    left[e] = ((r_1 < 33u) && (c_1 < 40u)) ? x_2 : 0.0f;
    const unsigned c_2 = k0 + (e_1 % 16u);
    const unsigned i_7 = min(c_2, 39u);
    const float x_3 = x[i_8 + i_7];
    left[e_1] = ((r_2 < 33u) && (c_2 < 40u)) ? x_3 : 0.0f;
    const unsigned c_3 = k0 + (e_2 % 16u);
    const unsigned i_10 = min(c_3, 39u);
    const float x_4 = x[i_11 + i_10];
    left[e_2] = ((r_3 < 33u) && (c_3 < 40u)) ? x_4 : 0.0f;
    const unsigned c_4 = k0 + (e_3 % 16u);
    const unsigned i_13 = min(c_4, 39u);
    const float x_5 = x[i_14 + i_13];
    left[e_3] = ((r_4 < 33u) && (c_4 < 40u)) ? x_5 : 0.0f;
    const unsigned c_5 = k0 + (e_4 % 16u);
    const unsigned i_16 = min(c_5, 39u);
    const float x_6 = x[i_17 + i_16];
    left[e_4] = ((r_5 < 33u) && (c_5 < 40u)) ? x_6 : 0.0f;
    const unsigned c_6 = k0 + (e_5 % 16u);
    const unsigned i_19 = min(c_6, 39u);
    const float x_7 = x[i_20 + i_19];
    left[e_5] = ((r_6 < 33u) && (c_6 < 40u)) ? x_7 : 0.0f;
    const unsigned c_7 = k0 + (e_6 % 16u);
    const unsigned i_22 = min(c_7, 39u);
    const float x_8 = x[i_23 + i_22];
    left[e_6] = ((r_7 < 33u) && (c_7 < 40u)) ? x_8 : 0.0f;
    const unsigned r_8 = k0 + (threadIdx.x / 32u);
    const float weight_1 = weight[i_24 + (r_8 * 36u)];
    right[threadIdx.x] = (c_8 < 36u) ? weight_1 : 0.0f;
    const unsigned r_9 = k0 + (e / 32u);
    const float weight_2 = weight[i_25 + (r_9 * 36u)];
    right[e] = (c_9 < 36u) ? weight_2 : 0.0f;
    const unsigned r_10 = k0 + (e_1 / 32u);
    const float weight_3 = weight[i_26 + (r_10 * 36u)];
    right[e_1] = (c_10 < 36u) ? weight_3 : 0.0f;
    const unsigned r_11 = k0 + (e_2 / 32u);
    const float weight_4 = weight[i_27 + (r_11 * 36u)];
    right[e_2] = (c_11 < 36u) ? weight_4 : 0.0f;
    const unsigned r_12 = k0 + (e_3 / 32u);
    const unsigned i_28 = min(r_12, 39u);
    const float weight_5 = weight[i_29 + (i_28 * 36u)];
    right[e_3] = ((r_12 < 40u) && (c_12 < 36u)) ? weight_5 : 0.0f;
    const unsigned r_13 = k0 + (e_4 / 32u);
    const unsigned i_30 = min(r_13, 39u);
    const float weight_6 = weight[i_31 + (i_30 * 36u)];
    right[e_4] = ((r_13 < 40u) && (c_13 < 36u)) ? weight_6 : 0.0f;
    const unsigned r_14 = k0 + (e_5 / 32u);
    const unsigned i_32 = min(r_14, 39u);
    const float weight_7 = weight[i_33 + (i_32 * 36u)];
    right[e_5] = ((r_14 < 40u) && (c_14 < 36u)) ? weight_7 : 0.0f;
    const unsigned r_15 = k0 + (e_6 / 32u);
    const unsigned i_34 = min(r_15, 39u);
    const float weight_8 = weight[i_35 + (i_34 * 36u)];
    right[e_6] = ((r_15 < 40u) && (c_15 < 36u)) ? weight_8 : 0.0f;
    __syncthreads();
    for (unsigned kk = 0u; kk < 16u; ++kk) {
      const float a = left[(row * 64u) + kk];
      const float a_1 = left[((row * 64u) + kk) + 16u];
      const float a_2 = left[((row * 64u) + kk) + 32u];
      const float a_3 = left[((row * 64u) + kk) + 48u];
      const float b = right[(kk * 32u) + (col * 4u)];
      const float b_1 = right[((kk * 32u) + (col * 4u)) + 1u];
      const float b_2 = right[((kk * 32u) + (col * 4u)) + 2u];
      const float b_3 = right[((kk * 32u) + (col * 4u)) + 3u];
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
    }
    __syncthreads();
  }
  const unsigned c_16 = threadIdx.x % 16u;
  const unsigned i_36 = min(c_16, 3u);
  const float matmul_2 = matmul_1[(i * 4u) + i_36];
  left[threadIdx.x] = ((r < 33u) && (c_16 < 4u)) ? matmul_2 : 0.0f;
  const unsigned c_17 = e % 16u;
  const unsigned i_37 = min(c_17, 3u);
  const float matmul_3 = matmul_1[(i_3 * 4u) + i_37];
  left[e] = ((r_1 < 33u) && (c_17 < 4u)) ? matmul_3 : 0.0f;
  const unsigned c_18 = e_1 % 16u;
  const unsigned i_38 = min(c_18, 3u);
  const float matmul_4 = matmul_1[(i_6 * 4u) + i_38];
  left[e_1] = ((r_2 < 33u) && (c_18 < 4u)) ? matmul_4 : 0.0f;
  const unsigned c_19 = e_2 % 16u;
  const unsigned i_39 = min(c_19, 3u);
  const float matmul_5 = matmul_1[(i_9 * 4u) + i_39];
  left[e_2] = ((r_3 < 33u) && (c_19 < 4u)) ? matmul_5 : 0.0f;
  const unsigned c_20 = e_3 % 16u;
  const unsigned i_40 = min(c_20, 3u);
  const float matmul_6 = matmul_1[(i_12 * 4u) + i_40];
  left[e_3] = ((r_4 < 33u) && (c_20 < 4u)) ? matmul_6 : 0.0f;
  const unsigned c_21 = e_4 % 16u;
  const unsigned i_41 = min(c_21, 3u);
  const float matmul_7 = matmul_1[(i_15 * 4u) + i_41];
  left[e_4] = ((r_5 < 33u) && (c_21 < 4u)) ? matmul_7 : 0.0f;
  const unsigned c_22 = e_5 % 16u;
  const unsigned i_42 = min(c_22, 3u);
  const float matmul_8 = matmul_1[(i_18 * 4u) + i_42];
  left[e_5] = ((r_6 < 33u) && (c_22 < 4u)) ? matmul_8 : 0.0f;
  const unsigned c_23 = e_6 % 16u;
  const unsigned i_43 = min(c_23, 3u);
  const float matmul_9 = matmul_1[(i_21 * 4u) + i_43];
  left[e_6] = ((r_7 < 33u) && (c_23 < 4u)) ? matmul_9 : 0.0f;
  const unsigned r_16 = threadIdx.x / 32u;
  const float B_1 = B[(r_16 * 36u) + i_24];
  const float mul = B_1 * 2.0f;
  right[threadIdx.x] = (c_8 < 36u) ? mul : 0.0f;
  const unsigned r_17 = e / 32u;
  const float B_2 = B[(r_17 * 36u) + i_25];
  const float mul_1 = B_2 * 2.0f;
  right[e] = (c_9 < 36u) ? mul_1 : 0.0f;
  const unsigned r_18 = e_1 / 32u;
  const unsigned i_44 = min(r_18, 3u);
  const float B_3 = B[(i_44 * 36u) + i_26];
  const float mul_2 = B_3 * 2.0f;
  right[e_1] = ((r_18 < 4u) && (c_10 < 36u)) ? mul_2 : 0.0f;
  const unsigned r_19 = e_2 / 32u;
  const unsigned i_45 = min(r_19, 3u);
  const float B_4 = B[(i_45 * 36u) + i_27];
  const float mul_3 = B_4 * 2.0f;
  right[e_2] = ((r_19 < 4u) && (c_11 < 36u)) ? mul_3 : 0.0f;
  const unsigned r_20 = e_3 / 32u;
  const unsigned i_46 = min(r_20, 3u);
  const float B_5 = B[(i_46 * 36u) + i_29];
  const float mul_4 = B_5 * 2.0f;
  right[e_3] = ((r_20 < 4u) && (c_12 < 36u)) ? mul_4 : 0.0f;
  const unsigned r_21 = e_4 / 32u;
  const unsigned i_47 = min(r_21, 3u);
  const float B_6 = B[(i_47 * 36u) + i_31];
  const float mul_5 = B_6 * 2.0f;
  right[e_4] = ((r_21 < 4u) && (c_13 < 36u)) ? mul_5 : 0.0f;
  const unsigned r_22 = e_5 / 32u;
  const unsigned i_48 = min(r_22, 3u);
  const float B_7 = B[(i_48 * 36u) + i_33];
  const float mul_6 = B_7 * 2.0f;
  right[e_5] = ((r_22 < 4u) && (c_14 < 36u)) ? mul_6 : 0.0f;
  const unsigned r_23 = e_6 / 32u;
  const unsigned i_49 = min(r_23, 3u);
  const float B_8 = B[(i_49 * 36u) + i_35];
  const float mul_7 = B_8 * 2.0f;
  right[e_6] = ((r_23 < 4u) && (c_15 < 36u)) ? mul_7 : 0.0f;
  __syncthreads();
  for (unsigned kk_1 = 0u; kk_1 < 16u; ++kk_1) {
    const float a_4 = left[(row * 64u) + kk_1];
    const float a_5 = left[((row * 64u) + kk_1) + 16u];
    const float a_6 = left[((row * 64u) + kk_1) + 32u];
    const float a_7 = left[((row * 64u) + kk_1) + 48u];
    const float b_4 = right[(kk_1 * 32u) + (col * 4u)];
    const float b_5 = right[((kk_1 * 32u) + (col * 4u)) + 1u];
    const float b_6 = right[((kk_1 * 32u) + (col * 4u)) + 2u];
    const float b_7 = right[((kk_1 * 32u) + (col * 4u)) + 3u];
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
  }
  const unsigned m = m0 + (row * 4u);
  const unsigned n = n0 + (col * 4u);
  if ((m < 33u) && (n < 36u)) {
    matmul[(m * 36u) + n] = sum;
  }
  const unsigned n_1 = (n0 + (col * 4u)) + 1u;
  if ((m < 33u) && (n_1 < 36u)) {
    matmul[(m * 36u) + n_1] = sum_1;
  }
  const unsigned n_2 = (n0 + (col * 4u)) + 2u;
  if ((m < 33u) && (n_2 < 36u)) {
    matmul[(m * 36u) + n_2] = sum_2;
  }
  const unsigned n_3 = (n0 + (col * 4u)) + 3u;
  if ((m < 33u) && (n_3 < 36u)) {
    matmul[(m * 36u) + n_3] = sum_3;
  }
  const unsigned m_1 = (m0 + (row * 4u)) + 1u;
  if ((m_1 < 33u) && (n < 36u)) {
    matmul[(m_1 * 36u) + n] = sum_4;
  }
  if ((m_1 < 33u) && (n_1 < 36u)) {
    matmul[(m_1 * 36u) + n_1] = sum_5;
  }
  if ((m_1 < 33u) && (n_2 < 36u)) {
    matmul[(m_1 * 36u) + n_2] = sum_6;
  }
  if ((m_1 < 33u) && (n_3 < 36u)) {
    matmul[(m_1 * 36u) + n_3] = sum_7;
  }
  const unsigned m_2 = (m0 + (row * 4u)) + 2u;
  if ((m_2 < 33u) && (n < 36u)) {
    matmul[(m_2 * 36u) + n] = sum_8;
  }
  if ((m_2 < 33u) && (n_1 < 36u)) {
    matmul[(m_2 * 36u) + n_1] = sum_9;
  }
  if ((m_2 < 33u) && (n_2 < 36u)) {
    matmul[(m_2 * 36u) + n_2] = sum_10;
  }
  if ((m_2 < 33u) && (n_3 < 36u)) {
    matmul[(m_2 * 36u) + n_3] = sum_11;
  }
  const unsigned m_3 = (m0 + (row * 4u)) + 3u;
  if ((m_3 < 33u) && (n < 36u)) {
    matmul[(m_3 * 36u) + n] = sum_12;
  }
  if ((m_3 < 33u) && (n_1 < 36u)) {
    matmul[(m_3 * 36u) + n_1] = sum_13;
  }
  if ((m_3 < 33u) && (n_2 < 36u)) {
    matmul[(m_3 * 36u) + n_2] = sum_14;
  }
  if ((m_3 < 33u) && (n_3 < 36u)) {
    matmul[(m_3 * 36u) + n_3] = sum_15;
  }
}
