// What backward_keys_tiled.wgsl computes, with one thread for each token and key head; see forward_plain.wgsl.
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
@group(0) @binding(8) var<storage, read_write> dk: array<Element>;
@group(0) @binding(9) var<storage, read_write> dv: array<Element>;
@group(0) @binding(10) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.keyCount) {
    return;
  }
  let kv_head = id.y;
  let heads_each = params.heads / params.kvHeads;
  let j = params.keyFirst + id.x;
  let own = tree[j];
  let at_key = (id.x * params.kvHeads + kv_head) * HEAD_DIM;
  let key$d = read_k(at_key, $du) * params.scale;
  let value$d = read_v(at_key, $du);
  var key_sum$d = vec4f();
  var value_sum$d = vec4f();

  // A token's queries are its descendants, which are consecutive; heads are taken one after another.
  let first = max(j, params.rowFirst);
  let end = max(min(u32(own.x), params.rowFirst + params.rowCount), first);
  let each = end - first;
  for (var at = 0u; at < each * heads_each; at++) {
    let i = first + at % each;
    let head = kv_head * heads_each + at / each;
    if ((params.window == 0u) | (tree[i].y - own.y < i32(params.window))) {
      let of_row = statistics[head * params.tokens + i];
      let at_row = ((i - params.rowFirst) * params.heads + head) * HEAD_DIM;
      let query$d = read_q(at_row, $du);
      let upstream$d = read_dy(at_row, $du);
      var dots = vec2f();
      dots += vec2f(dot(key$d, query$d), dot(value$d, upstream$d));
      let weight = exp(dots.x - of_row.x);
      let keep = kept(head, i, j);
      let gradient = weight * (keep * dots.y - of_row.y) * params.scale;
      value_sum$d += weight * keep * upstream$d;
      key_sum$d += gradient * query$d;
    }
  }

  if (params.accumulateK == 1u) {
    key_sum$d += read_dk(at_key, $du);
  }
  if (params.accumulateV == 1u) {
    value_sum$d += read_dv(at_key, $du);
  }
  write_dk(at_key, $du, key_sum$d);
  write_dv(at_key, $du, value_sum$d);
}
