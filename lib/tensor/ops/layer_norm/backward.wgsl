// The gradients of layer normalisation, with normalized = (x - mean) / deviation and g = weight * dy:
// dx = (g - mean(g) - normalized * mean(g * normalized)) / deviation (+ dx);
// dWeight = sum of dy * normalized over rows, dBias = sum of dy (+ what is there). Begins with norm_gradients.wgsl.
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

alias Summand = vec2f;

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

fn summand(row: u32, column: u32) -> Summand {
  let at = row * params.width + column;
  let normalized = (x[at] - statistics[2u * row]) * statistics[2u * row + 1u];
  return vec2f(dy[at] * normalized, dy[at]);
}

fn before(column: u32) -> Summand {
  var total = vec2f();
  if (params.accumulateWeight == 1u) {
    total.x = dWeight[column];
  }
  if (params.accumulateBias == 1u) {
    total.y = dBias[column];
  }
  return total;
}

fn finish(column: u32, total: Summand) {
  dWeight[column] = total.x;
  dBias[column] = total.y;
}
