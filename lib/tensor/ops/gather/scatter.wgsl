// dx[o, index[o, j, i], i] += dy[o, j, i], in the order of j. One thread for each o and i.
struct Params {
  outer: u32,
  length: u32,
  count: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> index: array<i32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let line = id.x + id.y * groups.x * 256u;
  if (line >= params.outer * params.inner) {
    return;
  }
  let outer = line / params.inner;
  let inner = line % params.inner;
  for (var j = 0u; j < params.count; j++) {
    let at = (outer * params.count + j) * params.inner + inner;
    let to = index[at];
    if (to >= 0 && u32(to) < params.length) {
      dx[(outer * params.length + u32(to)) * params.inner + inner] += dy[at];
    }
  }
}
