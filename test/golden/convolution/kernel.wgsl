// matmul_add_relu: step 0
@group(0) @binding(0) var<storage, read_write> relu: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> image: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<workgroup> left: array<f32, 256>;
var<workgroup> right: array<f32, 512>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u) {
  let row = thread_id.x / 8u;
  let col = thread_id.x % 8u;
  let n0 = group_id.x * 32u;
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  var sum_4 = 0.0;
  var sum_5 = 0.0;
  var sum_6 = 0.0;
  var sum_7 = 0.0;
  let r = thread_id.x / 16u;
  let i_3 = r * 27u;
  let e = thread_id.x + 64u;
  let r_1 = e / 16u;
  let i_7 = r_1 * 27u;
  let e_1 = thread_id.x + 128u;
  let r_2 = e_1 / 16u;
  let i_8 = min(r_2, 7u);
  let i_12 = i_8 * 27u;
  let e_2 = thread_id.x + 192u;
  let r_3 = e_2 / 16u;
  let i_13 = min(r_3, 7u);
  let i_17 = i_13 * 27u;
  let c_4 = n0 + (thread_id.x % 32u);
  let c_5 = n0 + (e % 32u);
  let c_6 = n0 + (e_1 % 32u);
  let c_7 = n0 + (e_2 % 32u);
  let e_3 = thread_id.x + 256u;
  let c_8 = n0 + (e_3 % 32u);
  let e_4 = thread_id.x + 320u;
  let c_9 = n0 + (e_4 % 32u);
  let e_5 = thread_id.x + 384u;
  let c_10 = n0 + (e_5 % 32u);
  let e_6 = thread_id.x + 448u;
  let c_11 = n0 + (e_6 % 32u);
  for (var step_ = 0u; step_ < 2u; step_++) {
    let k0 = step_ * 16u;
    let c = k0 + (thread_id.x % 16u);
    let i = min(c, 26u) / 9u;
    let i_1 = (min(c, 26u) / 3u) % 3u;
    let i_2 = min(c, 26u) % 3u;
    let weight_1 = weight[((i_3 + (i * 9u)) + (i_1 * 3u)) + i_2];
    left[thread_id.x] = select(0.0, weight_1, (c < 27u));
    let c_1 = k0 + (e % 16u);
    let i_4 = min(c_1, 26u) / 9u;
    let i_5 = (min(c_1, 26u) / 3u) % 3u;
    let i_6 = min(c_1, 26u) % 3u;
    let weight_2 = weight[((i_7 + (i_4 * 9u)) + (i_5 * 3u)) + i_6];
    left[e] = select(0.0, weight_2, (c_1 < 27u));
    let c_2 = k0 + (e_1 % 16u);
    let i_9 = min(c_2, 26u) / 9u;
    let i_10 = (min(c_2, 26u) / 3u) % 3u;
    let i_11 = min(c_2, 26u) % 3u;
    let weight_3 = weight[((i_12 + (i_9 * 9u)) + (i_10 * 3u)) + i_11];
    left[e_1] = select(0.0, weight_3, ((r_2 < 8u) && (c_2 < 27u)));
    let c_3 = k0 + (e_2 % 16u);
    let i_14 = min(c_3, 26u) / 9u;
    let i_15 = (min(c_3, 26u) / 3u) % 3u;
    let i_16 = min(c_3, 26u) % 3u;
    let weight_4 = weight[((i_17 + (i_14 * 9u)) + (i_15 * 3u)) + i_16];
    left[e_2] = select(0.0, weight_4, ((r_3 < 8u) && (c_3 < 27u)));
    let r_4 = k0 + (thread_id.x / 32u);
    let y = min((max((((min(c_4, 62u) / 7u) * 2u) + ((((r_4 * 63u) + min(c_4, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x = min((max((((min(c_4, 62u) % 7u) * 2u) + (r_4 % 3u)), 1u) - 1u), 13u);
    let i_18 = ((r_4 * 63u) + min(c_4, 62u)) / 567u;
    let image_1 = image[((i_18 * 252u) + (y * 14u)) + x];
    let unfold = select(0.0, image_1, ((1u <= (((min(c_4, 62u) / 7u) * 2u) + ((((r_4 * 63u) + min(c_4, 62u)) / 189u) % 3u))) && (1u <= (((min(c_4, 62u) % 7u) * 2u) + (r_4 % 3u)))));
    right[thread_id.x] = select(0.0, unfold, (c_4 < 63u));
    let r_5 = k0 + (e / 32u);
    let y_1 = min((max((((min(c_5, 62u) / 7u) * 2u) + ((((r_5 * 63u) + min(c_5, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_1 = min((max((((min(c_5, 62u) % 7u) * 2u) + (r_5 % 3u)), 1u) - 1u), 13u);
    let i_19 = ((r_5 * 63u) + min(c_5, 62u)) / 567u;
    let image_2 = image[((i_19 * 252u) + (y_1 * 14u)) + x_1];
    let unfold_1 = select(0.0, image_2, ((1u <= (((min(c_5, 62u) / 7u) * 2u) + ((((r_5 * 63u) + min(c_5, 62u)) / 189u) % 3u))) && (1u <= (((min(c_5, 62u) % 7u) * 2u) + (r_5 % 3u)))));
    right[e] = select(0.0, unfold_1, (c_5 < 63u));
    let r_6 = k0 + (e_1 / 32u);
    let y_2 = min((max((((min(c_6, 62u) / 7u) * 2u) + ((((r_6 * 63u) + min(c_6, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_2 = min((max((((min(c_6, 62u) % 7u) * 2u) + (r_6 % 3u)), 1u) - 1u), 13u);
    let i_20 = ((r_6 * 63u) + min(c_6, 62u)) / 567u;
    let image_3 = image[((i_20 * 252u) + (y_2 * 14u)) + x_2];
    let unfold_2 = select(0.0, image_3, ((1u <= (((min(c_6, 62u) / 7u) * 2u) + ((((r_6 * 63u) + min(c_6, 62u)) / 189u) % 3u))) && (1u <= (((min(c_6, 62u) % 7u) * 2u) + (r_6 % 3u)))));
    right[e_1] = select(0.0, unfold_2, (c_6 < 63u));
    let r_7 = k0 + (e_2 / 32u);
    let y_3 = min((max((((min(c_7, 62u) / 7u) * 2u) + ((((r_7 * 63u) + min(c_7, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_3 = min((max((((min(c_7, 62u) % 7u) * 2u) + (r_7 % 3u)), 1u) - 1u), 13u);
    let i_21 = ((r_7 * 63u) + min(c_7, 62u)) / 567u;
    let image_4 = image[((i_21 * 252u) + (y_3 * 14u)) + x_3];
    let unfold_3 = select(0.0, image_4, ((1u <= (((min(c_7, 62u) / 7u) * 2u) + ((((r_7 * 63u) + min(c_7, 62u)) / 189u) % 3u))) && (1u <= (((min(c_7, 62u) % 7u) * 2u) + (r_7 % 3u)))));
    right[e_2] = select(0.0, unfold_3, (c_7 < 63u));
    let r_8 = k0 + (e_3 / 32u);
    let y_4 = min((max((((min(c_8, 62u) / 7u) * 2u) + ((((r_8 * 63u) + min(c_8, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_4 = min((max((((min(c_8, 62u) % 7u) * 2u) + (r_8 % 3u)), 1u) - 1u), 13u);
    let i_22 = ((r_8 * 63u) + min(c_8, 62u)) / 567u;
    let image_5 = image[((i_22 * 252u) + (y_4 * 14u)) + x_4];
    let unfold_4 = select(0.0, image_5, ((1u <= (((min(c_8, 62u) / 7u) * 2u) + ((((r_8 * 63u) + min(c_8, 62u)) / 189u) % 3u))) && (1u <= (((min(c_8, 62u) % 7u) * 2u) + (r_8 % 3u)))));
    right[e_3] = select(0.0, unfold_4, (c_8 < 63u));
    let r_9 = k0 + (e_4 / 32u);
    let y_5 = min((max((((min(c_9, 62u) / 7u) * 2u) + ((((min(r_9, 26u) * 63u) + min(c_9, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_5 = min((max((((min(c_9, 62u) % 7u) * 2u) + (min(r_9, 26u) % 3u)), 1u) - 1u), 13u);
    let i_23 = ((min(r_9, 26u) * 63u) + min(c_9, 62u)) / 567u;
    let image_6 = image[((i_23 * 252u) + (y_5 * 14u)) + x_5];
    let unfold_5 = select(0.0, image_6, ((1u <= (((min(c_9, 62u) / 7u) * 2u) + ((((min(r_9, 26u) * 63u) + min(c_9, 62u)) / 189u) % 3u))) && (1u <= (((min(c_9, 62u) % 7u) * 2u) + (min(r_9, 26u) % 3u)))));
    right[e_4] = select(0.0, unfold_5, ((r_9 < 27u) && (c_9 < 63u)));
    let r_10 = k0 + (e_5 / 32u);
    let y_6 = min((max((((min(c_10, 62u) / 7u) * 2u) + ((((min(r_10, 26u) * 63u) + min(c_10, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_6 = min((max((((min(c_10, 62u) % 7u) * 2u) + (min(r_10, 26u) % 3u)), 1u) - 1u), 13u);
    let i_24 = ((min(r_10, 26u) * 63u) + min(c_10, 62u)) / 567u;
    let image_7 = image[((i_24 * 252u) + (y_6 * 14u)) + x_6];
    let unfold_6 = select(0.0, image_7, ((1u <= (((min(c_10, 62u) / 7u) * 2u) + ((((min(r_10, 26u) * 63u) + min(c_10, 62u)) / 189u) % 3u))) && (1u <= (((min(c_10, 62u) % 7u) * 2u) + (min(r_10, 26u) % 3u)))));
    right[e_5] = select(0.0, unfold_6, ((r_10 < 27u) && (c_10 < 63u)));
    let r_11 = k0 + (e_6 / 32u);
    let y_7 = min((max((((min(c_11, 62u) / 7u) * 2u) + ((((min(r_11, 26u) * 63u) + min(c_11, 62u)) / 189u) % 3u)), 1u) - 1u), 17u);
    let x_7 = min((max((((min(c_11, 62u) % 7u) * 2u) + (min(r_11, 26u) % 3u)), 1u) - 1u), 13u);
    let i_25 = ((min(r_11, 26u) * 63u) + min(c_11, 62u)) / 567u;
    let image_8 = image[((i_25 * 252u) + (y_7 * 14u)) + x_7];
    let unfold_7 = select(0.0, image_8, ((1u <= (((min(c_11, 62u) / 7u) * 2u) + ((((min(r_11, 26u) * 63u) + min(c_11, 62u)) / 189u) % 3u))) && (1u <= (((min(c_11, 62u) % 7u) * 2u) + (min(r_11, 26u) % 3u)))));
    right[e_6] = select(0.0, unfold_7, ((r_11 < 27u) && (c_11 < 63u)));
    workgroupBarrier();
    for (var kk = 0u; kk < 16u; kk++) {
      let a = left[(row * 32u) + kk];
      let a_1 = left[((row * 32u) + kk) + 16u];
      let b = right[(kk * 32u) + (col * 4u)];
      let b_1 = right[((kk * 32u) + (col * 4u)) + 1u];
      let b_2 = right[((kk * 32u) + (col * 4u)) + 2u];
      let b_3 = right[((kk * 32u) + (col * 4u)) + 3u];
      sum_ = fma(a, b, sum_);
      sum_1 = fma(a, b_1, sum_1);
      sum_2 = fma(a, b_2, sum_2);
      sum_3 = fma(a, b_3, sum_3);
      sum_4 = fma(a_1, b, sum_4);
      sum_5 = fma(a_1, b_1, sum_5);
      sum_6 = fma(a_1, b_2, sum_6);
      sum_7 = fma(a_1, b_3, sum_7);
    }
    workgroupBarrier();
  }
  let m = row * 2u;
  let n = n0 + (col * 4u);
  if (m < 8u) {
    let value = sum_;
    let bias_1 = bias[m];
    let add = value + bias_1;
    let relu_1 = max(add, 0.0);
    relu[(m * 63u) + n] = relu_1;
  }
  let n_1 = (n0 + (col * 4u)) + 1u;
  if (m < 8u) {
    let value_1 = sum_1;
    let bias_2 = bias[m];
    let add_1 = value_1 + bias_2;
    let relu_2 = max(add_1, 0.0);
    relu[(m * 63u) + n_1] = relu_2;
  }
  let n_2 = (n0 + (col * 4u)) + 2u;
  if (m < 8u) {
    let value_2 = sum_2;
    let bias_3 = bias[m];
    let add_2 = value_2 + bias_3;
    let relu_3 = max(add_2, 0.0);
    relu[(m * 63u) + n_2] = relu_3;
  }
  let n_3 = (n0 + (col * 4u)) + 3u;
  if ((m < 8u) && (n_3 < 63u)) {
    let value_3 = sum_3;
    let bias_4 = bias[m];
    let add_3 = value_3 + bias_4;
    let relu_4 = max(add_3, 0.0);
    relu[(m * 63u) + n_3] = relu_4;
  }
  let m_1 = (row * 2u) + 1u;
  if (m_1 < 8u) {
    let value_4 = sum_4;
    let bias_5 = bias[m_1];
    let add_4 = value_4 + bias_5;
    let relu_5 = max(add_4, 0.0);
    relu[(m_1 * 63u) + n] = relu_5;
  }
  if (m_1 < 8u) {
    let value_5 = sum_5;
    let bias_6 = bias[m_1];
    let add_5 = value_5 + bias_6;
    let relu_6 = max(add_5, 0.0);
    relu[(m_1 * 63u) + n_1] = relu_6;
  }
  if (m_1 < 8u) {
    let value_6 = sum_6;
    let bias_7 = bias[m_1];
    let add_6 = value_6 + bias_7;
    let relu_7 = max(add_6, 0.0);
    relu[(m_1 * 63u) + n_2] = relu_7;
  }
  if ((m_1 < 8u) && (n_3 < 63u)) {
    let value_7 = sum_7;
    let bias_8 = bias[m_1];
    let add_7 = value_7 + bias_8;
    let relu_8 = max(add_7, 0.0);
    relu[(m_1 * 63u) + n_3] = relu_8;
  }
}
