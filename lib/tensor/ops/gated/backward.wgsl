// dGate = dy * up * act'(gate) (+ dGate), dUp = dy * act(gate) (+ dUp). One thread an element.
struct Params {
  size: u32,
  slope: f32,
  cubic: f32,
  accumulateGate: u32,
  accumulateUp: u32,
}

@group(0) @binding(0) var<storage, read> gate: array<f32>;
@group(0) @binding(1) var<storage, read> up: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dGate: array<f32>;
@group(0) @binding(4) var<storage, read_write> dUp: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  let x = gate[i];
  let open = 1.0 / gate_divisor(x, params.slope, params.cubic); // see sigmoid_gate.wgsl
  let slope = gate_slope(x, params.slope, 3.0 * params.cubic);
  var gateGradient = dy[i] * up[i] * open * (1.0 + x * (1.0 - open) * slope);
  var upGradient = dy[i] * x * open;
  if (params.accumulateGate == 1u) {
    gateGradient += dGate[i];
  }
  if (params.accumulateUp == 1u) {
    upGradient += dUp[i];
  }
  dGate[i] = gateGradient;
  dUp[i] = upGradient;
}
