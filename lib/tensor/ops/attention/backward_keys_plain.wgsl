// What backward_keys_tiled.wgsl computes, with one thread for each token and key head; see forward_plain.wgsl.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.keyCount) {
    return;
  }
  let kv_head = id.y;
  let heads_each = params.heads / params.kvHeads;
  let j = params.keyFirst + id.x;
  let own = tree[j];
  let at_key = k_at(id.x, kv_head);
  let at_value = v_at(id.x, kv_head);
  let key$d = read_k(at_key, $du) * params.scale;
  let value$d = read_v(at_value, $du);
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
      let at_row = y_at(i - params.rowFirst, head);
      let at_query = q_at(i - params.rowFirst, head);
      let query$d = read_q(at_query, $du);
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
  write_dk(at_key, $du, key_sum$d);
  if (params.accumulateV == 1u) {
    value_sum$d += read_dv(at_value, $du);
  }
  write_dv(at_value, $du, value_sum$d);
}
