// dx = (g - mean(g) - normalized * mean(g * normalized)) / deviation (+ dx), g = weight * dy. One workgroup a row.
struct Params {
  rows: u32,
  width: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

alias Summand = vec2f; // for sum_over_group.wgsl, which comes before, with row_groups.wgsl

// `base` is where the row begins.
fn compute_row(thread: u32, row: u32, base: u32) {
  let mean = statistics[2u * row];
  let inverse = statistics[2u * row + 1u];
  var sums = vec2f();
  for (var i = thread; i < params.width; i += 256u) {
    let g = weight[i] * dy[base + i];
    sums += vec2f(g, g * (x[base + i] - mean) * inverse);
  }
  let means = sum_over_group(thread, sums) / f32(params.width);
  for (var i = thread; i < params.width; i += 256u) {
    let normalized = (x[base + i] - mean) * inverse;
    var gradient = (weight[i] * dy[base + i] - means.x - normalized * means.y) * inverse;
    if (params.accumulate == 1u) {
      gradient += dx[base + i];
    }
    dx[base + i] = gradient;
  }
}
