// What backward_queries_tiled.wgsl computes, with one thread for each token and head; see forward_plain.wgsl.

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
