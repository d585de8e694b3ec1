// y = (offset + weight) * x / sqrt(mean(x^2) + epsilon); inverses = 1 / sqrt(...). One workgroup a row.
struct Params {
  rows: u32,
  width: u32,
  epsilon: f32,
  offset: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverses: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

alias Summand = f32; // for sum_over_group.wgsl, which comes before, with row_groups.wgsl

// `base` is where the row begins.
fn compute_row(thread: u32, row: u32, base: u32) {
  var squares = 0.0;
  for (var i = thread; i < params.width; i += 256u) {
    squares += x[base + i] * x[base + i];
  }
  let mean = sum_over_group(thread, squares) / f32(params.width);
  let inverse = 1.0 / sqrt(mean + params.epsilon);
  for (var i = thread; i < params.width; i += 256u) {
    y[base + i] = x[base + i] * inverse * (params.offset + weight[i]);
  }
  if (thread == 0u) {
    inverses[row] = inverse;
  }
}
