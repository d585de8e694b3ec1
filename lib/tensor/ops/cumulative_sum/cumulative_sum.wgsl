// x is (outer, length, inner): y[o, j, i] = the sum of x[o, 0..j, i], or of x[o, j.., i] where reversed (+ y). One
// workgroup for each o and i: 256 elements at a time, whose sums are formed in eight steps (Hillis and Steele).
struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  reversed: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let line = group.x + group.y * groups.x;
  if (line >= params.outer * params.inner) {
    return;
  }
  let start = line / params.inner * params.length * params.inner + line % params.inner;
  var before = 0.0;
  for (var block = 0u; block < params.length; block += 256u) {
    let j = block + thread;
    let at = start + select(j, params.length - 1u - j, params.reversed == 1u) * params.inner;
    var own = 0.0;
    if (j < params.length) {
      own = x[at];
    }
    sums[thread] = own;
    workgroupBarrier();
    for (var reach = 1u; reach < 256u; reach *= 2u) {
      var more = 0.0;
      if (thread >= reach) {
        more = sums[thread - reach];
      }
      workgroupBarrier();
      sums[thread] += more;
      workgroupBarrier();
    }
    if (j < params.length) {
      var value = before + sums[thread];
      if (params.accumulate == 1u) {
        value += y[at];
      }
      y[at] = value;
    }
    before += sums[255];
    workgroupBarrier();
  }
}
