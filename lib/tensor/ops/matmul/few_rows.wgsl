// c = op(a) * op(b) (+ bias) (+ c) for ROWS rows of a, 1 to 8; see matmul.gpu.ts for the strides. The inner sum is shared
// out over threads: it is bound by how fast b can be read. A line with $r stands for one for each row.
struct Params {
  $params
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> sums: array<f32, 256u * ROWS>;

// Sums every SLICES-th term for one column and leaves them in `sums`.
fn sum_slice(column: u32, slice: u32, slices: u32, thread: u32) {
  var sum$r = 0.0;
  if (column < params.n) {
    let base = params.bStart + column * params.bColumn;
    for (var k = slice; k < params.k; k += slices) {
      let value = b[base + k * params.bStep];
      sum$r = fma(a[params.aStart + $ru * params.aRow + k * params.aStep], value, sum$r);
    }
  }
  sums[$ru * 256u + thread] = sum$r;
}

fn store(row: u32, column: u32, sum: f32) {
  var value = sum;
  if (params.hasBias == 1u) {
    value += bias[params.biasStart + column];
  }
  c[params.cStart + row * params.cRow + column] = value;
}

fn start(row: u32, column: u32) -> f32 {
  if (params.accumulate == 1u) {
    return c[params.cStart + row * params.cRow + column];
  }
  return 0.0;
}

// b's columns lie beside one another: 16 columns, 16 threads each.
@compute @workgroup_size(256)
fn columns(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let column = (group.x + group.y * groups.x) * 16u + thread % 16u;
  sum_slice(column, thread / 16u, 16u, thread);
  workgroupBarrier();
  if (thread < 16u && column < params.n) {
    for (var row = 0u; row < ROWS; row++) {
      var total = start(row, column);
      for (var slice = 0u; slice < 16u; slice++) {
        total += sums[row * 256u + slice * 16u + thread];
      }
      store(row, column, total);
    }
  }
}

// Terms of a column lie beside one another: 8 columns, 32 threads each.
@compute @workgroup_size(256)
fn dots(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let column = (group.x + group.y * groups.x) * 8u + thread / 32u;
  let slice = thread % 32u;
  sum_slice(column, slice, 32u, thread);
  workgroupBarrier();
  for (var half = 16u; half > 0u; half /= 2u) {
    if (slice < half) {
      for (var row = 0u; row < ROWS; row++) {
        sums[row * 256u + thread] += sums[row * 256u + thread + half];
      }
    }
    workgroupBarrier();
  }
  if (slice < ROWS && column < params.n) {
    store(slice, column, start(slice, column) + sums[slice * 256u + (thread / 32u) * 32u]);
  }
}
