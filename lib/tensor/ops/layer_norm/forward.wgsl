// y = weight * (x - mean) / sqrt(variance + epsilon) + bias; statistics = (mean, 1 / sqrt(...)). One workgroup a row.
struct Params {
  rows: u32,
  width: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

alias Summand = f32; // for sum_over_group.wgsl, which comes before, with row_groups.wgsl

// `base` is where the row begins.
fn compute_row(thread: u32, row: u32, base: u32) {
  let width = f32(params.width);
  var sum = 0.0;
  for (var i = thread; i < params.width; i += 256u) {
    sum += x[base + i];
  }
  let mean = sum_over_group(thread, sum) / width;
  // In a second pass, because the mean of squares minus the squared mean loses digits.
  var squares = 0.0;
  for (var i = thread; i < params.width; i += 256u) {
    let centered = x[base + i] - mean;
    squares += centered * centered;
  }
  let inverse = 1.0 / sqrt(sum_over_group(thread, squares) / width + params.epsilon);
  for (var i = thread; i < params.width; i += 256u) {
    y[base + i] = (x[base + i] - mean) * inverse * weight[i] + bias[i];
  }
  if (thread == 0u) {
    statistics[2u * row] = mean;
    statistics[2u * row + 1u] = inverse;
  }
}
