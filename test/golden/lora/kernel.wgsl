// matmul: step 0
@group(0) @binding(0) var<storage, read_write> matmul: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> A: array<f32>;
var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 256>;

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
  let r = m0 + (thread_id.x / 16u);
  let i = min(r, 32u);
  let i_2 = i * 40u;
  let e = thread_id.x + 64u;
  let r_1 = m0 + (e / 16u);
  let i_3 = min(r_1, 32u);
  let i_5 = i_3 * 40u;
  let e_1 = thread_id.x + 128u;
  let r_2 = m0 + (e_1 / 16u);
  let i_6 = min(r_2, 32u);
  let i_8 = i_6 * 40u;
  let e_2 = thread_id.x + 192u;
  let r_3 = m0 + (e_2 / 16u);
  let i_9 = min(r_3, 32u);
  let i_11 = i_9 * 40u;
  let e_3 = thread_id.x + 256u;
  let r_4 = m0 + (e_3 / 16u);
  let i_12 = min(r_4, 32u);
  let i_14 = i_12 * 40u;
  let e_4 = thread_id.x + 320u;
  let r_5 = m0 + (e_4 / 16u);
  let i_15 = min(r_5, 32u);
  let i_17 = i_15 * 40u;
  let e_5 = thread_id.x + 384u;
  let r_6 = m0 + (e_5 / 16u);
  let i_18 = min(r_6, 32u);
  let i_20 = i_18 * 40u;
  let e_6 = thread_id.x + 448u;
  let r_7 = m0 + (e_6 / 16u);
  let i_21 = min(r_7, 32u);
  let i_23 = i_21 * 40u;
  let c_8 = thread_id.x % 16u;
  let i_24 = min(c_8, 3u);
  let c_9 = e % 16u;
  let i_25 = min(c_9, 3u);
  let c_10 = e_1 % 16u;
  let i_27 = min(c_10, 3u);
  let c_11 = e_2 % 16u;
  let i_29 = min(c_11, 3u);
  for (var step_ = 0u; step_ < 3u; step_++) {
    let k0 = step_ * 16u;
    let c = k0 + (thread_id.x % 16u);
    let i_1 = min(c, 39u);
    let x_1 = x[i_2 + i_1];
    left[thread_id.x] = select(0.0, x_1, ((r < 33u) && (c < 40u)));
    let c_1 = k0 + (e % 16u);
    let i_4 = min(c_1, 39u);
    let x_2 = x[i_5 + i_4];
    left[e] = select(0.0, x_2, ((r_1 < 33u) && (c_1 < 40u)));
    let c_2 = k0 + (e_1 % 16u);
    let i_7 = min(c_2, 39u);
    let x_3 = x[i_8 + i_7];
    left[e_1] = select(0.0, x_3, ((r_2 < 33u) && (c_2 < 40u)));
    let c_3 = k0 + (e_2 % 16u);
    let i_10 = min(c_3, 39u);
    let x_4 = x[i_11 + i_10];
    left[e_2] = select(0.0, x_4, ((r_3 < 33u) && (c_3 < 40u)));
    let c_4 = k0 + (e_3 % 16u);
    let i_13 = min(c_4, 39u);
    let x_5 = x[i_14 + i_13];
    left[e_3] = select(0.0, x_5, ((r_4 < 33u) && (c_4 < 40u)));
    let c_5 = k0 + (e_4 % 16u);
    let i_16 = min(c_5, 39u);
    let x_6 = x[i_17 + i_16];
    left[e_4] = select(0.0, x_6, ((r_5 < 33u) && (c_5 < 40u)));
    let c_6 = k0 + (e_5 % 16u);
    let i_19 = min(c_6, 39u);
    let x_7 = x[i_20 + i_19];
    left[e_5] = select(0.0, x_7, ((r_6 < 33u) && (c_6 < 40u)));
    let c_7 = k0 + (e_6 % 16u);
    let i_22 = min(c_7, 39u);
    let x_8 = x[i_23 + i_22];
    left[e_6] = select(0.0, x_8, ((r_7 < 33u) && (c_7 < 40u)));
    let r_8 = k0 + (thread_id.x / 16u);
    let A_1 = A[i_24 + (r_8 * 4u)];
    right[thread_id.x] = select(0.0, A_1, (c_8 < 4u));
    let r_9 = k0 + (e / 16u);
    let A_2 = A[i_25 + (r_9 * 4u)];
    right[e] = select(0.0, A_2, (c_9 < 4u));
    let r_10 = k0 + (e_1 / 16u);
    let i_26 = min(r_10, 39u);
    let A_3 = A[i_27 + (i_26 * 4u)];
    right[e_1] = select(0.0, A_3, ((r_10 < 40u) && (c_10 < 4u)));
    let r_11 = k0 + (e_2 / 16u);
    let i_28 = min(r_11, 39u);
    let A_4 = A[i_29 + (i_28 * 4u)];
    right[e_2] = select(0.0, A_4, ((r_11 < 40u) && (c_11 < 4u)));
    workgroupBarrier();
    for (var kk = 0u; kk < 16u; kk++) {
      let a = left[(row * 64u) + kk];
      let a_1 = left[((row * 64u) + kk) + 16u];
      let a_2 = left[((row * 64u) + kk) + 32u];
      let a_3 = left[((row * 64u) + kk) + 48u];
      let b = right[(kk * 16u) + (col * 2u)];
      let b_1 = right[((kk * 16u) + (col * 2u)) + 1u];
      sum_ = fma(a, b, sum_);
      sum_1 = fma(a, b_1, sum_1);
      sum_2 = fma(a_1, b, sum_2);
      sum_3 = fma(a_1, b_1, sum_3);
      sum_4 = fma(a_2, b, sum_4);
      sum_5 = fma(a_2, b_1, sum_5);
      sum_6 = fma(a_3, b, sum_6);
      sum_7 = fma(a_3, b_1, sum_7);
    }
    workgroupBarrier();
  }
  let m = m0 + (row * 4u);
  let n = col * 2u;
  if ((m < 33u) && (n < 4u)) {
    matmul[(m * 4u) + n] = sum_;
  }
  let n_1 = (col * 2u) + 1u;
  if ((m < 33u) && (n_1 < 4u)) {
    matmul[(m * 4u) + n_1] = sum_1;
  }
  let m_1 = (m0 + (row * 4u)) + 1u;
  if ((m_1 < 33u) && (n < 4u)) {
    matmul[(m_1 * 4u) + n] = sum_2;
  }
  if ((m_1 < 33u) && (n_1 < 4u)) {
    matmul[(m_1 * 4u) + n_1] = sum_3;
  }
  let m_2 = (m0 + (row * 4u)) + 2u;
  if ((m_2 < 33u) && (n < 4u)) {
    matmul[(m_2 * 4u) + n] = sum_4;
  }
  if ((m_2 < 33u) && (n_1 < 4u)) {
    matmul[(m_2 * 4u) + n_1] = sum_5;
  }
  let m_3 = (m0 + (row * 4u)) + 3u;
  if ((m_3 < 33u) && (n < 4u)) {
    matmul[(m_3 * 4u) + n] = sum_6;
  }
  if ((m_3 < 33u) && (n_1 < 4u)) {
    matmul[(m_3 * 4u) + n_1] = sum_7;
  }
}

