// The gradients of a norm that are wanted, in one dispatch: that of x, one workgroup per row; those of the weights, one workgroup
// per 32 columns. The kernel that begins with sum_over_group.wgsl and this says what a row's gradient is (`compute_row`), what is
// summed at a row and column (`summand`), what sums begin with (`before`) and where they go (`finish`).

// Eight threads share a column: thread t of them sums rows t, t + 8, ...; the 8 sums are added in order.
fn compute_columns(thread: u32, columns: u32) {
  let column = columns * 32u + thread % 32u;
  let slice = thread / 32u;
  var sum = Summand();
  if (column < params.width) {
    for (var row = slice; row < params.rows; row += 8u) {
      sum += summand(row, column);
    }
  }
  shared_sums[thread] = sum;
  workgroupBarrier();
  if (slice == 0u && column < params.width) {
    var total = before(column);
    for (var other = 0u; other < 8u; other++) {
      total += shared_sums[other * 32u + thread];
    }
    finish(column, total);
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

