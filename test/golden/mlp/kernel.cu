// matmul_add_gelu: step 0
extern "C" __global__ void __launch_bounds__(64) matmul_add_gelu(
    float* __restrict__ gelu,
    const float* __restrict__ x,
    const float* __restrict__ weight,
    const float* __restrict__ bias) {
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
  const unsigned i_1 = r * 24u;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = m0 + (e / 16u);
  const unsigned i_3 = r_1 * 24u;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = m0 + (e_1 / 16u);
  const unsigned i_4 = min(r_2, 39u);
  const unsigned i_6 = i_4 * 24u;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = m0 + (e_2 / 16u);
  const unsigned i_7 = min(r_3, 39u);
  const unsigned i_9 = i_7 * 24u;
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned r_4 = m0 + (e_3 / 16u);
  const unsigned i_10 = min(r_4, 39u);
  const unsigned i_12 = i_10 * 24u;
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned r_5 = m0 + (e_4 / 16u);
  const unsigned i_13 = min(r_5, 39u);
  const unsigned i_15 = i_13 * 24u;
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned r_6 = m0 + (e_5 / 16u);
  const unsigned i_16 = min(r_6, 39u);
  const unsigned i_18 = i_16 * 24u;
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned r_7 = m0 + (e_6 / 16u);
  const unsigned i_19 = min(r_7, 39u);
  const unsigned i_21 = i_19 * 24u;
  const unsigned c_8 = n0 + (threadIdx.x % 32u);
  const unsigned i_22 = min(c_8, 47u);
  const unsigned c_9 = n0 + (e % 32u);
  const unsigned i_23 = min(c_9, 47u);
  const unsigned c_10 = n0 + (e_1 % 32u);
  const unsigned i_24 = min(c_10, 47u);
  const unsigned c_11 = n0 + (e_2 % 32u);
  const unsigned i_25 = min(c_11, 47u);
  const unsigned c_12 = n0 + (e_3 % 32u);
  const unsigned i_27 = min(c_12, 47u);
  const unsigned c_13 = n0 + (e_4 % 32u);
  const unsigned i_29 = min(c_13, 47u);
  const unsigned c_14 = n0 + (e_5 % 32u);
  const unsigned i_31 = min(c_14, 47u);
  const unsigned c_15 = n0 + (e_6 % 32u);
  const unsigned i_33 = min(c_15, 47u);
  for (unsigned step = 0u; step < 2u; ++step) {
    const unsigned k0 = step * 16u;
    const unsigned c = k0 + (threadIdx.x % 16u);
    const unsigned i = min(c, 23u);
    const float x_1 = x[i_1 + i];
    left[threadIdx.x] = (c < 24u) ? x_1 : 0.0f;
    const unsigned c_1 = k0 + (e % 16u);
    const unsigned i_2 = min(c_1, 23u);
    const float x_2 = x[i_3 + i_2];
    left[e] = (c_1 < 24u) ? x_2 : 0.0f;
    const unsigned c_2 = k0 + (e_1 % 16u);
    const unsigned i_5 = min(c_2, 23u);
    const float x_3 = x[i_6 + i_5];
    left[e_1] = ((r_2 < 40u) && (c_2 < 24u)) ? x_3 : 0.0f;
    const unsigned c_3 = k0 + (e_2 % 16u);
    const unsigned i_8 = min(c_3, 23u);
    const float x_4 = x[i_9 + i_8];
    left[e_2] = ((r_3 < 40u) && (c_3 < 24u)) ? x_4 : 0.0f;
    const unsigned c_4 = k0 + (e_3 % 16u);
    const unsigned i_11 = min(c_4, 23u);
    const float x_5 = x[i_12 + i_11];
    left[e_3] = ((r_4 < 40u) && (c_4 < 24u)) ? x_5 : 0.0f;
    const unsigned c_5 = k0 + (e_4 % 16u);
    const unsigned i_14 = min(c_5, 23u);
    const float x_6 = x[i_15 + i_14];
    left[e_4] = ((r_5 < 40u) && (c_5 < 24u)) ? x_6 : 0.0f;
    const unsigned c_6 = k0 + (e_5 % 16u);
    const unsigned i_17 = min(c_6, 23u);
    const float x_7 = x[i_18 + i_17];
    left[e_5] = ((r_6 < 40u) && (c_6 < 24u)) ? x_7 : 0.0f;
    const unsigned c_7 = k0 + (e_6 % 16u);
    const unsigned i_20 = min(c_7, 23u);
    const float x_8 = x[i_21 + i_20];
    left[e_6] = ((r_7 < 40u) && (c_7 < 24u)) ? x_8 : 0.0f;
    const unsigned r_8 = k0 + (threadIdx.x / 32u);
    const float weight_1 = weight[i_22 + (r_8 * 48u)];
    right[threadIdx.x] = (c_8 < 48u) ? weight_1 : 0.0f;
    const unsigned r_9 = k0 + (e / 32u);
    const float weight_2 = weight[i_23 + (r_9 * 48u)];
    right[e] = (c_9 < 48u) ? weight_2 : 0.0f;
    const unsigned r_10 = k0 + (e_1 / 32u);
    const float weight_3 = weight[i_24 + (r_10 * 48u)];
    right[e_1] = (c_10 < 48u) ? weight_3 : 0.0f;
    const unsigned r_11 = k0 + (e_2 / 32u);
    const float weight_4 = weight[i_25 + (r_11 * 48u)];
    right[e_2] = (c_11 < 48u) ? weight_4 : 0.0f;
    const unsigned r_12 = k0 + (e_3 / 32u);
    const unsigned i_26 = min(r_12, 23u);
    const float weight_5 = weight[i_27 + (i_26 * 48u)];
    right[e_3] = ((r_12 < 24u) && (c_12 < 48u)) ? weight_5 : 0.0f;
    const unsigned r_13 = k0 + (e_4 / 32u);
    const unsigned i_28 = min(r_13, 23u);
    const float weight_6 = weight[i_29 + (i_28 * 48u)];
    right[e_4] = ((r_13 < 24u) && (c_13 < 48u)) ? weight_6 : 0.0f;
    const unsigned r_14 = k0 + (e_5 / 32u);
    const unsigned i_30 = min(r_14, 23u);
    const float weight_7 = weight[i_31 + (i_30 * 48u)];
    right[e_5] = ((r_14 < 24u) && (c_14 < 48u)) ? weight_7 : 0.0f;
    const unsigned r_15 = k0 + (e_6 / 32u);
    const unsigned i_32 = min(r_15, 23u);
    const float weight_8 = weight[i_33 + (i_32 * 48u)];
    right[e_6] = ((r_15 < 24u) && (c_15 < 48u)) ? weight_8 : 0.0f;
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
  const unsigned m = m0 + (row * 4u);
  const unsigned n = n0 + (col * 4u);
  if ((m < 40u) && (n < 48u)) {
    const float value = sum;
    const float bias_1 = bias[n];
    const float add = value + bias_1;
    const float size = fabsf(add);
    const float z = size * 0.70710677f;
    const float q = (z - 3.0f) / (z + 3.0f);
    const float gelu_1 = fmaxf(add, 0.0f) - ((size * 0.5f) * ((expf((-(z * z))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q, 0.0023242696f), q, (-0.024182335f)), q, 0.06827672f), q, (-0.11919529f)), q, 0.12965542f), q, (-0.047567412f)), q, (-0.13562153f)), q, 1.2530081f)) / fmaf(z, 2.0f, 1.0f)));
    gelu[(m * 48u) + n] = gelu_1;
  }
  const unsigned n_1 = (n0 + (col * 4u)) + 1u;
  if ((m < 40u) && (n_1 < 48u)) {
    const float value_1 = sum_1;
    const float bias_2 = bias[n_1];
    const float add_1 = value_1 + bias_2;
    const float size_1 = fabsf(add_1);
    const float z_1 = size_1 * 0.70710677f;
    const float q_1 = (z_1 - 3.0f) / (z_1 + 3.0f);
    const float gelu_2 = fmaxf(add_1, 0.0f) - ((size_1 * 0.5f) * ((expf((-(z_1 * z_1))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_1, 0.0023242696f), q_1, (-0.024182335f)), q_1, 0.06827672f), q_1, (-0.11919529f)), q_1, 0.12965542f), q_1, (-0.047567412f)), q_1, (-0.13562153f)), q_1, 1.2530081f)) / fmaf(z_1, 2.0f, 1.0f)));
    gelu[(m * 48u) + n_1] = gelu_2;
  }
  const unsigned n_2 = (n0 + (col * 4u)) + 2u;
  if ((m < 40u) && (n_2 < 48u)) {
    const float value_2 = sum_2;
    const float bias_3 = bias[n_2];
    const float add_2 = value_2 + bias_3;
    const float size_2 = fabsf(add_2);
    const float z_2 = size_2 * 0.70710677f;
    const float q_2 = (z_2 - 3.0f) / (z_2 + 3.0f);
    const float gelu_3 = fmaxf(add_2, 0.0f) - ((size_2 * 0.5f) * ((expf((-(z_2 * z_2))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_2, 0.0023242696f), q_2, (-0.024182335f)), q_2, 0.06827672f), q_2, (-0.11919529f)), q_2, 0.12965542f), q_2, (-0.047567412f)), q_2, (-0.13562153f)), q_2, 1.2530081f)) / fmaf(z_2, 2.0f, 1.0f)));
    gelu[(m * 48u) + n_2] = gelu_3;
  }
  const unsigned n_3 = (n0 + (col * 4u)) + 3u;
  if ((m < 40u) && (n_3 < 48u)) {
    const float value_3 = sum_3;
    const float bias_4 = bias[n_3];
    const float add_3 = value_3 + bias_4;
    const float size_3 = fabsf(add_3);
    const float z_3 = size_3 * 0.70710677f;
    const float q_3 = (z_3 - 3.0f) / (z_3 + 3.0f);
    const float gelu_4 = fmaxf(add_3, 0.0f) - ((size_3 * 0.5f) * ((expf((-(z_3 * z_3))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_3, 0.0023242696f), q_3, (-0.024182335f)), q_3, 0.06827672f), q_3, (-0.11919529f)), q_3, 0.12965542f), q_3, (-0.047567412f)), q_3, (-0.13562153f)), q_3, 1.2530081f)) / fmaf(z_3, 2.0f, 1.0f)));
    gelu[(m * 48u) + n_3] = gelu_4;
  }
  const unsigned m_1 = (m0 + (row * 4u)) + 1u;
  if ((m_1 < 40u) && (n < 48u)) {
    const float value_4 = sum_4;
    const float bias_5 = bias[n];
    const float add_4 = value_4 + bias_5;
    const float size_4 = fabsf(add_4);
    const float z_4 = size_4 * 0.70710677f;
    const float q_4 = (z_4 - 3.0f) / (z_4 + 3.0f);
    const float gelu_5 = fmaxf(add_4, 0.0f) - ((size_4 * 0.5f) * ((expf((-(z_4 * z_4))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_4, 0.0023242696f), q_4, (-0.024182335f)), q_4, 0.06827672f), q_4, (-0.11919529f)), q_4, 0.12965542f), q_4, (-0.047567412f)), q_4, (-0.13562153f)), q_4, 1.2530081f)) / fmaf(z_4, 2.0f, 1.0f)));
    gelu[(m_1 * 48u) + n] = gelu_5;
  }
  if ((m_1 < 40u) && (n_1 < 48u)) {
    const float value_5 = sum_5;
    const float bias_6 = bias[n_1];
    const float add_5 = value_5 + bias_6;
    const float size_5 = fabsf(add_5);
    const float z_5 = size_5 * 0.70710677f;
    const float q_5 = (z_5 - 3.0f) / (z_5 + 3.0f);
    const float gelu_6 = fmaxf(add_5, 0.0f) - ((size_5 * 0.5f) * ((expf((-(z_5 * z_5))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_5, 0.0023242696f), q_5, (-0.024182335f)), q_5, 0.06827672f), q_5, (-0.11919529f)), q_5, 0.12965542f), q_5, (-0.047567412f)), q_5, (-0.13562153f)), q_5, 1.2530081f)) / fmaf(z_5, 2.0f, 1.0f)));
    gelu[(m_1 * 48u) + n_1] = gelu_6;
  }
  if ((m_1 < 40u) && (n_2 < 48u)) {
    const float value_6 = sum_6;
    const float bias_7 = bias[n_2];
    const float add_6 = value_6 + bias_7;
    const float size_6 = fabsf(add_6);
    const float z_6 = size_6 * 0.70710677f;
    const float q_6 = (z_6 - 3.0f) / (z_6 + 3.0f);
    const float gelu_7 = fmaxf(add_6, 0.0f) - ((size_6 * 0.5f) * ((expf((-(z_6 * z_6))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_6, 0.0023242696f), q_6, (-0.024182335f)), q_6, 0.06827672f), q_6, (-0.11919529f)), q_6, 0.12965542f), q_6, (-0.047567412f)), q_6, (-0.13562153f)), q_6, 1.2530081f)) / fmaf(z_6, 2.0f, 1.0f)));
    gelu[(m_1 * 48u) + n_2] = gelu_7;
  }
  if ((m_1 < 40u) && (n_3 < 48u)) {
    const float value_7 = sum_7;
    const float bias_8 = bias[n_3];
    const float add_7 = value_7 + bias_8;
    const float size_7 = fabsf(add_7);
    const float z_7 = size_7 * 0.70710677f;
    const float q_7 = (z_7 - 3.0f) / (z_7 + 3.0f);
    const float gelu_8 = fmaxf(add_7, 0.0f) - ((size_7 * 0.5f) * ((expf((-(z_7 * z_7))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_7, 0.0023242696f), q_7, (-0.024182335f)), q_7, 0.06827672f), q_7, (-0.11919529f)), q_7, 0.12965542f), q_7, (-0.047567412f)), q_7, (-0.13562153f)), q_7, 1.2530081f)) / fmaf(z_7, 2.0f, 1.0f)));
    gelu[(m_1 * 48u) + n_3] = gelu_8;
  }
  const unsigned m_2 = (m0 + (row * 4u)) + 2u;
  if ((m_2 < 40u) && (n < 48u)) {
    const float value_8 = sum_8;
    const float bias_9 = bias[n];
    const float add_8 = value_8 + bias_9;
    const float size_8 = fabsf(add_8);
    const float z_8 = size_8 * 0.70710677f;
    const float q_8 = (z_8 - 3.0f) / (z_8 + 3.0f);
    const float gelu_9 = fmaxf(add_8, 0.0f) - ((size_8 * 0.5f) * ((expf((-(z_8 * z_8))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_8, 0.0023242696f), q_8, (-0.024182335f)), q_8, 0.06827672f), q_8, (-0.11919529f)), q_8, 0.12965542f), q_8, (-0.047567412f)), q_8, (-0.13562153f)), q_8, 1.2530081f)) / fmaf(z_8, 2.0f, 1.0f)));
    gelu[(m_2 * 48u) + n] = gelu_9;
  }
  if ((m_2 < 40u) && (n_1 < 48u)) {
    const float value_9 = sum_9;
    const float bias_10 = bias[n_1];
    const float add_9 = value_9 + bias_10;
    const float size_9 = fabsf(add_9);
    const float z_9 = size_9 * 0.70710677f;
    const float q_9 = (z_9 - 3.0f) / (z_9 + 3.0f);
    const float gelu_10 = fmaxf(add_9, 0.0f) - ((size_9 * 0.5f) * ((expf((-(z_9 * z_9))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_9, 0.0023242696f), q_9, (-0.024182335f)), q_9, 0.06827672f), q_9, (-0.11919529f)), q_9, 0.12965542f), q_9, (-0.047567412f)), q_9, (-0.13562153f)), q_9, 1.2530081f)) / fmaf(z_9, 2.0f, 1.0f)));
    gelu[(m_2 * 48u) + n_1] = gelu_10;
  }
  if ((m_2 < 40u) && (n_2 < 48u)) {
    const float value_10 = sum_10;
    const float bias_11 = bias[n_2];
    const float add_10 = value_10 + bias_11;
    const float size_10 = fabsf(add_10);
    const float z_10 = size_10 * 0.70710677f;
    const float q_10 = (z_10 - 3.0f) / (z_10 + 3.0f);
    const float gelu_11 = fmaxf(add_10, 0.0f) - ((size_10 * 0.5f) * ((expf((-(z_10 * z_10))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_10, 0.0023242696f), q_10, (-0.024182335f)), q_10, 0.06827672f), q_10, (-0.11919529f)), q_10, 0.12965542f), q_10, (-0.047567412f)), q_10, (-0.13562153f)), q_10, 1.2530081f)) / fmaf(z_10, 2.0f, 1.0f)));
    gelu[(m_2 * 48u) + n_2] = gelu_11;
  }
  if ((m_2 < 40u) && (n_3 < 48u)) {
    const float value_11 = sum_11;
    const float bias_12 = bias[n_3];
    const float add_11 = value_11 + bias_12;
    const float size_11 = fabsf(add_11);
    const float z_11 = size_11 * 0.70710677f;
    const float q_11 = (z_11 - 3.0f) / (z_11 + 3.0f);
    const float gelu_12 = fmaxf(add_11, 0.0f) - ((size_11 * 0.5f) * ((expf((-(z_11 * z_11))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_11, 0.0023242696f), q_11, (-0.024182335f)), q_11, 0.06827672f), q_11, (-0.11919529f)), q_11, 0.12965542f), q_11, (-0.047567412f)), q_11, (-0.13562153f)), q_11, 1.2530081f)) / fmaf(z_11, 2.0f, 1.0f)));
    gelu[(m_2 * 48u) + n_3] = gelu_12;
  }
  const unsigned m_3 = (m0 + (row * 4u)) + 3u;
  if ((m_3 < 40u) && (n < 48u)) {
    const float value_12 = sum_12;
    const float bias_13 = bias[n];
    const float add_12 = value_12 + bias_13;
    const float size_12 = fabsf(add_12);
    const float z_12 = size_12 * 0.70710677f;
    const float q_12 = (z_12 - 3.0f) / (z_12 + 3.0f);
    const float gelu_13 = fmaxf(add_12, 0.0f) - ((size_12 * 0.5f) * ((expf((-(z_12 * z_12))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_12, 0.0023242696f), q_12, (-0.024182335f)), q_12, 0.06827672f), q_12, (-0.11919529f)), q_12, 0.12965542f), q_12, (-0.047567412f)), q_12, (-0.13562153f)), q_12, 1.2530081f)) / fmaf(z_12, 2.0f, 1.0f)));
    gelu[(m_3 * 48u) + n] = gelu_13;
  }
  if ((m_3 < 40u) && (n_1 < 48u)) {
    const float value_13 = sum_13;
    const float bias_14 = bias[n_1];
    const float add_13 = value_13 + bias_14;
    const float size_13 = fabsf(add_13);
    const float z_13 = size_13 * 0.70710677f;
    const float q_13 = (z_13 - 3.0f) / (z_13 + 3.0f);
    const float gelu_14 = fmaxf(add_13, 0.0f) - ((size_13 * 0.5f) * ((expf((-(z_13 * z_13))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_13, 0.0023242696f), q_13, (-0.024182335f)), q_13, 0.06827672f), q_13, (-0.11919529f)), q_13, 0.12965542f), q_13, (-0.047567412f)), q_13, (-0.13562153f)), q_13, 1.2530081f)) / fmaf(z_13, 2.0f, 1.0f)));
    gelu[(m_3 * 48u) + n_1] = gelu_14;
  }
  if ((m_3 < 40u) && (n_2 < 48u)) {
    const float value_14 = sum_14;
    const float bias_15 = bias[n_2];
    const float add_14 = value_14 + bias_15;
    const float size_14 = fabsf(add_14);
    const float z_14 = size_14 * 0.70710677f;
    const float q_14 = (z_14 - 3.0f) / (z_14 + 3.0f);
    const float gelu_15 = fmaxf(add_14, 0.0f) - ((size_14 * 0.5f) * ((expf((-(z_14 * z_14))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_14, 0.0023242696f), q_14, (-0.024182335f)), q_14, 0.06827672f), q_14, (-0.11919529f)), q_14, 0.12965542f), q_14, (-0.047567412f)), q_14, (-0.13562153f)), q_14, 1.2530081f)) / fmaf(z_14, 2.0f, 1.0f)));
    gelu[(m_3 * 48u) + n_2] = gelu_15;
  }
  if ((m_3 < 40u) && (n_3 < 48u)) {
    const float value_15 = sum_15;
    const float bias_16 = bias[n_3];
    const float add_15 = value_15 + bias_16;
    const float size_15 = fabsf(add_15);
    const float z_15 = size_15 * 0.70710677f;
    const float q_15 = (z_15 - 3.0f) / (z_15 + 3.0f);
    const float gelu_16 = fmaxf(add_15, 0.0f) - ((size_15 * 0.5f) * ((expf((-(z_15 * z_15))) * fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(fmaf(0.002571738f, q_15, 0.0023242696f), q_15, (-0.024182335f)), q_15, 0.06827672f), q_15, (-0.11919529f)), q_15, 0.12965542f), q_15, (-0.047567412f)), q_15, (-0.13562153f)), q_15, 1.2530081f)) / fmaf(z_15, 2.0f, 1.0f)));
    gelu[(m_3 * 48u) + n_3] = gelu_16;
  }
}

