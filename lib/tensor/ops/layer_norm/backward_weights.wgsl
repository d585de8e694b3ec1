// dWeight = sum of dy * normalized over rows, dBias = sum of dy (+ what is there); begins with column_sums.wgsl.
struct Params {
  rows: u32,
  width: u32,
  accumulateWeight: u32,
  accumulateBias: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(4) var<storage, read_write> dBias: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

alias Summand = vec2f;

fn summand(row: u32, column: u32) -> Summand {
  let at = row * params.width + column;
  let normalized = (x[at] - statistics[2u * row]) * statistics[2u * row + 1u];
  return vec2f(dy[at] * normalized, dy[at]);
}

fn before(column: u32) -> Summand {
  var first = vec2f();
  if (params.accumulateWeight == 1u) {
    first.x = dWeight[column];
  }
  if (params.accumulateBias == 1u) {
    first.y = dBias[column];
  }
  return first;
}

fn finish(column: u32, total: Summand) {
  dWeight[column] = total.x;
  dBias[column] = total.y;
}
