// Sums over the rows of each column. A workgroup has 32 columns and 8 threads for each: thread t sums rows t, t + 8, ...; the 8
// sums are added in order. The kernel that begins with this says what a Summand is, what it is at a row and column
// (`summand`), what sums begin with (`before`) and where they go (`finish`).
var<workgroup> sums: array<Summand, 256>;

@compute @workgroup_size(32, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let column = (group.x + group.y * groups.x) * 32u + local.x;
  var sum = Summand();
  if (column < params.width) {
    for (var row = local.y; row < params.rows; row += 8u) {
      sum += summand(row, column);
    }
  }
  sums[local.y * 32u + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0u && column < params.width) {
    var total = before(column);
    for (var slice = 0u; slice < 8u; slice++) {
      total += sums[slice * 32u + local.x];
    }
    finish(column, total);
  }
}

