// x is (outer, length, inner), index and y are (outer, count, inner): y[o, j, i] = x[o, index[o, j, i], i]. The gradient
// of a line of x is one thread's, which adds in the index's order.
struct Params {
  outer: u32,
  length: u32,
  count: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  let block = params.count * params.inner;
  if (i >= params.outer * block) {
    return;
  }
  let chosen = index[i];
  if (chosen < 0 || u32(chosen) >= params.length) {
    // The bits of NaN, which WGSL cannot write as a constant.
    y[i] = bitcast<f32>(0x7fc00000u | (i & 0u));
    return;
  }
  y[i] = x[(i / block * params.length + u32(chosen)) * params.inner + i % params.inner];
}
