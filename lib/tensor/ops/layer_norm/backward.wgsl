// The gradients of layer normalisation, with normalized = (x - mean) / deviation and g = weight * dy:
// dx = (g - mean(g) - normalized * mean(g * normalized)) / deviation (+ dx), one workgroup a row;
// dWeight = sum of dy * normalized over rows, dBias = sum of dy (+ what is there), one workgroup for 32 columns.
struct Params {
  rows: u32,
  width: u32,
  wantsInput: u32,
  wantsWeights: u32,
  accumulate: u32,
  accumulateWeight: u32,
  accumulateBias: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dBias: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

alias Summand = vec2f; // for sum_over_group.wgsl, which comes before

fn compute_row(thread: u32, row: u32) {
  if (row >= params.rows) {
    return;
  }
  let base = row * params.width;
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

// Eight threads share a column: thread t of them sums rows t, t + 8, ...; the 8 sums are added in order.
fn compute_columns(thread: u32, columns: u32) {
  let column = columns * 32u + thread % 32u;
  let slice = thread / 32u;
  var sum = vec2f();
  if (column < params.width) {
    for (var row = slice; row < params.rows; row += 8u) {
      let at = row * params.width + column;
      let normalized = (x[at] - statistics[2u * row]) * statistics[2u * row + 1u];
      sum += vec2f(dy[at] * normalized, dy[at]);
    }
  }
  shared_sums[thread] = sum;
  workgroupBarrier();
  if (slice == 0u && column < params.width) {
    var total = vec2f();
    if (params.accumulateWeight == 1u) {
      total.x = dWeight[column];
    }
    if (params.accumulateBias == 1u) {
      total.y = dBias[column];
    }
    for (var other = 0u; other < 8u; other++) {
      total += shared_sums[other * 32u + thread];
    }
    dWeight[column] = total.x;
    dBias[column] = total.y;
  }
}

@compute @workgroup_size(256)
fn input(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  compute_row(thread, group.x + group.y * groups.x);
}

@compute @workgroup_size(256)
fn weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  compute_columns(thread, group.x + group.y * groups.x);
}

// The columns first: each takes longer than a row.
@compute @workgroup_size(256)
fn both(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = group.x + group.y * groups.x;
  let columns = (params.width + 31u) / 32u;
  if (index < columns) {
    compute_columns(thread, index);
  } else {
    compute_row(thread, index - columns);
  }
}
