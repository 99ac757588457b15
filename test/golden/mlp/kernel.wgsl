// matmul_add_gelu: step 0
@group(0) @binding(0) var<storage, read_write> gelu: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 512>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u) {
  let row = thread_id.x / 8u;
  let col = thread_id.x % 8u;
  let m0 = group_id.y * 32u;
  let n0 = group_id.x * 32u;
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  var sum_4 = 0.0;
  var sum_5 = 0.0;
  var sum_6 = 0.0;
  var sum_7 = 0.0;
  var sum_8 = 0.0;
  var sum_9 = 0.0;
  var sum_10 = 0.0;
  var sum_11 = 0.0;
  var sum_12 = 0.0;
  var sum_13 = 0.0;
  var sum_14 = 0.0;
  var sum_15 = 0.0;
  let r = m0 + (thread_id.x / 16u);
  let i_1 = r * 24u;
  let e = thread_id.x + 64u;
  let r_1 = m0 + (e / 16u);
  let i_3 = r_1 * 24u;
  let e_1 = thread_id.x + 128u;
  let r_2 = m0 + (e_1 / 16u);
  let i_4 = min(r_2, 39u);
  let i_6 = i_4 * 24u;
  let e_2 = thread_id.x + 192u;
  let r_3 = m0 + (e_2 / 16u);
  let i_7 = min(r_3, 39u);
  let i_9 = i_7 * 24u;
  let e_3 = thread_id.x + 256u;
  let r_4 = m0 + (e_3 / 16u);
  let i_10 = min(r_4, 39u);
  let i_12 = i_10 * 24u;
  let e_4 = thread_id.x + 320u;
  let r_5 = m0 + (e_4 / 16u);
  let i_13 = min(r_5, 39u);
  let i_15 = i_13 * 24u;
  let e_5 = thread_id.x + 384u;
  let r_6 = m0 + (e_5 / 16u);
  let i_16 = min(r_6, 39u);
  let i_18 = i_16 * 24u;
  let e_6 = thread_id.x + 448u;
  let r_7 = m0 + (e_6 / 16u);
  let i_19 = min(r_7, 39u);
  let i_21 = i_19 * 24u;
  let c_8 = n0 + (thread_id.x % 32u);
  let i_22 = min(c_8, 47u);
  let c_9 = n0 + (e % 32u);
  let i_23 = min(c_9, 47u);
  let c_10 = n0 + (e_1 % 32u);
  let i_24 = min(c_10, 47u);
  let c_11 = n0 + (e_2 % 32u);
  let i_25 = min(c_11, 47u);
  let c_12 = n0 + (e_3 % 32u);
  let i_27 = min(c_12, 47u);
  let c_13 = n0 + (e_4 % 32u);
  let i_29 = min(c_13, 47u);
  let c_14 = n0 + (e_5 % 32u);
  let i_31 = min(c_14, 47u);
  let c_15 = n0 + (e_6 % 32u);
  let i_33 = min(c_15, 47u);
  for (var step_ = 0u; step_ < 2u; step_++) {
    let k0 = step_ * 16u;
    let c = k0 + (thread_id.x % 16u);
    let i = min(c, 23u);
    let x_1 = x[i_1 + i];
    left[thread_id.x] = select(0.0, x_1, (c < 24u));
    let c_1 = k0 + (e % 16u);
    let i_2 = min(c_1, 23u);
    let x_2 = x[i_3 + i_2];
    left[e] = select(0.0, x_2, (c_1 < 24u));
    let c_2 = k0 + (e_1 % 16u);
    let i_5 = min(c_2, 23u);
    let x_3 = x[i_6 + i_5];
    left[e_1] = select(0.0, x_3, ((r_2 < 40u) && (c_2 < 24u)));
    let c_3 = k0 + (e_2 % 16u);
    let i_8 = min(c_3, 23u);
    let x_4 = x[i_9 + i_8];
    left[e_2] = select(0.0, x_4, ((r_3 < 40u) && (c_3 < 24u)));
    let c_4 = k0 + (e_3 % 16u);
    let i_11 = min(c_4, 23u);
    let x_5 = x[i_12 + i_11];
    left[e_3] = select(0.0, x_5, ((r_4 < 40u) && (c_4 < 24u)));
    let c_5 = k0 + (e_4 % 16u);
    let i_14 = min(c_5, 23u);
    let x_6 = x[i_15 + i_14];
    left[e_4] = select(0.0, x_6, ((r_5 < 40u) && (c_5 < 24u)));
    let c_6 = k0 + (e_5 % 16u);
    let i_17 = min(c_6, 23u);
    let x_7 = x[i_18 + i_17];
    left[e_5] = select(0.0, x_7, ((r_6 < 40u) && (c_6 < 24u)));
    let c_7 = k0 + (e_6 % 16u);
    let i_20 = min(c_7, 23u);
    let x_8 = x[i_21 + i_20];
    left[e_6] = select(0.0, x_8, ((r_7 < 40u) && (c_7 < 24u)));
    let r_8 = k0 + (thread_id.x / 32u);
    let weight_1 = weight[i_22 + (r_8 * 48u)];
    right[thread_id.x] = select(0.0, weight_1, (c_8 < 48u));
    let r_9 = k0 + (e / 32u);
    let weight_2 = weight[i_23 + (r_9 * 48u)];
    right[e] = select(0.0, weight_2, (c_9 < 48u));
    let r_10 = k0 + (e_1 / 32u);
    let weight_3 = weight[i_24 + (r_10 * 48u)];
    right[e_1] = select(0.0, weight_3, (c_10 < 48u));
    let r_11 = k0 + (e_2 / 32u);
    let weight_4 = weight[i_25 + (r_11 * 48u)];
    right[e_2] = select(0.0, weight_4, (c_11 < 48u));
    let r_12 = k0 + (e_3 / 32u);
    let i_26 = min(r_12, 23u);
    let weight_5 = weight[i_27 + (i_26 * 48u)];
    right[e_3] = select(0.0, weight_5, ((r_12 < 24u) && (c_12 < 48u)));
    let r_13 = k0 + (e_4 / 32u);
    let i_28 = min(r_13, 23u);
    let weight_6 = weight[i_29 + (i_28 * 48u)];
    right[e_4] = select(0.0, weight_6, ((r_13 < 24u) && (c_13 < 48u)));
    let r_14 = k0 + (e_5 / 32u);
    let i_30 = min(r_14, 23u);
    let weight_7 = weight[i_31 + (i_30 * 48u)];
    right[e_5] = select(0.0, weight_7, ((r_14 < 24u) && (c_14 < 48u)));
    let r_15 = k0 + (e_6 / 32u);
    let i_32 = min(r_15, 23u);
    let weight_8 = weight[i_33 + (i_32 * 48u)];
    right[e_6] = select(0.0, weight_8, ((r_15 < 24u) && (c_15 < 48u)));
    workgroupBarrier();
    for (var kk = 0u; kk < 16u; kk++) {
      let a = left[(row * 64u) + kk];
      let a_1 = left[((row * 64u) + kk) + 16u];
      let a_2 = left[((row * 64u) + kk) + 32u];
      let a_3 = left[((row * 64u) + kk) + 48u];
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
      sum_8 = fma(a_2, b, sum_8);
      sum_9 = fma(a_2, b_1, sum_9);
      sum_10 = fma(a_2, b_2, sum_10);
      sum_11 = fma(a_2, b_3, sum_11);
      sum_12 = fma(a_3, b, sum_12);
      sum_13 = fma(a_3, b_1, sum_13);
      sum_14 = fma(a_3, b_2, sum_14);
      sum_15 = fma(a_3, b_3, sum_15);
    }
    workgroupBarrier();
  }
  let m = m0 + (row * 4u);
  let n = n0 + (col * 4u);
  if ((m < 40u) && (n < 48u)) {
    let value = sum_;
    let bias_1 = bias[n];
    let add = value + bias_1;
    let size = abs(add);
    let z = size * 0.70710677;
    let q = (z - 3.0) / (z + 3.0);
    let gelu_1 = max(add, 0.0) - ((size * 0.5) * ((exp((-(z * z))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q, 0.0023242696), q, (-0.024182335)), q, 0.06827672), q, (-0.11919529)), q, 0.12965542), q, (-0.047567412)), q, (-0.13562153)), q, 1.2530081)) / fma(z, 2.0, 1.0)));
    gelu[(m * 48u) + n] = gelu_1;
  }
  let n_1 = (n0 + (col * 4u)) + 1u;
  if ((m < 40u) && (n_1 < 48u)) {
    let value_1 = sum_1;
    let bias_2 = bias[n_1];
    let add_1 = value_1 + bias_2;
    let size_1 = abs(add_1);
    let z_1 = size_1 * 0.70710677;
    let q_1 = (z_1 - 3.0) / (z_1 + 3.0);
    let gelu_2 = max(add_1, 0.0) - ((size_1 * 0.5) * ((exp((-(z_1 * z_1))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_1, 0.0023242696), q_1, (-0.024182335)), q_1, 0.06827672), q_1, (-0.11919529)), q_1, 0.12965542), q_1, (-0.047567412)), q_1, (-0.13562153)), q_1, 1.2530081)) / fma(z_1, 2.0, 1.0)));
    gelu[(m * 48u) + n_1] = gelu_2;
  }
  let n_2 = (n0 + (col * 4u)) + 2u;
  if ((m < 40u) && (n_2 < 48u)) {
    let value_2 = sum_2;
    let bias_3 = bias[n_2];
    let add_2 = value_2 + bias_3;
    let size_2 = abs(add_2);
    let z_2 = size_2 * 0.70710677;
    let q_2 = (z_2 - 3.0) / (z_2 + 3.0);
    let gelu_3 = max(add_2, 0.0) - ((size_2 * 0.5) * ((exp((-(z_2 * z_2))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_2, 0.0023242696), q_2, (-0.024182335)), q_2, 0.06827672), q_2, (-0.11919529)), q_2, 0.12965542), q_2, (-0.047567412)), q_2, (-0.13562153)), q_2, 1.2530081)) / fma(z_2, 2.0, 1.0)));
    gelu[(m * 48u) + n_2] = gelu_3;
  }
  let n_3 = (n0 + (col * 4u)) + 3u;
  if ((m < 40u) && (n_3 < 48u)) {
    let value_3 = sum_3;
    let bias_4 = bias[n_3];
    let add_3 = value_3 + bias_4;
    let size_3 = abs(add_3);
    let z_3 = size_3 * 0.70710677;
    let q_3 = (z_3 - 3.0) / (z_3 + 3.0);
    let gelu_4 = max(add_3, 0.0) - ((size_3 * 0.5) * ((exp((-(z_3 * z_3))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_3, 0.0023242696), q_3, (-0.024182335)), q_3, 0.06827672), q_3, (-0.11919529)), q_3, 0.12965542), q_3, (-0.047567412)), q_3, (-0.13562153)), q_3, 1.2530081)) / fma(z_3, 2.0, 1.0)));
    gelu[(m * 48u) + n_3] = gelu_4;
  }
  let m_1 = (m0 + (row * 4u)) + 1u;
  if ((m_1 < 40u) && (n < 48u)) {
    let value_4 = sum_4;
    let bias_5 = bias[n];
    let add_4 = value_4 + bias_5;
    let size_4 = abs(add_4);
    let z_4 = size_4 * 0.70710677;
    let q_4 = (z_4 - 3.0) / (z_4 + 3.0);
    let gelu_5 = max(add_4, 0.0) - ((size_4 * 0.5) * ((exp((-(z_4 * z_4))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_4, 0.0023242696), q_4, (-0.024182335)), q_4, 0.06827672), q_4, (-0.11919529)), q_4, 0.12965542), q_4, (-0.047567412)), q_4, (-0.13562153)), q_4, 1.2530081)) / fma(z_4, 2.0, 1.0)));
    gelu[(m_1 * 48u) + n] = gelu_5;
  }
  if ((m_1 < 40u) && (n_1 < 48u)) {
    let value_5 = sum_5;
    let bias_6 = bias[n_1];
    let add_5 = value_5 + bias_6;
    let size_5 = abs(add_5);
    let z_5 = size_5 * 0.70710677;
    let q_5 = (z_5 - 3.0) / (z_5 + 3.0);
    let gelu_6 = max(add_5, 0.0) - ((size_5 * 0.5) * ((exp((-(z_5 * z_5))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_5, 0.0023242696), q_5, (-0.024182335)), q_5, 0.06827672), q_5, (-0.11919529)), q_5, 0.12965542), q_5, (-0.047567412)), q_5, (-0.13562153)), q_5, 1.2530081)) / fma(z_5, 2.0, 1.0)));
    gelu[(m_1 * 48u) + n_1] = gelu_6;
  }
  if ((m_1 < 40u) && (n_2 < 48u)) {
    let value_6 = sum_6;
    let bias_7 = bias[n_2];
    let add_6 = value_6 + bias_7;
    let size_6 = abs(add_6);
    let z_6 = size_6 * 0.70710677;
    let q_6 = (z_6 - 3.0) / (z_6 + 3.0);
    let gelu_7 = max(add_6, 0.0) - ((size_6 * 0.5) * ((exp((-(z_6 * z_6))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_6, 0.0023242696), q_6, (-0.024182335)), q_6, 0.06827672), q_6, (-0.11919529)), q_6, 0.12965542), q_6, (-0.047567412)), q_6, (-0.13562153)), q_6, 1.2530081)) / fma(z_6, 2.0, 1.0)));
    gelu[(m_1 * 48u) + n_2] = gelu_7;
  }
  if ((m_1 < 40u) && (n_3 < 48u)) {
    let value_7 = sum_7;
    let bias_8 = bias[n_3];
    let add_7 = value_7 + bias_8;
    let size_7 = abs(add_7);
    let z_7 = size_7 * 0.70710677;
    let q_7 = (z_7 - 3.0) / (z_7 + 3.0);
    let gelu_8 = max(add_7, 0.0) - ((size_7 * 0.5) * ((exp((-(z_7 * z_7))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_7, 0.0023242696), q_7, (-0.024182335)), q_7, 0.06827672), q_7, (-0.11919529)), q_7, 0.12965542), q_7, (-0.047567412)), q_7, (-0.13562153)), q_7, 1.2530081)) / fma(z_7, 2.0, 1.0)));
    gelu[(m_1 * 48u) + n_3] = gelu_8;
  }
  let m_2 = (m0 + (row * 4u)) + 2u;
  if ((m_2 < 40u) && (n < 48u)) {
    let value_8 = sum_8;
    let bias_9 = bias[n];
    let add_8 = value_8 + bias_9;
    let size_8 = abs(add_8);
    let z_8 = size_8 * 0.70710677;
    let q_8 = (z_8 - 3.0) / (z_8 + 3.0);
    let gelu_9 = max(add_8, 0.0) - ((size_8 * 0.5) * ((exp((-(z_8 * z_8))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_8, 0.0023242696), q_8, (-0.024182335)), q_8, 0.06827672), q_8, (-0.11919529)), q_8, 0.12965542), q_8, (-0.047567412)), q_8, (-0.13562153)), q_8, 1.2530081)) / fma(z_8, 2.0, 1.0)));
    gelu[(m_2 * 48u) + n] = gelu_9;
  }
  if ((m_2 < 40u) && (n_1 < 48u)) {
    let value_9 = sum_9;
    let bias_10 = bias[n_1];
    let add_9 = value_9 + bias_10;
    let size_9 = abs(add_9);
    let z_9 = size_9 * 0.70710677;
    let q_9 = (z_9 - 3.0) / (z_9 + 3.0);
    let gelu_10 = max(add_9, 0.0) - ((size_9 * 0.5) * ((exp((-(z_9 * z_9))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_9, 0.0023242696), q_9, (-0.024182335)), q_9, 0.06827672), q_9, (-0.11919529)), q_9, 0.12965542), q_9, (-0.047567412)), q_9, (-0.13562153)), q_9, 1.2530081)) / fma(z_9, 2.0, 1.0)));
    gelu[(m_2 * 48u) + n_1] = gelu_10;
  }
  if ((m_2 < 40u) && (n_2 < 48u)) {
    let value_10 = sum_10;
    let bias_11 = bias[n_2];
    let add_10 = value_10 + bias_11;
    let size_10 = abs(add_10);
    let z_10 = size_10 * 0.70710677;
    let q_10 = (z_10 - 3.0) / (z_10 + 3.0);
    let gelu_11 = max(add_10, 0.0) - ((size_10 * 0.5) * ((exp((-(z_10 * z_10))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_10, 0.0023242696), q_10, (-0.024182335)), q_10, 0.06827672), q_10, (-0.11919529)), q_10, 0.12965542), q_10, (-0.047567412)), q_10, (-0.13562153)), q_10, 1.2530081)) / fma(z_10, 2.0, 1.0)));
    gelu[(m_2 * 48u) + n_2] = gelu_11;
  }
  if ((m_2 < 40u) && (n_3 < 48u)) {
    let value_11 = sum_11;
    let bias_12 = bias[n_3];
    let add_11 = value_11 + bias_12;
    let size_11 = abs(add_11);
    let z_11 = size_11 * 0.70710677;
    let q_11 = (z_11 - 3.0) / (z_11 + 3.0);
    let gelu_12 = max(add_11, 0.0) - ((size_11 * 0.5) * ((exp((-(z_11 * z_11))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_11, 0.0023242696), q_11, (-0.024182335)), q_11, 0.06827672), q_11, (-0.11919529)), q_11, 0.12965542), q_11, (-0.047567412)), q_11, (-0.13562153)), q_11, 1.2530081)) / fma(z_11, 2.0, 1.0)));
    gelu[(m_2 * 48u) + n_3] = gelu_12;
  }
  let m_3 = (m0 + (row * 4u)) + 3u;
  if ((m_3 < 40u) && (n < 48u)) {
    let value_12 = sum_12;
    let bias_13 = bias[n];
    let add_12 = value_12 + bias_13;
    let size_12 = abs(add_12);
    let z_12 = size_12 * 0.70710677;
    let q_12 = (z_12 - 3.0) / (z_12 + 3.0);
    let gelu_13 = max(add_12, 0.0) - ((size_12 * 0.5) * ((exp((-(z_12 * z_12))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_12, 0.0023242696), q_12, (-0.024182335)), q_12, 0.06827672), q_12, (-0.11919529)), q_12, 0.12965542), q_12, (-0.047567412)), q_12, (-0.13562153)), q_12, 1.2530081)) / fma(z_12, 2.0, 1.0)));
    gelu[(m_3 * 48u) + n] = gelu_13;
  }
  if ((m_3 < 40u) && (n_1 < 48u)) {
    let value_13 = sum_13;
    let bias_14 = bias[n_1];
    let add_13 = value_13 + bias_14;
    let size_13 = abs(add_13);
    let z_13 = size_13 * 0.70710677;
    let q_13 = (z_13 - 3.0) / (z_13 + 3.0);
    let gelu_14 = max(add_13, 0.0) - ((size_13 * 0.5) * ((exp((-(z_13 * z_13))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_13, 0.0023242696), q_13, (-0.024182335)), q_13, 0.06827672), q_13, (-0.11919529)), q_13, 0.12965542), q_13, (-0.047567412)), q_13, (-0.13562153)), q_13, 1.2530081)) / fma(z_13, 2.0, 1.0)));
    gelu[(m_3 * 48u) + n_1] = gelu_14;
  }
  if ((m_3 < 40u) && (n_2 < 48u)) {
    let value_14 = sum_14;
    let bias_15 = bias[n_2];
    let add_14 = value_14 + bias_15;
    let size_14 = abs(add_14);
    let z_14 = size_14 * 0.70710677;
    let q_14 = (z_14 - 3.0) / (z_14 + 3.0);
    let gelu_15 = max(add_14, 0.0) - ((size_14 * 0.5) * ((exp((-(z_14 * z_14))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_14, 0.0023242696), q_14, (-0.024182335)), q_14, 0.06827672), q_14, (-0.11919529)), q_14, 0.12965542), q_14, (-0.047567412)), q_14, (-0.13562153)), q_14, 1.2530081)) / fma(z_14, 2.0, 1.0)));
    gelu[(m_3 * 48u) + n_2] = gelu_15;
  }
  if ((m_3 < 40u) && (n_3 < 48u)) {
    let value_15 = sum_15;
    let bias_16 = bias[n_3];
    let add_15 = value_15 + bias_16;
    let size_15 = abs(add_15);
    let z_15 = size_15 * 0.70710677;
    let q_15 = (z_15 - 3.0) / (z_15 + 3.0);
    let gelu_16 = max(add_15, 0.0) - ((size_15 * 0.5) * ((exp((-(z_15 * z_15))) * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q_15, 0.0023242696), q_15, (-0.024182335)), q_15, 0.06827672), q_15, (-0.11919529)), q_15, 0.12965542), q_15, (-0.047567412)), q_15, (-0.13562153)), q_15, 1.2530081)) / fma(z_15, 2.0, 1.0)));
    gelu[(m_3 * 48u) + n_3] = gelu_16;
  }
}

