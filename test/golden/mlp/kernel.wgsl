// matmul_add_gelu: step 0
@group(0) @binding(0) var<storage, read_write> gelu: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<workgroup> operands: array<vec4<f32>, 192>;
var<workgroup> parts: array<f32, 2048>;

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) << 1u) > 0xff000000u; }

fn min_of(a: f32, b: f32) -> f32 {
  return select(select(min(a, b), b, is_nan(b)), a, is_nan(a));
}

@compute @workgroup_size(128, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  let column = thread_id.x % 4u;
  let row = (thread_id.x / 4u) % 4u;
  let slice = thread_id.x / 16u;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  var carried_4 = 0.0;
  var carried_5 = 0.0;
  var carried_6 = 0.0;
  var carried_7 = 0.0;
  var carried_8 = 0.0;
  var carried_9 = 0.0;
  var carried_10 = 0.0;
  var carried_11 = 0.0;
  var carried_12 = 0.0;
  var carried_13 = 0.0;
  var carried_14 = 0.0;
  var carried_15 = 0.0;
  let r = ((thread_id.x / 32u) * 8u) + ((thread_id.x / 2u) % 8u);
  let c = (((thread_id.x / 16u) % 2u) * 2u) + (thread_id.x % 2u);
  let at = (group_id.y * 4u) + c;
  let at_1 = min(at, 9u);
  let inside = at < 10u;
  let i = (at_1 * 96u) + r;
  if (thread_id.x < 96u) {
    let x_1 = x[i];
    let x_2 = x[i + 24u];
    let x_3 = x[i + 48u];
    let x_4 = x[i + 72u];
    operands[(r * 4u) + c] = vec4<f32>(select(0.0, x_1, inside), select(0.0, x_2, inside), select(0.0, x_3, inside), select(0.0, x_4, inside));
  }
  let e = (thread_id.x + 32u) % 128u;
  let r_1 = ((e / 32u) * 8u) + ((e / 2u) % 8u);
  let c_1 = (((e / 16u) % 2u) * 2u) + (e % 2u);
  let at_2 = (group_id.x * 4u) + c_1;
  let i_1 = (r_1 * 48u) + (at_2 * 4u);
  if (e < 96u) {
    let weight_1_4 = weight[i_1 / 4u];
    let weight_1 = weight_1_4.x;
    let weight_2 = weight_1_4.y;
    let weight_3 = weight_1_4.z;
    let weight_4 = weight_1_4.w;
    operands[((r_1 * 4u) + c_1) + 96u] = vec4<f32>(weight_1, weight_2, weight_3, weight_4);
  }
  workgroupBarrier();
  for (var place = 0u; place < 3u * one; place++) {
    let place_1 = (place * 8u) + slice;
    let operands_1_4 = operands[(place_1 * 4u) + row];
    let operands_1 = operands_1_4.x;
    let operands_2 = operands_1_4.y;
    let operands_3 = operands_1_4.z;
    let operands_4 = operands_1_4.w;
    let operands_5_4 = operands[((place_1 * 4u) + column) + 96u];
    let operands_5 = operands_5_4.x;
    let operands_6 = operands_5_4.y;
    let operands_7 = operands_5_4.z;
    let operands_8 = operands_5_4.w;
    carried = fma(operands_1, operands_5, carried);
    carried_1 = fma(operands_1, operands_6, carried_1);
    carried_2 = fma(operands_1, operands_7, carried_2);
    carried_3 = fma(operands_1, operands_8, carried_3);
    carried_4 = fma(operands_2, operands_5, carried_4);
    carried_5 = fma(operands_2, operands_6, carried_5);
    carried_6 = fma(operands_2, operands_7, carried_6);
    carried_7 = fma(operands_2, operands_8, carried_7);
    carried_8 = fma(operands_3, operands_5, carried_8);
    carried_9 = fma(operands_3, operands_6, carried_9);
    carried_10 = fma(operands_3, operands_7, carried_10);
    carried_11 = fma(operands_3, operands_8, carried_11);
    carried_12 = fma(operands_4, operands_5, carried_12);
    carried_13 = fma(operands_4, operands_6, carried_13);
    carried_14 = fma(operands_4, operands_7, carried_14);
    carried_15 = fma(operands_4, operands_8, carried_15);
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
  workgroupBarrier();
  for (var part = 0u; part < 2u * one; part++) {
    let e_1 = (part * 128u) + thread_id.x;
    let part_1 = parts[e_1];
    let part_2 = parts[e_1 + 256u];
    let part_3 = parts[e_1 + 512u];
    let part_4 = parts[e_1 + 768u];
    let part_5 = parts[e_1 + 1024u];
    let part_6 = parts[e_1 + 1280u];
    let part_7 = parts[e_1 + 1536u];
    let part_8 = parts[e_1 + 1792u];
    let r_2 = (group_id.y * 16u) + (e_1 / 16u);
    let c_2 = (group_id.x * 16u) + (e_1 % 16u);
    let value = ((((((part_1 + part_2) + part_3) + part_4) + part_5) + part_6) + part_7) + part_8;
    if (r_2 < 40u) {
      let bias_1 = bias[c_2];
      let add = value + bias_1;
      let size = abs(add);
      let z = size * 0.70710677;
      let bell = exp((-(z * z)));
      let near = min_of(z, 30.0);
      let q = (near - 3.0) / (near + 3.0);
      let upper = ((bell * fma(fma(fma(fma(fma(fma(fma(fma(0.002571738, q, 0.0023242696), q, (-0.024182335)), q, 0.06827672), q, (-0.11919529)), q, 0.12965542), q, (-0.047567412)), q, (-0.13562153)), q, 1.2530081)) / fma(near, 2.0, 1.0)) * 0.5;
      let below = select((1.0 - upper), upper, (add < 0.0));
      let gelu_1 = add * below;
      gelu[(r_2 * 48u) + c_2] = gelu_1;
    }
  }
}

// matmul_add: step 1
@group(0) @binding(0) var<storage, read_write> add: array<f32>;
@group(0) @binding(1) var<storage, read_write> gelu: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
var<workgroup> operands: array<vec4<f32>, 244>;
var<workgroup> parts: array<f32, 512>;

@compute @workgroup_size(128, 1, 1)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(local_invocation_id) thread_id: vec3u, @builtin(num_workgroups) group_count: vec3u) {
  let one = min(group_count.z, 1u);
  let column = thread_id.x % 4u;
  let row = (thread_id.x / 4u) % 4u;
  let slice = thread_id.x / 16u;
  var carried = 0.0;
  var carried_1 = 0.0;
  var carried_2 = 0.0;
  var carried_3 = 0.0;
  let r = (thread_id.x / 2u) % 4u;
  let c = ((thread_id.x / 8u) * 2u) + (thread_id.x % 2u);
  let at = (group_id.y * 4u) + r;
  let i = (at * 48u) + (c * 4u);
  if (thread_id.x < 48u) {
    let gelu_1_4 = gelu[i / 4u];
    let gelu_1 = gelu_1_4.x;
    let gelu_2 = gelu_1_4.y;
    let gelu_3 = gelu_1_4.z;
    let gelu_4 = gelu_1_4.w;
    operands[(r * 13u) + c] = vec4<f32>(gelu_1, gelu_2, gelu_3, gelu_4);
  }
  let e = (thread_id.x + 80u) % 128u;
  for (var part = 0u; part < 2u * one; part++) {
    let e_1 = (part * 128u) + e;
    let r_1 = ((e_1 / 32u) * 8u) + ((e_1 / 2u) % 8u);
    let c_1 = (((e_1 / 16u) % 2u) * 2u) + (e_1 % 2u);
    let at_1 = (group_id.x * 4u) + c_1;
    let at_2 = min(at_1, 5u);
    let inside = at_1 < 6u;
    let i_1 = (r_1 * 24u) + (at_2 * 4u);
    if (e_1 < 192u) {
      let weight_1_4 = weight[i_1 / 4u];
      let weight_1 = weight_1_4.x;
      let weight_2 = weight_1_4.y;
      let weight_3 = weight_1_4.z;
      let weight_4 = weight_1_4.w;
      operands[((r_1 * 4u) + c_1) + 52u] = vec4<f32>(select(0.0, weight_1, inside), select(0.0, weight_2, inside), select(0.0, weight_3, inside), select(0.0, weight_4, inside));
    }
  }
  workgroupBarrier();
  for (var quad = 0u; quad < 2u * one; quad++) {
    let quad_1 = (quad * 8u) + slice;
    if (quad_1 < 12u) {
      let operands_1_4 = operands[(row * 13u) + quad_1];
      let operands_1 = operands_1_4.x;
      let operands_2 = operands_1_4.y;
      let operands_3 = operands_1_4.z;
      let operands_4 = operands_1_4.w;
      let operands_5_4 = operands[((quad_1 * 16u) + column) + 52u];
      let operands_5 = operands_5_4.x;
      let operands_6 = operands_5_4.y;
      let operands_7 = operands_5_4.z;
      let operands_8 = operands_5_4.w;
      carried = fma(operands_1, operands_5, carried);
      carried_1 = fma(operands_1, operands_6, carried_1);
      carried_2 = fma(operands_1, operands_7, carried_2);
      carried_3 = fma(operands_1, operands_8, carried_3);
      let operands_9_4 = operands[((quad_1 * 16u) + column) + 56u];
      let operands_9 = operands_9_4.x;
      let operands_10 = operands_9_4.y;
      let operands_11 = operands_9_4.z;
      let operands_12 = operands_9_4.w;
      carried = fma(operands_2, operands_9, carried);
      carried_1 = fma(operands_2, operands_10, carried_1);
      carried_2 = fma(operands_2, operands_11, carried_2);
      carried_3 = fma(operands_2, operands_12, carried_3);
      let operands_13_4 = operands[((quad_1 * 16u) + column) + 60u];
      let operands_13 = operands_13_4.x;
      let operands_14 = operands_13_4.y;
      let operands_15 = operands_13_4.z;
      let operands_16 = operands_13_4.w;
      carried = fma(operands_3, operands_13, carried);
      carried_1 = fma(operands_3, operands_14, carried_1);
      carried_2 = fma(operands_3, operands_15, carried_2);
      carried_3 = fma(operands_3, operands_16, carried_3);
      let operands_17_4 = operands[((quad_1 * 16u) + column) + 64u];
      let operands_17 = operands_17_4.x;
      let operands_18 = operands_17_4.y;
      let operands_19 = operands_17_4.z;
      let operands_20 = operands_17_4.w;
      carried = fma(operands_4, operands_17, carried);
      carried_1 = fma(operands_4, operands_18, carried_1);
      carried_2 = fma(operands_4, operands_19, carried_2);
      carried_3 = fma(operands_4, operands_20, carried_3);
    }
  }
  parts[((slice * 64u) + (row * 16u)) + (column * 4u)] = carried;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 1u] = carried_1;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 2u] = carried_2;
  parts[(((slice * 64u) + (row * 16u)) + (column * 4u)) + 3u] = carried_3;
  workgroupBarrier();
  let r_2 = (group_id.y * 4u) + (thread_id.x / 16u);
  let c_2 = (group_id.x * 16u) + (thread_id.x % 16u);
  let i_2 = (r_2 * 24u) + c_2;
  if (thread_id.x < 64u) {
    let part_1 = parts[thread_id.x];
    let part_2 = parts[thread_id.x + 64u];
    let part_3 = parts[thread_id.x + 128u];
    let part_4 = parts[thread_id.x + 192u];
    let part_5 = parts[thread_id.x + 256u];
    let part_6 = parts[thread_id.x + 320u];
    let part_7 = parts[thread_id.x + 384u];
    let part_8 = parts[thread_id.x + 448u];
    let value = ((((((part_1 + part_2) + part_3) + part_4) + part_5) + part_6) + part_7) + part_8;
    if (c_2 < 24u) {
      let x_1 = x[i_2];
      let add_1 = x_1 + value;
      add[(r_2 * 24u) + c_2] = add_1;
    }
  }
}
