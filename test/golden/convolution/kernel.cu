// matmul_add_relu: step 0
extern "C" __global__ void __launch_bounds__(64) matmul_add_relu(
    float* __restrict__ relu,
    const float* __restrict__ weight,
    const float* __restrict__ image,
    const float* __restrict__ bias) {
  __shared__ float left[256];
  __shared__ float right[512];
  const unsigned row = threadIdx.x / 8u;
  const unsigned col = threadIdx.x % 8u;
  const unsigned n0 = blockIdx.x * 32u;
  float sum = 0.0f;
  float sum_1 = 0.0f;
  float sum_2 = 0.0f;
  float sum_3 = 0.0f;
  float sum_4 = 0.0f;
  float sum_5 = 0.0f;
  float sum_6 = 0.0f;
  float sum_7 = 0.0f;
  const unsigned r = threadIdx.x / 16u;
  const unsigned i_3 = r * 27u;
  const unsigned e = threadIdx.x + 64u;
  const unsigned r_1 = e / 16u;
  const unsigned i_7 = r_1 * 27u;
  const unsigned e_1 = threadIdx.x + 128u;
  const unsigned r_2 = e_1 / 16u;
  const unsigned i_8 = min(r_2, 7u);
  const unsigned i_12 = i_8 * 27u;
  const unsigned e_2 = threadIdx.x + 192u;
  const unsigned r_3 = e_2 / 16u;
  const unsigned i_13 = min(r_3, 7u);
  const unsigned i_17 = i_13 * 27u;
  const unsigned c_4 = n0 + (threadIdx.x % 32u);
  const unsigned c_5 = n0 + (e % 32u);
  const unsigned c_6 = n0 + (e_1 % 32u);
  const unsigned c_7 = n0 + (e_2 % 32u);
  const unsigned e_3 = threadIdx.x + 256u;
  const unsigned c_8 = n0 + (e_3 % 32u);
  const unsigned e_4 = threadIdx.x + 320u;
  const unsigned c_9 = n0 + (e_4 % 32u);
  const unsigned e_5 = threadIdx.x + 384u;
  const unsigned c_10 = n0 + (e_5 % 32u);
  const unsigned e_6 = threadIdx.x + 448u;
  const unsigned c_11 = n0 + (e_6 % 32u);
  for (unsigned step = 0u; step < 2u; ++step) {
    const unsigned k0 = step * 16u;
    const unsigned c = k0 + (threadIdx.x % 16u);
    const unsigned i = min(c, 26u) / 9u;
    const unsigned i_1 = (min(c, 26u) / 3u) % 3u;
    const unsigned i_2 = min(c, 26u) % 3u;
    const float weight_1 = weight[((i_3 + (i * 9u)) + (i_1 * 3u)) + i_2];
    left[threadIdx.x] = (c < 27u) ? weight_1 : 0.0f;
    const unsigned c_1 = k0 + (e % 16u);
    const unsigned i_4 = min(c_1, 26u) / 9u;
    const unsigned i_5 = (min(c_1, 26u) / 3u) % 3u;
    const unsigned i_6 = min(c_1, 26u) % 3u;
    const float weight_2 = weight[((i_7 + (i_4 * 9u)) + (i_5 * 3u)) + i_6];
    left[e] = (c_1 < 27u) ? weight_2 : 0.0f;
    const unsigned c_2 = k0 + (e_1 % 16u);
    const unsigned i_9 = min(c_2, 26u) / 9u;
    const unsigned i_10 = (min(c_2, 26u) / 3u) % 3u;
    const unsigned i_11 = min(c_2, 26u) % 3u;
    const float weight_3 = weight[((i_12 + (i_9 * 9u)) + (i_10 * 3u)) + i_11];
    left[e_1] = ((r_2 < 8u) && (c_2 < 27u)) ? weight_3 : 0.0f;
    const unsigned c_3 = k0 + (e_2 % 16u);
    const unsigned i_14 = min(c_3, 26u) / 9u;
    const unsigned i_15 = (min(c_3, 26u) / 3u) % 3u;
    const unsigned i_16 = min(c_3, 26u) % 3u;
    const float weight_4 = weight[((i_17 + (i_14 * 9u)) + (i_15 * 3u)) + i_16];
    left[e_2] = ((r_3 < 8u) && (c_3 < 27u)) ? weight_4 : 0.0f;
    const unsigned r_4 = k0 + (threadIdx.x / 32u);
    const unsigned y = min((max((((min(c_4, 62u) / 7u) * 2u) + ((((r_4 * 63u) + min(c_4, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x = min((max((((min(c_4, 62u) % 7u) * 2u) + (r_4 % 3u)), 1u) - 1u), 13u);
    const unsigned i_18 = ((r_4 * 63u) + min(c_4, 62u)) / 567u;
    const float image_1 = image[((i_18 * 252u) + (y * 14u)) + x];
    const float unfold = ((1u <= (((min(c_4, 62u) / 7u) * 2u) + ((((r_4 * 63u) + min(c_4, 62u)) / 189u) % 3u))) && (1u <= (((min(c_4, 62u) % 7u) * 2u) + (r_4 % 3u)))) ? image_1 : 0.0f;
    right[threadIdx.x] = (c_4 < 63u) ? unfold : 0.0f;
    const unsigned r_5 = k0 + (e / 32u);
    const unsigned y_1 = min((max((((min(c_5, 62u) / 7u) * 2u) + ((((r_5 * 63u) + min(c_5, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_1 = min((max((((min(c_5, 62u) % 7u) * 2u) + (r_5 % 3u)), 1u) - 1u), 13u);
    const unsigned i_19 = ((r_5 * 63u) + min(c_5, 62u)) / 567u;
    const float image_2 = image[((i_19 * 252u) + (y_1 * 14u)) + x_1];
    const float unfold_1 = ((1u <= (((min(c_5, 62u) / 7u) * 2u) + ((((r_5 * 63u) + min(c_5, 62u)) / 189u) % 3u))) && (1u <= (((min(c_5, 62u) % 7u) * 2u) + (r_5 % 3u)))) ? image_2 : 0.0f;
    right[e] = (c_5 < 63u) ? unfold_1 : 0.0f;
    const unsigned r_6 = k0 + (e_1 / 32u);
    const unsigned y_2 = min((max((((min(c_6, 62u) / 7u) * 2u) + ((((r_6 * 63u) + min(c_6, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_2 = min((max((((min(c_6, 62u) % 7u) * 2u) + (r_6 % 3u)), 1u) - 1u), 13u);
    const unsigned i_20 = ((r_6 * 63u) + min(c_6, 62u)) / 567u;
    const float image_3 = image[((i_20 * 252u) + (y_2 * 14u)) + x_2];
    const float unfold_2 = ((1u <= (((min(c_6, 62u) / 7u) * 2u) + ((((r_6 * 63u) + min(c_6, 62u)) / 189u) % 3u))) && (1u <= (((min(c_6, 62u) % 7u) * 2u) + (r_6 % 3u)))) ? image_3 : 0.0f;
    right[e_1] = (c_6 < 63u) ? unfold_2 : 0.0f;
    const unsigned r_7 = k0 + (e_2 / 32u);
    const unsigned y_3 = min((max((((min(c_7, 62u) / 7u) * 2u) + ((((r_7 * 63u) + min(c_7, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_3 = min((max((((min(c_7, 62u) % 7u) * 2u) + (r_7 % 3u)), 1u) - 1u), 13u);
    const unsigned i_21 = ((r_7 * 63u) + min(c_7, 62u)) / 567u;
    const float image_4 = image[((i_21 * 252u) + (y_3 * 14u)) + x_3];
    const float unfold_3 = ((1u <= (((min(c_7, 62u) / 7u) * 2u) + ((((r_7 * 63u) + min(c_7, 62u)) / 189u) % 3u))) && (1u <= (((min(c_7, 62u) % 7u) * 2u) + (r_7 % 3u)))) ? image_4 : 0.0f;
    right[e_2] = (c_7 < 63u) ? unfold_3 : 0.0f;
    const unsigned r_8 = k0 + (e_3 / 32u);
    const unsigned y_4 = min((max((((min(c_8, 62u) / 7u) * 2u) + ((((r_8 * 63u) + min(c_8, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_4 = min((max((((min(c_8, 62u) % 7u) * 2u) + (r_8 % 3u)), 1u) - 1u), 13u);
    const unsigned i_22 = ((r_8 * 63u) + min(c_8, 62u)) / 567u;
    const float image_5 = image[((i_22 * 252u) + (y_4 * 14u)) + x_4];
    const float unfold_4 = ((1u <= (((min(c_8, 62u) / 7u) * 2u) + ((((r_8 * 63u) + min(c_8, 62u)) / 189u) % 3u))) && (1u <= (((min(c_8, 62u) % 7u) * 2u) + (r_8 % 3u)))) ? image_5 : 0.0f;
    right[e_3] = (c_8 < 63u) ? unfold_4 : 0.0f;
    const unsigned r_9 = k0 + (e_4 / 32u);
    const unsigned y_5 = min((max((((min(c_9, 62u) / 7u) * 2u) + ((((min(r_9, 26u) * 63u) + min(c_9, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_5 = min((max((((min(c_9, 62u) % 7u) * 2u) + (min(r_9, 26u) % 3u)), 1u) - 1u), 13u);
    const unsigned i_23 = ((min(r_9, 26u) * 63u) + min(c_9, 62u)) / 567u;
    const float image_6 = image[((i_23 * 252u) + (y_5 * 14u)) + x_5];
    const float unfold_5 = ((1u <= (((min(c_9, 62u) / 7u) * 2u) + ((((min(r_9, 26u) * 63u) + min(c_9, 62u)) / 189u) % 3u))) && (1u <= (((min(c_9, 62u) % 7u) * 2u) + (min(r_9, 26u) % 3u)))) ? image_6 : 0.0f;
    right[e_4] = ((r_9 < 27u) && (c_9 < 63u)) ? unfold_5 : 0.0f;
    const unsigned r_10 = k0 + (e_5 / 32u);
    const unsigned y_6 = min((max((((min(c_10, 62u) / 7u) * 2u) + ((((min(r_10, 26u) * 63u) + min(c_10, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_6 = min((max((((min(c_10, 62u) % 7u) * 2u) + (min(r_10, 26u) % 3u)), 1u) - 1u), 13u);
    const unsigned i_24 = ((min(r_10, 26u) * 63u) + min(c_10, 62u)) / 567u;
    const float image_7 = image[((i_24 * 252u) + (y_6 * 14u)) + x_6];
    const float unfold_6 = ((1u <= (((min(c_10, 62u) / 7u) * 2u) + ((((min(r_10, 26u) * 63u) + min(c_10, 62u)) / 189u) % 3u))) && (1u <= (((min(c_10, 62u) % 7u) * 2u) + (min(r_10, 26u) % 3u)))) ? image_7 : 0.0f;
    right[e_5] = ((r_10 < 27u) && (c_10 < 63u)) ? unfold_6 : 0.0f;
    const unsigned r_11 = k0 + (e_6 / 32u);
    const unsigned y_7 = min((max((((min(c_11, 62u) / 7u) * 2u) + ((((min(r_11, 26u) * 63u) + min(c_11, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    const unsigned x_7 = min((max((((min(c_11, 62u) % 7u) * 2u) + (min(r_11, 26u) % 3u)), 1u) - 1u), 13u);
    const unsigned i_25 = ((min(r_11, 26u) * 63u) + min(c_11, 62u)) / 567u;
    const float image_8 = image[((i_25 * 252u) + (y_7 * 14u)) + x_7];
    const float unfold_7 = ((1u <= (((min(c_11, 62u) / 7u) * 2u) + ((((min(r_11, 26u) * 63u) + min(c_11, 62u)) / 189u) % 3u))) && (1u <= (((min(c_11, 62u) % 7u) * 2u) + (min(r_11, 26u) % 3u)))) ? image_8 : 0.0f;
    right[e_6] = ((r_11 < 27u) && (c_11 < 63u)) ? unfold_7 : 0.0f;
    __syncthreads();
    for (unsigned kk = 0u; kk < 16u; ++kk) {
      const float a = left[(row * 32u) + kk];
      const float a_1 = left[((row * 32u) + kk) + 16u];
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
    }
    __syncthreads();
  }
  const unsigned m = row * 2u;
  const unsigned n = n0 + (col * 4u);
  if (m < 8u) {
    const float value = sum;
    const float bias_1 = bias[m];
    const float add = value + bias_1;
    const float relu_1 = fmaxf(add, 0.0f);
    relu[(m * 63u) + n] = relu_1;
  }
  const unsigned n_1 = (n0 + (col * 4u)) + 1u;
  if (m < 8u) {
    const float value_1 = sum_1;
    const float bias_2 = bias[m];
    const float add_1 = value_1 + bias_2;
    const float relu_2 = fmaxf(add_1, 0.0f);
    relu[(m * 63u) + n_1] = relu_2;
  }
  const unsigned n_2 = (n0 + (col * 4u)) + 2u;
  if (m < 8u) {
    const float value_2 = sum_2;
    const float bias_3 = bias[m];
    const float add_2 = value_2 + bias_3;
    const float relu_3 = fmaxf(add_2, 0.0f);
    relu[(m * 63u) + n_2] = relu_3;
  }
  const unsigned n_3 = (n0 + (col * 4u)) + 3u;
  if ((m < 8u) && (n_3 < 63u)) {
    const float value_3 = sum_3;
    const float bias_4 = bias[m];
    const float add_3 = value_3 + bias_4;
    const float relu_4 = fmaxf(add_3, 0.0f);
    relu[(m * 63u) + n_3] = relu_4;
  }
  const unsigned m_1 = (row * 2u) + 1u;
  if (m_1 < 8u) {
    const float value_4 = sum_4;
    const float bias_5 = bias[m_1];
    const float add_4 = value_4 + bias_5;
    const float relu_5 = fmaxf(add_4, 0.0f);
    relu[(m_1 * 63u) + n] = relu_5;
  }
  if (m_1 < 8u) {
    const float value_5 = sum_5;
    const float bias_6 = bias[m_1];
    const float add_5 = value_5 + bias_6;
    const float relu_6 = fmaxf(add_5, 0.0f);
    relu[(m_1 * 63u) + n_1] = relu_6;
  }
  if (m_1 < 8u) {
    const float value_6 = sum_6;
    const float bias_7 = bias[m_1];
    const float add_6 = value_6 + bias_7;
    const float relu_7 = fmaxf(add_6, 0.0f);
    relu[(m_1 * 63u) + n_2] = relu_7;
  }
  if ((m_1 < 8u) && (n_3 < 63u)) {
    const float value_7 = sum_7;
    const float bias_8 = bias[m_1];
    const float add_7 = value_7 + bias_8;
    const float relu_8 = fmaxf(add_7, 0.0f);
    relu[(m_1 * 63u) + n_3] = relu_8;
  }
}
