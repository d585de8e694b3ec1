// Forest attention with one thread for each token and head, and no workgroup memory: what is fastest on software adapters,
// and right on Mesa 22.3's lavapipe, which miscompiles the loops of forward_tiled.wgsl.
//
// A line with $d stands for one line for each vector of four elements of a head. Begins with forward_head.wgsl.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rowCount) {
    return;
  }
  let head = id.y;
  let kv_head = head / (params.heads / params.kvHeads);
  let i = params.rowFirst + id.x;
  let position = tree[i].y;
  let at_row = y_at(id.x, head);
  let at_query = q_at(id.x, head);
  let query$d = read_q(at_query, $du) * params.scale;
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
      let at_key = k_at(j - params.keyFirst, kv_head);
      let at_value = v_at(j - params.keyFirst, kv_head);
      var score = 0.0;
      score += dot(query$d, read_k(at_key, $du));
      let now = max(most, score);
      let rescale = exp(most - now);
      let weight = exp(score - now);
      let keep = kept(head, i, j);
      most = now;
      total = total * rescale + weight;
      sum$d = sum$d * rescale + weight * keep * read_v(at_value, $du);
    }
    // Not an ancestor: nor is any of its descendants.
    j = select(j + 1u, end, end <= i);
  }

  let divisor = select(total, 1.0, params.unfinished == 1u);
  write_y(at_row, $du, sum$d / divisor);
  let finished = vec2f(most + log(total), 0.0);
  statistics[head * params.tokens + i] = select(finished, vec2f(most, total), params.unfinished == 1u);
}
