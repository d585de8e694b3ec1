// loss = factor * sum of counts[e] * (log-sum-exp of e's row - targetLogits[e]). One workgroup; thread t takes rows t,
// t + 256, ..., and the threads' sums are added in a fixed order.
struct Params {
  rows: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> statistics: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<f32>;
@group(0) @binding(3) var<storage, read> targetLogits: array<f32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

alias Summand = f32; // for sum_over_group.wgsl

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var row = thread; row < params.rows; row += 256u) {
    let log_sum = statistics[2u * row] + log(statistics[2u * row + 1u]);
    for (var edge = starts[row]; edge < starts[row + 1u]; edge++) {
      sum += counts[edge] * (log_sum - targetLogits[edge]);
    }
  }
  let total = sum_over_group(thread, sum);
  if (thread == 0u) {
    loss[0] = params.factor * total;
  }
}
