// Forest attention with one thread for each token and head, and no workgroup memory: what is fastest on software adapters,
// and right on Mesa 22.3's lavapipe, which miscompiles the loops of forward_tiled.wgsl. Parts are as there.
//
// A line with $d stands for one line for each vector of four elements of a head.
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
  rowFirst: u32,
  rowCount: u32,
  keyFirst: u32,
  keyCount: u32,
  continued: u32,
  unfinished: u32,
}

@group(0) @binding(0) var<storage, read> q: array<Element>;
@group(0) @binding(1) var<storage, read> k: array<Element>;
@group(0) @binding(2) var<storage, read> v: array<Element>;
@group(0) @binding(3) var<storage, read> tree: array<vec2i>; // end, position
@group(0) @binding(4) var<storage, read_write> y: array<Element>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2f>;
@group(0) @binding(6) var<uniform> params: Params;

const LEAST = -3.0e38;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rowCount) {
    return;
  }
  let head = id.y;
  let kv_head = head / (params.heads / params.kvHeads);
  let i = params.rowFirst + id.x;
  let position = tree[i].y;
  let at_row = (id.x * params.heads + head) * HEAD_DIM;
  let query$d = read_q(at_row, $du) * params.scale;
  var sum$d = vec4f();
  var most = LEAST;
  var total = 0.0;
  if (params.continued == 1u) {
    let running = statistics[head * params.tokens + i];
    most = running.x;
    total = running.y;
    sum$d = read_y(at_row, $du);
  }

  let keys_end = min(params.keyFirst + params.keyCount, i + 1u);
  var j = params.keyFirst;
  while (j < keys_end) {
    let of_key = tree[j];
    let end = u32(of_key.x);
    let near = (params.window == 0u) | (position - of_key.y < i32(params.window));
    if (near & (end > i)) {
      let at_key = ((j - params.keyFirst) * params.kvHeads + kv_head) * HEAD_DIM;
      var score = 0.0;
      score += dot(query$d, read_k(at_key, $du));
      let now = max(most, score);
      let rescale = exp(most - now);
      let weight = exp(score - now);
      let keep = kept(head, i, j);
      most = now;
      total = total * rescale + weight;
      sum$d = sum$d * rescale + weight * keep * read_v(at_key, $du);
    }
    // Not an ancestor: nor is any of its descendants.
    j = select(j + 1u, end, end <= i);
  }

  let divisor = select(total, 1.0, params.unfinished == 1u);
  write_y(at_row, $du, sum$d / divisor);
  let finished = vec2f(most + log(total), 0.0);
  statistics[head * params.tokens + i] = select(finished, vec2f(most, total), params.unfinished == 1u);
}
