// y = gelu(x), tanh approximation. One thread an element.
struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// 2 * sqrt(2 / pi), for sigmoid_gate.wgsl, which comes before.
const SLOPE = 1.5957691216057308;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  y[i] = x[i] * (1.0 / gate_divisor(x[i], SLOPE, 0.044715));
}
