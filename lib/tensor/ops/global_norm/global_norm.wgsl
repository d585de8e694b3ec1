// partials[offset + b] = sum of x^2 over block b of 65,536 elements, for one x or several. One workgroup a block, z is
// the x; lines with $s are repeated for each. sum_over_group.wgsl and the bindings come before.
struct Params {
  size$s: u32,
  offset$s: u32,
}

alias Summand = f32; // for sum_over_group.wgsl

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = group.x + group.y * groups.x;
  let first = block * 65536u;
  var size = 0u;
  var offset = 0u;
  if (group.z == $su) { size = params.size$s; offset = params.offset$s; }
  if (first >= size) {
    return;
  }
  let end = min(first + 65536u, size);
  var sum = 0.0;
  if (group.z == $su) { for (var i = first + thread; i < end; i += 256u) { sum += x$s[i] * x$s[i]; } }
  let total = sum_over_group(thread, sum);
  if (thread == 0u) {
    partials[offset + block] = total;
  }
}
