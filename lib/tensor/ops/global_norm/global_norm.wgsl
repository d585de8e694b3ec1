// partials[offset + b] = sum of x^2 over block b of 65,536 elements. One workgroup a block.
struct Params {
  size: u32,
  offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

alias Summand = f32; // for sum_over_group.wgsl

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = group.x + group.y * groups.x;
  let first = block * 65536u;
  if (first >= params.size) {
    return;
  }
  let end = min(first + 65536u, params.size);
  var sum = 0.0;
  for (var i = first + thread; i < end; i += 256u) {
    sum += x[i] * x[i];
  }
  let total = sum_over_group(thread, sum);
  if (thread == 0u) {
    partials[params.offset + block] = total;
  }
}
