// y[start + i] = x[i], of rows `width` long that begin every `xWidth` elements of x; `start` is `offset` less what lies before the binding. One thread an element.
struct Params {
  size: u32,
  offset: u32,
  width: u32,
  xWidth: u32,
  xFirst: u32,
  start: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  y[params.start + i] = x[i / params.width * params.xWidth + params.xFirst + i % params.width];
}