// matmul_add: step 1
extern "C" __global__ void __launch_bounds__(64) matmul_add(
    float* __restrict__ add,
    const float* __restrict__ gelu,
    const float* __restrict__ weight,
    const float* __restrict__ x) {
  __shared__ float left[512];
  __shared__ float right[512];
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
  float sum_8 = 0.0f;
  float sum_9 = 0.0f;
  float sum_10 = 0.0f;
  float sum_11 = 0.0f;
  float sum_12 = 0.0f;
  float sum_13 = 0.0f;
  float sum_14 = 0.0f;
  float sum_15 = 0.0f;
  const unsigned r = m0 + (threadIdx.x / 16u);
  const unsigned i = r * 48u;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = m0 + (e / 16u);
  const unsigned i_1 = r_1 * 48u;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = m0 + (e_1 / 16u);
  const unsigned i_2 = min(r_2, 39u);
  const unsigned i_3 = i_2 * 48u;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = m0 + (e_2 / 16u);
  const unsigned i_4 = min(r_3, 39u);
  const unsigned i_5 = i_4 * 48u;
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned r_4 = m0 + (e_3 / 16u);
  const unsigned i_6 = min(r_4, 39u);
  const unsigned i_7 = i_6 * 48u;
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned r_5 = m0 + (e_4 / 16u);
  const unsigned i_8 = min(r_5, 39u);
  const unsigned i_9 = i_8 * 48u;
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned r_6 = m0 + (e_5 / 16u);
  const unsigned i_10 = min(r_6, 39u);
  const unsigned i_11 = i_10 * 48u;
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned r_7 = m0 + (e_6 / 16u);
  const unsigned i_12 = min(r_7, 39u);
  const unsigned i_13 = i_12 * 48u;
  const unsigned c_8 = threadIdx.x % 32u;
  const unsigned i_14 = min(c_8, 23u);
  const unsigned c_9 = e % 32u;
  const unsigned i_15 = min(c_9, 23u);
  const unsigned c_10 = e_1 % 32u;
  const unsigned i_16 = min(c_10, 23u);
  const unsigned c_11 = e_2 % 32u;
  const unsigned i_17 = min(c_11, 23u);
  const unsigned c_12 = e_3 % 32u;
  const unsigned i_18 = min(c_12, 23u);
  const unsigned c_13 = e_4 % 32u;
  const unsigned i_19 = min(c_13, 23u);
  const unsigned c_14 = e_5 % 32u;
  const unsigned i_20 = min(c_14, 23u);
  const unsigned c_15 = e_6 % 32u;
  const unsigned i_21 = min(c_15, 23u);
  for (unsigned step = 0u; step < 3u; ++step) {
    const unsigned k0 = step * 16u;
    const unsigned c = k0 + (threadIdx.x % 16u);
    const float gelu_1 = gelu[i + c];
    left[threadIdx.x] = gelu_1;
    const unsigned c_1 = k0 + (e % 16u);
    const float gelu_2 = gelu[i_1 + c_1];
    left[e] = gelu_2;
    const unsigned c_2 = k0 + (e_1 % 16u);
    const float gelu_3 = gelu[i_3 + c_2];
    left[e_1] = (r_2 < 40u) ? gelu_3 : 0.0f;
    const unsigned c_3 = k0 + (e_2 % 16u);
    const float gelu_4 = gelu[i_5 + c_3];
    left[e_2] = (r_3 < 40u) ? gelu_4 : 0.0f;
    const unsigned c_4 = k0 + (e_3 % 16u);
    const float gelu_5 = gelu[i_7 + c_4];
    left[e_3] = (r_4 < 40u) ? gelu_5 : 0.0f;
    const unsigned c_5 = k0 + (e_4 % 16u);
    const float gelu_6 = gelu[i_9 + c_5];
    left[e_4] = (r_5 < 40u) ? gelu_6 : 0.0f;
    const unsigned c_6 = k0 + (e_5 % 16u);
    const float gelu_7 = gelu[i_11 + c_6];
    left[e_5] = (r_6 < 40u) ? gelu_7 : 0.0f;
    const unsigned c_7 = k0 + (e_6 % 16u);
    const float gelu_8 = gelu[i_13 + c_7];
    left[e_6] = (r_7 < 40u) ? gelu_8 : 0.0f;
    const unsigned r_8 = k0 + (threadIdx.x / 32u);
    const float weight_1 = weight[i_14 + (r_8 * 24u)];
    right[threadIdx.x] = (c_8 < 24u) ? weight_1 : 0.0f;
    const unsigned r_9 = k0 + (e / 32u);
    const float weight_2 = weight[i_15 + (r_9 * 24u)];
    right[e] = (c_9 < 24u) ? weight_2 : 0.0f;
    const unsigned r_10 = k0 + (e_1 / 32u);
    const float weight_3 = weight[i_16 + (r_10 * 24u)];
    right[e_1] = (c_10 < 24u) ? weight_3 : 0.0f;
    const unsigned r_11 = k0 + (e_2 / 32u);
    const float weight_4 = weight[i_17 + (r_11 * 24u)];
    right[e_2] = (c_11 < 24u) ? weight_4 : 0.0f;
    const unsigned r_12 = k0 + (e_3 / 32u);
    const float weight_5 = weight[i_18 + (r_12 * 24u)];
    right[e_3] = (c_12 < 24u) ? weight_5 : 0.0f;
    const unsigned r_13 = k0 + (e_4 / 32u);
    const float weight_6 = weight[i_19 + (r_13 * 24u)];
    right[e_4] = (c_13 < 24u) ? weight_6 : 0.0f;
    const unsigned r_14 = k0 + (e_5 / 32u);
    const float weight_7 = weight[i_20 + (r_14 * 24u)];
    right[e_5] = (c_14 < 24u) ? weight_7 : 0.0f;
    const unsigned r_15 = k0 + (e_6 / 32u);
    const float weight_8 = weight[i_21 + (r_15 * 24u)];
    right[e_6] = (c_15 < 24u) ? weight_8 : 0.0f;
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
  const unsigned m = m0 + (row * 4u);
  const unsigned n = col * 4u;
  const unsigned i_22 = (m * 24u) + n;
  if ((m < 40u) && (n < 24u)) {
    const float value = sum;
    const float x_1 = x[i_22];
    const float add_1 = x_1 + value;
    add[(m * 24u) + n] = add_1;
  }
  const unsigned n_1 = (col * 4u) + 1u;
  const unsigned i_23 = (m * 24u) + n_1;
  if ((m < 40u) && (n_1 < 24u)) {
    const float value_1 = sum_1;
    const float x_2 = x[i_23];
    const float add_2 = x_2 + value_1;
    add[(m * 24u) + n_1] = add_2;
  }
  const unsigned n_2 = (col * 4u) + 2u;
  const unsigned i_24 = (m * 24u) + n_2;
  if ((m < 40u) && (n_2 < 24u)) {
    const float value_2 = sum_2;
    const float x_3 = x[i_24];
    const float add_3 = x_3 + value_2;
    add[(m * 24u) + n_2] = add_3;
  }
  const unsigned n_3 = (col * 4u) + 3u;
  const unsigned i_25 = (m * 24u) + n_3;
  if ((m < 40u) && (n_3 < 24u)) {
    const float value_3 = sum_3;
    const float x_4 = x[i_25];
    const float add_4 = x_4 + value_3;
    add[(m * 24u) + n_3] = add_4;
  }
  const unsigned m_1 = (m0 + (row * 4u)) + 1u;
  const unsigned i_26 = (m_1 * 24u) + n;
  if ((m_1 < 40u) && (n < 24u)) {
    const float value_4 = sum_4;
    const float x_5 = x[i_26];
    const float add_5 = x_5 + value_4;
    add[(m_1 * 24u) + n] = add_5;
  }
  const unsigned i_27 = (m_1 * 24u) + n_1;
  if ((m_1 < 40u) && (n_1 < 24u)) {
    const float value_5 = sum_5;
    const float x_6 = x[i_27];
    const float add_6 = x_6 + value_5;
    add[(m_1 * 24u) + n_1] = add_6;
  }
  const unsigned i_28 = (m_1 * 24u) + n_2;
  if ((m_1 < 40u) && (n_2 < 24u)) {
    const float value_6 = sum_6;
    const float x_7 = x[i_28];
    const float add_7 = x_7 + value_6;
    add[(m_1 * 24u) + n_2] = add_7;
  }
  const unsigned i_29 = (m_1 * 24u) + n_3;
  if ((m_1 < 40u) && (n_3 < 24u)) {
    const float value_7 = sum_7;
    const float x_8 = x[i_29];
    const float add_8 = x_8 + value_7;
    add[(m_1 * 24u) + n_3] = add_8;
  }
  const unsigned m_2 = (m0 + (row * 4u)) + 2u;
  const unsigned i_30 = (m_2 * 24u) + n;
  if ((m_2 < 40u) && (n < 24u)) {
    const float value_8 = sum_8;
    const float x_9 = x[i_30];
    const float add_9 = x_9 + value_8;
    add[(m_2 * 24u) + n] = add_9;
  }
  const unsigned i_31 = (m_2 * 24u) + n_1;
  if ((m_2 < 40u) && (n_1 < 24u)) {
    const float value_9 = sum_9;
    const float x_10 = x[i_31];
    const float add_10 = x_10 + value_9;
    add[(m_2 * 24u) + n_1] = add_10;
  }
  const unsigned i_32 = (m_2 * 24u) + n_2;
  if ((m_2 < 40u) && (n_2 < 24u)) {
    const float value_10 = sum_10;
    const float x_11 = x[i_32];
    const float add_11 = x_11 + value_10;
    add[(m_2 * 24u) + n_2] = add_11;
  }
  const unsigned i_33 = (m_2 * 24u) + n_3;
  if ((m_2 < 40u) && (n_3 < 24u)) {
    const float value_11 = sum_11;
    const float x_12 = x[i_33];
    const float add_12 = x_12 + value_11;
    add[(m_2 * 24u) + n_3] = add_12;
  }
  const unsigned m_3 = (m0 + (row * 4u)) + 3u;
  const unsigned i_34 = (m_3 * 24u) + n;
  if ((m_3 < 40u) && (n < 24u)) {
    const float value_12 = sum_12;
    const float x_13 = x[i_34];
    const float add_13 = x_13 + value_12;
    add[(m_3 * 24u) + n] = add_13;
  }
  const unsigned i_35 = (m_3 * 24u) + n_1;
  if ((m_3 < 40u) && (n_1 < 24u)) {
    const float value_13 = sum_13;
    const float x_14 = x[i_35];
    const float add_14 = x_14 + value_13;
    add[(m_3 * 24u) + n_1] = add_14;
  }
  const unsigned i_36 = (m_3 * 24u) + n_2;
  if ((m_3 < 40u) && (n_2 < 24u)) {
    const float value_14 = sum_14;
    const float x_15 = x[i_36];
    const float add_15 = x_15 + value_14;
    add[(m_3 * 24u) + n_2] = add_15;
  }
  const unsigned i_37 = (m_3 * 24u) + n_3;
  if ((m_3 < 40u) && (n_3 < 24u)) {
    const float value_15 = sum_15;
    const float x_16 = x[i_37];
    const float add_16 = x_16 + value_15;
    add[(m_3 * 24u) + n_3] = add_16;
  }
}