// matmul_add: step 1
@group(0) @binding(0) var<storage, read_write> add: array<f32>;
@group(0) @binding(1) var<storage, read_write> gelu: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 512>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u) {
  let row = thread_id.x / 8u;
  let col = thread_id.x % 8u;
  let m0 = group_id.y * 32u;
  var sum_ = 0.0;
  var sum_1 = 0.0;
  var sum_2 = 0.0;
  var sum_3 = 0.0;
  var sum_4 = 0.0;
  var sum_5 = 0.0;
  var sum_6 = 0.0;
  var sum_7 = 0.0;
  var sum_8 = 0.0;
  var sum_9 = 0.0;
  var sum_10 = 0.0;
  var sum_11 = 0.0;
  var sum_12 = 0.0;
  var sum_13 = 0.0;
  var sum_14 = 0.0;
  var sum_15 = 0.0;
  let r = m0 + (thread_id.x / 16u);
  let i = r * 48u;
  let e = thread_id.x + 64u;
  let r_1 = m0 + (e / 16u);
  let i_1 = r_1 * 48u;
  let e_1 = thread_id.x + 128u;
  let r_2 = m0 + (e_1 / 16u);
  let i_2 = min(r_2, 39u);
  let i_3 = i_2 * 48u;
  let e_2 = thread_id.x + 192u;
  let r_3 = m0 + (e_2 / 16u);
  let i_4 = min(r_3, 39u);
  let i_5 = i_4 * 48u;
  let e_3 = thread_id.x + 256u;
  let r_4 = m0 + (e_3 / 16u);
  let i_6 = min(r_4, 39u);
  let i_7 = i_6 * 48u;
  let e_4 = thread_id.x + 320u;
  let r_5 = m0 + (e_4 / 16u);
  let i_8 = min(r_5, 39u);
  let i_9 = i_8 * 48u;
  let e_5 = thread_id.x + 384u;
  let r_6 = m0 + (e_5 / 16u);
  let i_10 = min(r_6, 39u);
  let i_11 = i_10 * 48u;
  let e_6 = thread_id.x + 448u;
  let r_7 = m0 + (e_6 / 16u);
  let i_12 = min(r_7, 39u);
  let i_13 = i_12 * 48u;
  let c_8 = thread_id.x % 32u;
  let i_14 = min(c_8, 23u);
  let c_9 = e % 32u;
  let i_15 = min(c_9, 23u);
  let c_10 = e_1 % 32u;
  let i_16 = min(c_10, 23u);
  let c_11 = e_2 % 32u;
  let i_17 = min(c_11, 23u);
  let c_12 = e_3 % 32u;
  let i_18 = min(c_12, 23u);
  let c_13 = e_4 % 32u;
  let i_19 = min(c_13, 23u);
  let c_14 = e_5 % 32u;
  let i_20 = min(c_14, 23u);
  let c_15 = e_6 % 32u;
  let i_21 = min(c_15, 23u);
  for (var step_ = 0u; step_ < 3u; step_++) {
    let k0 = step_ * 16u;
    let c = k0 + (thread_id.x % 16u);
    let gelu_1 = gelu[i + c];
    left[thread_id.x] = gelu_1;
    let c_1 = k0 + (e % 16u);
    let gelu_2 = gelu[i_1 + c_1];
    left[e] = gelu_2;
    let c_2 = k0 + (e_1 % 16u);
    let gelu_3 = gelu[i_3 + c_2];
    left[e_1] = select(0.0, gelu_3, (r_2 < 40u));
    let c_3 = k0 + (e_2 % 16u);
    let gelu_4 = gelu[i_5 + c_3];
    left[e_2] = select(0.0, gelu_4, (r_3 < 40u));
    let c_4 = k0 + (e_3 % 16u);
    let gelu_5 = gelu[i_7 + c_4];
    left[e_3] = select(0.0, gelu_5, (r_4 < 40u));
    let c_5 = k0 + (e_4 % 16u);
    let gelu_6 = gelu[i_9 + c_5];
    left[e_4] = select(0.0, gelu_6, (r_5 < 40u));
    let c_6 = k0 + (e_5 % 16u);
    let gelu_7 = gelu[i_11 + c_6];
    left[e_5] = select(0.0, gelu_7, (r_6 < 40u));
    let c_7 = k0 + (e_6 % 16u);
    let gelu_8 = gelu[i_13 + c_7];
    left[e_6] = select(0.0, gelu_8, (r_7 < 40u));
    let r_8 = k0 + (thread_id.x / 32u);
    let weight_1 = weight[i_14 + (r_8 * 24u)];
    right[thread_id.x] = select(0.0, weight_1, (c_8 < 24u));
    let r_9 = k0 + (e / 32u);
    let weight_2 = weight[i_15 + (r_9 * 24u)];
    right[e] = select(0.0, weight_2, (c_9 < 24u));
    let r_10 = k0 + (e_1 / 32u);
    let weight_3 = weight[i_16 + (r_10 * 24u)];
    right[e_1] = select(0.0, weight_3, (c_10 < 24u));
    let r_11 = k0 + (e_2 / 32u);
    let weight_4 = weight[i_17 + (r_11 * 24u)];
    right[e_2] = select(0.0, weight_4, (c_11 < 24u));
    let r_12 = k0 + (e_3 / 32u);
    let weight_5 = weight[i_18 + (r_12 * 24u)];
    right[e_3] = select(0.0, weight_5, (c_12 < 24u));
    let r_13 = k0 + (e_4 / 32u);
    let weight_6 = weight[i_19 + (r_13 * 24u)];
    right[e_4] = select(0.0, weight_6, (c_13 < 24u));
    let r_14 = k0 + (e_5 / 32u);
    let weight_7 = weight[i_20 + (r_14 * 24u)];
    right[e_5] = select(0.0, weight_7, (c_14 < 24u));
    let r_15 = k0 + (e_6 / 32u);
    let weight_8 = weight[i_21 + (r_15 * 24u)];
    right[e_6] = select(0.0, weight_8, (c_15 < 24u));
    workgroupBarrier();
    for (var kk = 0u; kk < 16u; kk++) {
      let a = left[(row * 64u) + kk];
      let a_1 = left[((row * 64u) + kk) + 16u];
      let a_2 = left[((row * 64u) + kk) + 32u];
      let a_3 = left[((row * 64u) + kk) + 48u];
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
      sum_8 = fma(a_2, b, sum_8);
      sum_9 = fma(a_2, b_1, sum_9);
      sum_10 = fma(a_2, b_2, sum_10);
      sum_11 = fma(a_2, b_3, sum_11);
      sum_12 = fma(a_3, b, sum_12);
      sum_13 = fma(a_3, b_1, sum_13);
      sum_14 = fma(a_3, b_2, sum_14);
      sum_15 = fma(a_3, b_3, sum_15);
    }
    workgroupBarrier();
  }
  let m = m0 + (row * 4u);
  let n = col * 4u;
  let i_22 = (m * 24u) + n;
  if ((m < 40u) && (n < 24u)) {
    let value = sum_;
    let x_1 = x[i_22];
    let add_1 = x_1 + value;
    add[(m * 24u) + n] = add_1;
  }
  let n_1 = (col * 4u) + 1u;
  let i_23 = (m * 24u) + n_1;
  if ((m < 40u) && (n_1 < 24u)) {
    let value_1 = sum_1;
    let x_2 = x[i_23];
    let add_2 = x_2 + value_1;
    add[(m * 24u) + n_1] = add_2;
  }
  let n_2 = (col * 4u) + 2u;
  let i_24 = (m * 24u) + n_2;
  if ((m < 40u) && (n_2 < 24u)) {
    let value_2 = sum_2;
    let x_3 = x[i_24];
    let add_3 = x_3 + value_2;
    add[(m * 24u) + n_2] = add_3;
  }
  let n_3 = (col * 4u) + 3u;
  let i_25 = (m * 24u) + n_3;
  if ((m < 40u) && (n_3 < 24u)) {
    let value_3 = sum_3;
    let x_4 = x[i_25];
    let add_4 = x_4 + value_3;
    add[(m * 24u) + n_3] = add_4;
  }
  let m_1 = (m0 + (row * 4u)) + 1u;
  let i_26 = (m_1 * 24u) + n;
  if ((m_1 < 40u) && (n < 24u)) {
    let value_4 = sum_4;
    let x_5 = x[i_26];
    let add_5 = x_5 + value_4;
    add[(m_1 * 24u) + n] = add_5;
  }
  let i_27 = (m_1 * 24u) + n_1;
  if ((m_1 < 40u) && (n_1 < 24u)) {
    let value_5 = sum_5;
    let x_6 = x[i_27];
    let add_6 = x_6 + value_5;
    add[(m_1 * 24u) + n_1] = add_6;
  }
  let i_28 = (m_1 * 24u) + n_2;
  if ((m_1 < 40u) && (n_2 < 24u)) {
    let value_6 = sum_6;
    let x_7 = x[i_28];
    let add_7 = x_7 + value_6;
    add[(m_1 * 24u) + n_2] = add_7;
  }
  let i_29 = (m_1 * 24u) + n_3;
  if ((m_1 < 40u) && (n_3 < 24u)) {
    let value_7 = sum_7;
    let x_8 = x[i_29];
    let add_8 = x_8 + value_7;
    add[(m_1 * 24u) + n_3] = add_8;
  }
  let m_2 = (m0 + (row * 4u)) + 2u;
  let i_30 = (m_2 * 24u) + n;
  if ((m_2 < 40u) && (n < 24u)) {
    let value_8 = sum_8;
    let x_9 = x[i_30];
    let add_9 = x_9 + value_8;
    add[(m_2 * 24u) + n] = add_9;
  }
  let i_31 = (m_2 * 24u) + n_1;
  if ((m_2 < 40u) && (n_1 < 24u)) {
    let value_9 = sum_9;
    let x_10 = x[i_31];
    let add_10 = x_10 + value_9;
    add[(m_2 * 24u) + n_1] = add_10;
  }
  let i_32 = (m_2 * 24u) + n_2;
  if ((m_2 < 40u) && (n_2 < 24u)) {
    let value_10 = sum_10;
    let x_11 = x[i_32];
    let add_11 = x_11 + value_10;
    add[(m_2 * 24u) + n_2] = add_11;
  }
  let i_33 = (m_2 * 24u) + n_3;
  if ((m_2 < 40u) && (n_3 < 24u)) {
    let value_11 = sum_11;
    let x_12 = x[i_33];
    let add_12 = x_12 + value_11;
    add[(m_2 * 24u) + n_3] = add_12;
  }
  let m_3 = (m0 + (row * 4u)) + 3u;
  let i_34 = (m_3 * 24u) + n;
  if ((m_3 < 40u) && (n < 24u)) {
    let value_12 = sum_12;
    let x_13 = x[i_34];
    let add_13 = x_13 + value_12;
    add[(m_3 * 24u) + n] = add_13;
  }
  let i_35 = (m_3 * 24u) + n_1;
  if ((m_3 < 40u) && (n_1 < 24u)) {
    let value_13 = sum_13;
    let x_14 = x[i_35];
    let add_14 = x_14 + value_13;
    add[(m_3 * 24u) + n_1] = add_14;
  }
  let i_36 = (m_3 * 24u) + n_2;
  if ((m_3 < 40u) && (n_2 < 24u)) {
    let value_14 = sum_14;
    let x_15 = x[i_36];
    let add_15 = x_15 + value_14;
    add[(m_3 * 24u) + n_2] = add_15;
  }
  let i_37 = (m_3 * 24u) + n_3;
  if ((m_3 < 40u) && (n_3 < 24u)) {
    let value_15 = sum_15;
    let x_16 = x[i_37];
    let add_16 = x_16 + value_15;
    add[(m_3 * 24u) + n_3] = add_16;
  }
}
