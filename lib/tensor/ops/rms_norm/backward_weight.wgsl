// dWeight = sum of dy * normalized over rows (+ what is there); begins with column_sums.wgsl.
struct Params {
  rows: u32,
  width: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> inverses: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dWeight: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

alias Summand = f32;

fn summand(row: u32, column: u32) -> Summand {
  let at = row * params.width + column;
  return dy[at] * x[at] * inverses[row];
}

fn before(column: u32) -> Summand {
  if (params.accumulate == 1u) {
    return dWeight[column];
  }
  return 0.0;
}

fn finish(column: u32, total: Summand) {
  dWeight[column] = total;
}
