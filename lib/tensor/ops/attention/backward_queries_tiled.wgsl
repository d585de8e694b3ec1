// dq = sum over keys of p * (dy . v - row sum) * scale * k (+ dq), with p = exp(score - log-sum-exp) recomputed. Laid out like
// forward_tiled.wgsl.
//
// A line with $d stands for one line for each of a thread's SLICE4 vectors.

var<workgroup> tile_k: array<vec4f, TILE * WIDTH4>;
var<workgroup> tile_v: array<vec4f, TILE * WIDTH4>;
var<workgroup> tile_tree: array<vec2i, TILE>;
var<workgroup> products: array<vec2f, ROWS * TILE * SLICES>;

@compute @workgroup_size(SLICES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let head = group.y;
  let kv_head = head / (params.heads / params.kvHeads);
  let block_first = params.rowFirst + group.x * ROWS;
  let rows_end = params.rowFirst + params.rowCount;
  let i = block_first + local.y;
  let is_row = i < rows_end;
  let row = min(i, rows_end - 1u);
  let position = tree[row].y;
  let at_query = q_at(row - params.rowFirst, head);
  let at_row = y_at(row - params.rowFirst, head);
  let first4 = local.x * SLICE4;
  let query$d = read_q(at_query, first4 + $du) * params.scale;
  let upstream$d = read_dy(at_row, first4 + $du);
  var sum$d = vec4f();

  let log_sum = statistics[head * params.tokens + row].x;
  var partial = 0.0;
  partial += dot(upstream$d, read_y(at_row, first4 + $du));
  products[local.y * TILE * SLICES + local.x] = vec2f(partial);
  workgroupBarrier();
  var row_sum = 0.0;
  for (var slice = 0u; slice < SLICES; slice++) {
    row_sum += products[local.y * TILE * SLICES + slice].x;
  }
  workgroupBarrier();
  let of_row = vec2f(log_sum, row_sum);
  if (is_row && local.x == 0u) {
    statistics[head * params.tokens + row].y = row_sum; // for the keys
  }

  let keys_end = min(params.keyFirst + params.keyCount, min(block_first + ROWS, rows_end));
  var j = params.keyFirst;
  while (j < keys_end) {
    let end = u32(tree[j].x);
    if (end <= block_first) {
      j = end;
      continue;
    }
    for (var at = thread; at < TILE * WIDTH4; at += ROWS * SLICES) {
      let key = j + at / WIDTH4;
      var key4 = vec4f();
      var value4 = vec4f();
      if (key < keys_end) {
        let row = key - params.keyFirst;
        key4 = read_k(k_at(row, kv_head), at % WIDTH4);
        value4 = read_v(v_at(row, kv_head), at % WIDTH4);
      }
      tile_k[at] = key4;
      tile_v[at] = value4;
    }
    for (var at = thread; at < TILE; at += ROWS * SLICES) {
      tile_tree[at] = vec2i();
      if (j + at < keys_end) {
        tile_tree[at] = tree[j + at];
      }
    }
    workgroupBarrier();

    for (var key = 0u; key < TILE; key++) {
      var dots = vec2f();
      let at = key * WIDTH4 + first4;
      dots += vec2f(dot(query$d, tile_k[at + $du]), dot(upstream$d, tile_v[at + $du]));
      products[(local.y * TILE + key) * SLICES + local.x] = dots;
    }
    workgroupBarrier();

    for (var key = 0u; key < TILE; key++) {
      var dots = vec2f();
      for (var slice = 0u; slice < SLICES; slice++) {
        dots += products[(local.y * TILE + key) * SLICES + slice];
      }
      let of_key = tile_tree[key];
      let near = (params.window == 0u) | (position - of_key.y < i32(params.window));
      let seen = near & (j + key <= i) & (i < u32(of_key.x));
      let weight = exp(select(LEAST, dots.x - of_row.x, seen));
      let keep = kept(head, row, j + key);
      let gradient = weight * (keep * dots.y - of_row.y) * params.scale;
      sum$d += gradient * tile_k[key * WIDTH4 + first4 + $du];
    }
    workgroupBarrier();
    j += TILE;
  }

  if (!is_row) {
    return;
  }
  if (params.accumulateQ == 1u) {
    sum$d += read_dq(at_query, first4 + $du);
  }
  write_dq(at_query, first4 + $du, sum$d);
}
