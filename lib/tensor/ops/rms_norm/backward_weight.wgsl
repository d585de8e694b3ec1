// dWeight = sum of dy * normalized over rows (+ what is there). A workgroup has 32 columns and 8 threads for each: thread t
// sums rows t, t + 8, ...; the 8 sums are added in order.
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

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(32, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let column = (group.x + group.y * groups.x) * 32u + local.x;
  var sum = 0.0;
  if (column < params.width) {
    for (var row = local.y; row < params.rows; row += 8u) {
      let at = row * params.width + column;
      sum += dy[at] * x[at] * inverses[row];
    }
  }
  sums[local.y * 32u + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0u && column < params.width) {
    var total = 0.0;
    if (params.accumulate == 1u) {
      total = dWeight[column];
    }
    for (var slice = 0u; slice < 8u; slice++) {
      total += sums[slice * 32u + local.x];
    }
    dWeight[column] = total;
  }
}
