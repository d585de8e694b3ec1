// c = the sums of split products in their order (+ bias) (+ c). One thread per element; see tilings.ts for the parameters.
struct Params {
  $params
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
