// y = gate * logistic(slope * (gate + cubic * gate^3)) * up. One thread an element.
struct Params {
  size: u32,
  slope: f32,
  cubic: f32,
}

@group(0) @binding(0) var<storage, read> gate: array<f32>;
@group(0) @binding(1) var<storage, read> up: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  let x = gate[i];
  y[i] = x / gate_divisor(x, params.slope, params.cubic) * up[i]; // see sigmoid_gate.wgsl
}
