// The gradients of normalisation by the root mean square, with normalized = x * inverse and g = (offset + weight) * dy:
// dx = (g - normalized * mean(g * normalized)) * inverse (+ dx);
// dWeight = sum of dy * normalized over rows (+ what is there). Begins with norm_gradients.wgsl.
struct Params {
  rows: u32,
  width: u32,
  offset: f32,
  wantsInput: u32,
  wantsWeights: u32,
  accumulate: u32,
  accumulateWeight: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> inverses: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

alias Summand = f32;

fn compute_row(thread: u32, row: u32) {
  if (row >= params.rows) {
    return;
  }
  let base = row * params.width;
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

fn summand(row: u32, column: u32) -> Summand {
  let at = row * params.width + column;
  return dy[at] * x[at] * inverses[row];
}

fn before(column: u32) -> Summand {
  if (params.accumulateWeight == 1u) {
    return dWeight[column];
  }
  return 0.0;
}

fn finish(column: u32, total: Summand) {
  dWeight[column] = total;
}
