// dx = (g - normalized * mean(g * normalized)) * inverse (+ dx), g = (offset + weight) * dy. One workgroup a row.
struct Params {
  rows: u32,
  width: u32,
  offset: f32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> inverses: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

alias Summand = f32; // for sum_over_group.wgsl, which comes before, with row_groups.wgsl

// `base` is where the row begins.
fn compute_row(thread: u32, row: u32, base: u32) {
  let inverse = inverses[row];
  var products = 0.0;
  for (var i = thread; i < params.width; i += 256u) {
    products += (params.offset + weight[i]) * dy[base + i] * x[base + i] * inverse;
  }
  let mean = sum_over_group(thread, products) / f32(params.width);
  for (var i = thread; i < params.width; i += 256u) {
    let normalized = x[base + i] * inverse;
    var gradient = ((params.offset + weight[i]) * dy[base + i] - normalized * mean) * inverse;
    if (params.accumulate == 1u) {
      gradient += dx[base + i];
    }
    dx[base + i] = gradient;
  }
}
