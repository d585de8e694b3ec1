// dWeight = sum of dy * normalized over rows, dBias = sum of dy (+ what is there). A workgroup has 32 columns and 8 threads
// for each: thread t sums rows t, t + 8, ...; the 8 sums are added in order.
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

var<workgroup> sums: array<vec2f, 256>;

@compute @workgroup_size(32, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let column = (group.x + group.y * groups.x) * 32u + local.x;
  var sum = vec2f();
  if (column < params.width) {
    for (var row = local.y; row < params.rows; row += 8u) {
      let at = row * params.width + column;
      let normalized = (x[at] - statistics[2u * row]) * statistics[2u * row + 1u];
      sum += vec2f(dy[at] * normalized, dy[at]);
    }
  }
  sums[local.y * 32u + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0u && column < params.width) {
    var total = vec2f();
    if (params.accumulateWeight == 1u) {
      total.x = dWeight[column];
    }
    if (params.accumulateBias == 1u) {
      total.y = dBias[column];
    }
    for (var slice = 0u; slice < 8u; slice++) {
      total += sums[slice * 32u + local.x];
    }
    dWeight[column] = total.x;
    dBias[column] = total.y;
  }
}
