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

alias Summand = f32; // for sum_over_group.wgsl

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let base = row * params.width;
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
