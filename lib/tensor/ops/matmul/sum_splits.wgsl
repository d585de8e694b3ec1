// c = the sums of split products in their order (+ bias) (+ c). One thread per element; see tilings.ts for the parameters.
struct Params {
  m: u32,
  n: u32,
  k: u32,
  transposeA: u32,
  transposeB: u32,
  hasBias: u32,
  accumulate: u32,
  bOffset: u32,
  cOffset: u32,
  cStride: u32,
  biasOffset: u32,
  aOffset: u32,
  aStart: u32,
  aRow: u32,
  aStep: u32,
  bStart: u32,
  bStep: u32,
  bColumn: u32,
  cStart: u32,
  cRow: u32,
  biasStart: u32,
  kPerSplit: u32,
}

@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let size = params.m * params.n;
  let i = id.x + id.y * groups.x * 256u;
  if (i >= size) {
    return;
  }
  let column = i % params.n;
  let at = params.cStart + i / params.n * params.cRow + column;
  var sum = 0.0;
  if (params.accumulate == 1u) {
    sum = c[at];
  }
  var partial = i;
  for (var k = 0u; k < params.k; k += params.kPerSplit) {
    sum += partials[partial];
    partial += size;
  }
  if (params.hasBias == 1u) {
    sum += bias[params.biasStart + column];
  }
  c[at] = sum;
}
