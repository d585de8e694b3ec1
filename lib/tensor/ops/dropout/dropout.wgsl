// y = 0 where hash(seed, i) < threshold, else x * factor (+ y); `first` is the number of the binding's first element.
struct Params {
  size: u32,
  seed: u32,
  threshold: u32,
  factor: f32,
  offset: u32,
  accumulate: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn mix(value: u32) -> u32 {
  var z = value;
  z ^= z >> 16u;
  z *= 0x7feb352du;
  z ^= z >> 15u;
  z *= 0x846ca68bu;
  z ^= z >> 16u;
  return z;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  let hash = mix(mix(params.offset + params.first + i + 0x9e3779b9u) ^ params.seed);
  var value = select(x[i] * params.factor, 0.0, hash < params.threshold);
  if (params.accumulate == 1u) {
    value += y[i];
  }
  y[i] = value;
}
