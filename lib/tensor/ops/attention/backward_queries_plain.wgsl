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
  let at_query = q_at(id.x, head);
  let at_row = y_at(id.x, head);
  let query$d = read_q(at_query, $du) * params.scale;
  let upstream$d = read_dy(at_row, $du);
  var row_sum = 0.0;
  row_sum += dot(upstream$d, read_y(at_row, $du));
  let of_row = vec2f(statistics[head * params.tokens + i].x, row_sum);
  statistics[head * params.tokens + i].y = row_sum; // for the keys
  var sum$d = vec4f();

  let keys_end = min(params.keyFirst + params.keyCount, i + 1u);
  var j = params.keyFirst;
  while (j < keys_end) {
    let of_key = tree[j];
    let end = u32(of_key.x);
    let near = (params.window == 0u) | (position - of_key.y < i32(params.window));
    if (near & (end > i)) {
      let at_key = k_at(j - params.keyFirst, kv_head);
      let at_value = v_at(j - params.keyFirst, kv_head);
      let key$d = read_k(at_key, $du);
      var dots = vec2f();
      dots += vec2f(dot(query$d, key$d), dot(upstream$d, read_v(at_value, $du)));
      let gradient = exp(dots.x - of_row.x) * (kept(head, i, j) * dots.y - of_row.y) * params.scale;
      sum$d += gradient * key$d;
    }
    j = select(j + 1u, end, end <= i);
  }

  if (params.accumulateQ == 1u) {
    sum$d += read_dq(at_query, $du);
  }
  write_dq(at_query, $du, sum$d);
}