// matmul: step 1
@group(0) @binding(0) var<storage, read_write> matmul: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> matmul_1: array<f32>;
@group(0) @binding(4) var<storage, read> B: array<f32>;
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
  let i = min(r, 32u);
  let i_2 = i * 40u;
  let e = thread_id.x + 64u;
  let r_1 = m0 + (e / 16u);
  let i_3 = min(r_1, 32u);
  let i_5 = i_3 * 40u;
  let e_1 = thread_id.x + 128u;
  let r_2 = m0 + (e_1 / 16u);
  let i_6 = min(r_2, 32u);
  let i_8 = i_6 * 40u;
  let e_2 = thread_id.x + 192u;
  let r_3 = m0 + (e_2 / 16u);
  let i_9 = min(r_3, 32u);
  let i_11 = i_9 * 40u;
  let e_3 = thread_id.x + 256u;
  let r_4 = m0 + (e_3 / 16u);
  let i_12 = min(r_4, 32u);
  let i_14 = i_12 * 40u;
  let e_4 = thread_id.x + 320u;
  let r_5 = m0 + (e_4 / 16u);
  let i_15 = min(r_5, 32u);
  let i_17 = i_15 * 40u;
  let e_5 = thread_id.x + 384u;
  let r_6 = m0 + (e_5 / 16u);
  let i_18 = min(r_6, 32u);
  let i_20 = i_18 * 40u;
  let e_6 = thread_id.x + 448u;
  let r_7 = m0 + (e_6 / 16u);
  let i_21 = min(r_7, 32u);
  let i_23 = i_21 * 40u;
  let c_8 = n0 + (thread_id.x % 32u);
  let i_24 = min(c_8, 35u);
  let c_9 = n0 + (e % 32u);
  let i_25 = min(c_9, 35u);
  let c_10 = n0 + (e_1 % 32u);
  let i_26 = min(c_10, 35u);
  let c_11 = n0 + (e_2 % 32u);
  let i_27 = min(c_11, 35u);
  let c_12 = n0 + (e_3 % 32u);
  let i_29 = min(c_12, 35u);
  let c_13 = n0 + (e_4 % 32u);
  let i_31 = min(c_13, 35u);
  let c_14 = n0 + (e_5 % 32u);
  let i_33 = min(c_14, 35u);
  let c_15 = n0 + (e_6 % 32u);
  let i_35 = min(c_15, 35u);
  for (var step_ = 0u; step_ < 3u; step_++) {
    let k0 = step_ * 16u;
    let c = k0 + (thread_id.x % 16u);
    let i_1 = min(c, 39u);
    let x_1 = x[i_2 + i_1];
    left[thread_id.x] = select(0.0, x_1, ((r < 33u) && (c < 40u)));
    let c_1 = k0 + (e % 16u);
    let i_4 = min(c_1, 39u);
    let x_2 = x[i_5 + i_4];
    left[e] = select(0.0, x_2, ((r_1 < 33u) && (c_1 < 40u)));
    let c_2 = k0 + (e_1 % 16u);
    let i_7 = min(c_2, 39u);
    let x_3 = x[i_8 + i_7];
    left[e_1] = select(0.0, x_3, ((r_2 < 33u) && (c_2 < 40u)));
    let c_3 = k0 + (e_2 % 16u);
    let i_10 = min(c_3, 39u);
    let x_4 = x[i_11 + i_10];
    left[e_2] = select(0.0, x_4, ((r_3 < 33u) && (c_3 < 40u)));
    let c_4 = k0 + (e_3 % 16u);
    let i_13 = min(c_4, 39u);
    let x_5 = x[i_14 + i_13];
    left[e_3] = select(0.0, x_5, ((r_4 < 33u) && (c_4 < 40u)));
    let c_5 = k0 + (e_4 % 16u);
    let i_16 = min(c_5, 39u);
    let x_6 = x[i_17 + i_16];
    left[e_4] = select(0.0, x_6, ((r_5 < 33u) && (c_5 < 40u)));
    let c_6 = k0 + (e_5 % 16u);
    let i_19 = min(c_6, 39u);
    let x_7 = x[i_20 + i_19];
    left[e_5] = select(0.0, x_7, ((r_6 < 33u) && (c_6 < 40u)));
    let c_7 = k0 + (e_6 % 16u);
    let i_22 = min(c_7, 39u);
    let x_8 = x[i_23 + i_22];
    left[e_6] = select(0.0, x_8, ((r_7 < 33u) && (c_7 < 40u)));
    let r_8 = k0 + (thread_id.x / 32u);
    let weight_1 = weight[i_24 + (r_8 * 36u)];
    right[thread_id.x] = select(0.0, weight_1, (c_8 < 36u));
    let r_9 = k0 + (e / 32u);
    let weight_2 = weight[i_25 + (r_9 * 36u)];
    right[e] = select(0.0, weight_2, (c_9 < 36u));
    let r_10 = k0 + (e_1 / 32u);
    let weight_3 = weight[i_26 + (r_10 * 36u)];
    right[e_1] = select(0.0, weight_3, (c_10 < 36u));
    let r_11 = k0 + (e_2 / 32u);
    let weight_4 = weight[i_27 + (r_11 * 36u)];
    right[e_2] = select(0.0, weight_4, (c_11 < 36u));
    let r_12 = k0 + (e_3 / 32u);
    let i_28 = min(r_12, 39u);
    let weight_5 = weight[i_29 + (i_28 * 36u)];
    right[e_3] = select(0.0, weight_5, ((r_12 < 40u) && (c_12 < 36u)));
    let r_13 = k0 + (e_4 / 32u);
    let i_30 = min(r_13, 39u);
    let weight_6 = weight[i_31 + (i_30 * 36u)];
    right[e_4] = select(0.0, weight_6, ((r_13 < 40u) && (c_13 < 36u)));
    let r_14 = k0 + (e_5 / 32u);
    let i_32 = min(r_14, 39u);
    let weight_7 = weight[i_33 + (i_32 * 36u)];
    right[e_5] = select(0.0, weight_7, ((r_14 < 40u) && (c_14 < 36u)));
    let r_15 = k0 + (e_6 / 32u);
    let i_34 = min(r_15, 39u);
    let weight_8 = weight[i_35 + (i_34 * 36u)];
    right[e_6] = select(0.0, weight_8, ((r_15 < 40u) && (c_15 < 36u)));
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
  let c_16 = thread_id.x % 16u;
  let i_36 = min(c_16, 3u);
  let matmul_2 = matmul_1[(i * 4u) + i_36];
  left[thread_id.x] = select(0.0, matmul_2, ((r < 33u) && (c_16 < 4u)));
  let c_17 = e % 16u;
  let i_37 = min(c_17, 3u);
  let matmul_3 = matmul_1[(i_3 * 4u) + i_37];
  left[e] = select(0.0, matmul_3, ((r_1 < 33u) && (c_17 < 4u)));
  let c_18 = e_1 % 16u;
  let i_38 = min(c_18, 3u);
  let matmul_4 = matmul_1[(i_6 * 4u) + i_38];
  left[e_1] = select(0.0, matmul_4, ((r_2 < 33u) && (c_18 < 4u)));
  let c_19 = e_2 % 16u;
  let i_39 = min(c_19, 3u);
  let matmul_5 = matmul_1[(i_9 * 4u) + i_39];
  left[e_2] = select(0.0, matmul_5, ((r_3 < 33u) && (c_19 < 4u)));
  let c_20 = e_3 % 16u;
  let i_40 = min(c_20, 3u);
  let matmul_6 = matmul_1[(i_12 * 4u) + i_40];
  left[e_3] = select(0.0, matmul_6, ((r_4 < 33u) && (c_20 < 4u)));
  let c_21 = e_4 % 16u;
  let i_41 = min(c_21, 3u);
  let matmul_7 = matmul_1[(i_15 * 4u) + i_41];
  left[e_4] = select(0.0, matmul_7, ((r_5 < 33u) && (c_21 < 4u)));
  let c_22 = e_5 % 16u;
  let i_42 = min(c_22, 3u);
  let matmul_8 = matmul_1[(i_18 * 4u) + i_42];
  left[e_5] = select(0.0, matmul_8, ((r_6 < 33u) && (c_22 < 4u)));
  let c_23 = e_6 % 16u;
  let i_43 = min(c_23, 3u);
  let matmul_9 = matmul_1[(i_21 * 4u) + i_43];
  left[e_6] = select(0.0, matmul_9, ((r_7 < 33u) && (c_23 < 4u)));
  let r_16 = thread_id.x / 32u;
  let B_1 = B[(r_16 * 36u) + i_24];
  let mul = B_1 * 2.0;
  right[thread_id.x] = select(0.0, mul, (c_8 < 36u));
  let r_17 = e / 32u;
  let B_2 = B[(r_17 * 36u) + i_25];
  let mul_1 = B_2 * 2.0;
  right[e] = select(0.0, mul_1, (c_9 < 36u));
  let r_18 = e_1 / 32u;
  let i_44 = min(r_18, 3u);
  let B_3 = B[(i_44 * 36u) + i_26];
  let mul_2 = B_3 * 2.0;
  right[e_1] = select(0.0, mul_2, ((r_18 < 4u) && (c_10 < 36u)));
  let r_19 = e_2 / 32u;
  let i_45 = min(r_19, 3u);
  let B_4 = B[(i_45 * 36u) + i_27];
  let mul_3 = B_4 * 2.0;
  right[e_2] = select(0.0, mul_3, ((r_19 < 4u) && (c_11 < 36u)));
  let r_20 = e_3 / 32u;
  let i_46 = min(r_20, 3u);
  let B_5 = B[(i_46 * 36u) + i_29];
  let mul_4 = B_5 * 2.0;
  right[e_3] = select(0.0, mul_4, ((r_20 < 4u) && (c_12 < 36u)));
  let r_21 = e_4 / 32u;
  let i_47 = min(r_21, 3u);
  let B_6 = B[(i_47 * 36u) + i_31];
  let mul_5 = B_6 * 2.0;
  right[e_4] = select(0.0, mul_5, ((r_21 < 4u) && (c_13 < 36u)));
  let r_22 = e_5 / 32u;
  let i_48 = min(r_22, 3u);
  let B_7 = B[(i_48 * 36u) + i_33];
  let mul_6 = B_7 * 2.0;
  right[e_5] = select(0.0, mul_6, ((r_22 < 4u) && (c_14 < 36u)));
  let r_23 = e_6 / 32u;
  let i_49 = min(r_23, 3u);
  let B_8 = B[(i_49 * 36u) + i_35];
  let mul_7 = B_8 * 2.0;
  right[e_6] = select(0.0, mul_7, ((r_23 < 4u) && (c_15 < 36u)));
  workgroupBarrier();
  for (var kk_1 = 0u; kk_1 < 16u; kk_1++) {
    let a_4 = left[(row * 64u) + kk_1];
    let a_5 = left[((row * 64u) + kk_1) + 16u];
    let a_6 = left[((row * 64u) + kk_1) + 32u];
    let a_7 = left[((row * 64u) + kk_1) + 48u];
    let b_4 = right[(kk_1 * 32u) + (col * 4u)];
    let b_5 = right[((kk_1 * 32u) + (col * 4u)) + 1u];
    let b_6 = right[((kk_1 * 32u) + (col * 4u)) + 2u];
    let b_7 = right[((kk_1 * 32u) + (col * 4u)) + 3u];
    sum_ = fma(a_4, b_4, sum_);
    sum_1 = fma(a_4, b_5, sum_1);
    sum_2 = fma(a_4, b_6, sum_2);
    sum_3 = fma(a_4, b_7, sum_3);
    sum_4 = fma(a_5, b_4, sum_4);
    sum_5 = fma(a_5, b_5, sum_5);
    sum_6 = fma(a_5, b_6, sum_6);
    sum_7 = fma(a_5, b_7, sum_7);
    sum_8 = fma(a_6, b_4, sum_8);
    sum_9 = fma(a_6, b_5, sum_9);
    sum_10 = fma(a_6, b_6, sum_10);
    sum_11 = fma(a_6, b_7, sum_11);
    sum_12 = fma(a_7, b_4, sum_12);
    sum_13 = fma(a_7, b_5, sum_13);
    sum_14 = fma(a_7, b_6, sum_14);
    sum_15 = fma(a_7, b_7, sum_15);
  }
  let m = m0 + (row * 4u);
  let n = n0 + (col * 4u);
  if ((m < 33u) && (n < 36u)) {
    matmul[(m * 36u) + n] = sum_;
  }
  let n_1 = (n0 + (col * 4u)) + 1u;
  if ((m < 33u) && (n_1 < 36u)) {
    matmul[(m * 36u) + n_1] = sum_1;
  }
  let n_2 = (n0 + (col * 4u)) + 2u;
  if ((m < 33u) && (n_2 < 36u)) {
    matmul[(m * 36u) + n_2] = sum_2;
  }
  let n_3 = (n0 + (col * 4u)) + 3u;
  if ((m < 33u) && (n_3 < 36u)) {
    matmul[(m * 36u) + n_3] = sum_3;
  }
  let m_1 = (m0 + (row * 4u)) + 1u;
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
  let m_2 = (m0 + (row * 4u)) + 2u;
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
  let m_3 = (m0 + (row * 4u)) + 3u;
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
