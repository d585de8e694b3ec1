// y = gelu(x), tanh approximation. One thread an element.
struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// 2 * sqrt(2 / pi) * (x + 0.044715 * x^3): (1 + tanh(u)) / 2 is the logistic function of 2u, which loses no digits where
// tanh is near -1.
fn logistic(x: f32) -> f32 {
  let twice = 1.5957691216057308 * x * fma(0.044715 * x, x, 1.0);
  // Some GPUs know no infinity: exp stays below it.
  return 1.0 / (1.0 + exp(min(-twice, 80.0)));
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  y[i] = x[i] * logistic(x[i]);
}
