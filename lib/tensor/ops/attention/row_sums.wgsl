// statistics[head, i].y = sum of dy * y over a row of a head. One thread a row and head.
struct Params {
  tokens: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  window: u32,
  scale: f32,
  seed: u32,
  threshold: u32,
  factor: f32,
  accumulateQ: u32,
  accumulateK: u32,
  accumulateV: u32,
  rowFirst: u32,
  rowCount: u32,
  keyFirst: u32,
  keyCount: u32,
}

@group(0) @binding(4) var<storage, read> y: array<Element>;
@group(0) @binding(5) var<storage, read> dy: array<Element>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2f>;
@group(0) @binding(10) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.y;
  if (id.x >= params.rowCount) {
    return;
  }
  let at = (id.x * params.heads + head) * HEAD_DIM;
  var sum = 0.0;
  for (var d = 0u; d < WIDTH4; d++) {
    sum += dot(read_y(at, d), read_dy(at, d));
  }
  statistics[head * params.tokens + params.rowFirst + id.x].y = sum;
}
