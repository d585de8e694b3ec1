// x is (outer, length, inner): y[o, i] is the first index of the largest x[o, :, i], or of the first NaN. One workgroup
// for each.
struct Params {
  outer: u32,
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> best: array<u32, 256>;

// Which of two indices is right.
fn better(start: u32, a: u32, b: u32) -> u32 {
  if (a >= params.length || b >= params.length) {
    return min(a, b);
  }
  let x_a = x[start + a * params.inner];
  let x_b = x[start + b * params.inner];
  let a_is_nan = (bitcast<u32>(x_a) & 0x7fffffffu) > 0x7f800000u;
  let b_is_nan = (bitcast<u32>(x_b) & 0x7fffffffu) > 0x7f800000u;
  if (a_is_nan || b_is_nan) {
    return select(select(b, a, a_is_nan), min(a, b), a_is_nan && b_is_nan);
  }
  return select(select(b, a, x_a > x_b), min(a, b), x_a == x_b);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let result = group.x + group.y * groups.x;
  if (result >= params.outer * params.inner) {
    return;
  }
  let start = result / params.inner * params.length * params.inner + result % params.inner;
  var own = thread;
  for (var i = thread + 256u; i < params.length; i += 256u) {
    own = better(start, own, i);
  }
  best[thread] = own;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      best[thread] = better(start, best[thread], best[thread + half]);
    }
  }
  if (thread == 0u) {
    y[result] = i32(best[0]);
  }
}
