// dx[:, offset : offset + columns] += dy. One thread an element of dy.
struct Params {
  rows: u32,
  width: u32,
  offset: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.rows * params.columns) {
    return;
  }
  let row = i / params.columns;
  let at = row * params.width + params.offset + i % params.columns;
  dx[at] += dy[i];
}
