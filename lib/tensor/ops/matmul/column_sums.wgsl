// y[column] = sum of x[:, column], or y + that where `accumulate` is 1; begins with column_sums.wgsl of all rooms.
struct Params {
  rows: u32,
  width: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

alias Summand = f32;

fn summand(row: u32, column: u32) -> Summand {
  return x[row * params.width + column];
}

fn before(column: u32) -> Summand {
  if (params.accumulate == 1u) {
    return y[column];
  }
  return 0.0;
}

fn finish(column: u32, total: Summand) {
  y[column] = total;
}
