// The sum over a workgroup of 256 threads; the kernel that begins with this says what a Summand is.
var<workgroup> shared_sums: array<Summand, 256>;

// Adds the values of all threads, always in the same order. All must call it.
fn sum_over_group(thread: u32, value: Summand) -> Summand {
  shared_sums[thread] = value;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      shared_sums[thread] += shared_sums[thread + half];
    }
  }
  workgroupBarrier();
  let sum = shared_sums[0];
  workgroupBarrier();
  return sum;
}

