// dx = dy * gelu'(x) (+ dx). One thread an element.
struct Params {
  size: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// 2 * sqrt(2 / pi), for sigmoid_gate.wgsl, which comes before.
const SLOPE = 1.5957691216057308;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  let value = x[i];
  let part = 1.0 / gate_divisor(value, SLOPE, 0.044715);
  let slope = gate_slope(value, SLOPE, 0.134145);
  var gradient = dy[i] * part * (1.0 + value * (1.0 - part) * slope);
  if (params.accumulate == 1u) {
    gradient += dx[i];
  }
  dx[i] = gradient;
}
