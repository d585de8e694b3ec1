// What backward_queries_tiled.wgsl computes, with one thread for each token and head; see forward_plain.wgsl.
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

@group(0) @binding(0) var<storage, read> q: array<Element>;
@group(0) @binding(1) var<storage, read> k: array<Element>;
@group(0) @binding(2) var<storage, read> v: array<Element>;
@group(0) @binding(3) var<storage, read> tree: array<vec2i>; // end, position
@group(0) @binding(5) var<storage, read> dy: array<Element>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> dq: array<Element>;
@group(0) @binding(10) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rowCount) {
    return;
  }
  let head = id.y;
  let kv_head = head / (params.heads / params.kvHeads);
  let i = params.rowFirst + id.x;
  let position = tree[i].y;
  let of_row = statistics[head * params.tokens + i];
  let at_row = (id.x * params.heads + head) * HEAD_DIM;
  let query$d = read_q(at_row, $du) * params.scale;
  let upstream$d = read_dy(at_row, $du);
  var sum$d = vec4f();

  let keys_end = min(params.keyFirst + params.keyCount, i + 1u);
  var j = params.keyFirst;
  while (j < keys_end) {
    let of_key = tree[j];
    let end = u32(of_key.x);
    let near = (params.window == 0u) | (position - of_key.y < i32(params.window));
    if (near & (end > i)) {
      let at_key = ((j - params.keyFirst) * params.kvHeads + kv_head) * HEAD_DIM;
      let key$d = read_k(at_key, $du);
      var dots = vec2f();
      dots += vec2f(dot(query$d, key$d), dot(upstream$d, read_v(at_key, $du)));
      let gradient = exp(dots.x - of_row.x) * (kept(head, i, j) * dots.y - of_row.y) * params.scale;
      sum$d += gradient * key$d;
    }
    j = select(j + 1u, end, end <= i);
  }

  if (params.accumulateQ == 1u) {
    sum$d += read_dq(at_row, $du);
  }
  write_dq(at_row, $du, sum$d);
}
