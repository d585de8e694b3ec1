// Elements i and i + headDim / 2 of each head, turned by their row's angle. One thread a pair.
struct Params {
  rows: u32,
  heads: u32,
  headDim: u32,
  direction: f32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> angles: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let half = params.headDim / 2u;
  let pair = id.x + id.y * groups.x * 256u;
  if (pair >= params.rows * params.heads * half) {
    return;
  }
  let head = pair / half;
  let i = pair % half;
  let row = head / params.heads;
  let at = head * params.headDim + i;
  let cosine = angles[row * params.headDim + i];
  let sine = angles[row * params.headDim + half + i] * params.direction;
  var first = x[at] * cosine - x[at + half] * sine;
  var second = x[at + half] * cosine + x[at] * sine;
  if (params.accumulate == 1u) {
    first += y[at];
    second += y[at + half];
  }
  y[at] = first;
  y[at + half] = second;
}
