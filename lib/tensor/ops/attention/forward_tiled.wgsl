// Forest attention. A workgroup has ROWS queries of one head, each shared by SLICES threads that have SLICE4 vectors of four
// elements of it. Keys and values come to shared memory TILE at a time; maximum and sum are kept as they go.
//
// A line with $d stands for one line for each of a thread's SLICE4 vectors. Begins with forward_head.wgsl.

var<workgroup> tile_k: array<vec4f, TILE * WIDTH4>;
var<workgroup> tile_v: array<vec4f, TILE * WIDTH4>;
var<workgroup> tile_tree: array<vec2i, TILE>;
var<workgroup> products: array<f32, ROWS * TILE * SLICES>;

// Score of token i, row `row` of the block, for token j + key; LEAST where it does not see it.
fn score_of(row: u32, key: u32, i: u32, j: u32, position: i32) -> f32 {
  var score = 0.0;
  for (var slice = 0u; slice < SLICES; slice++) {
    score += products[(row * TILE + key) * SLICES + slice];
  }
  let of_key = tile_tree[key];
  let near = (params.window == 0u) | (position - of_key.y < i32(params.window));
  let seen = near & (j + key <= i) & (i < u32(of_key.x));
  return select(LEAST, score, seen);
}

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
  let at_row = y_at(row - params.rowFirst, head);
  let at_query = q_at(row - params.rowFirst, head);
  let first4 = local.x * SLICE4;

  let query$d = read_q(at_query, first4 + $du) * params.scale;
  var sum$d = vec4f();
  var most = LEAST;
  var total = 0.0;
  if (params.continued == 1u) {
    let running = statistics[head * params.tokens + row];
    most = running.x;
    total = running.y;
    sum$d = read_y(at_row, first4 + $du);
  }

  let keys_end = min(params.keyFirst + params.keyCount, min(block_first + ROWS, rows_end));
  var j = params.keyFirst;
  while (j < keys_end) {
    // Nobody in this block descends from a token whose subtree ends before it: leave the subtree out.
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
      var product = 0.0;
      product += dot(query$d, tile_k[key * WIDTH4 + first4 + $du]);
      products[(local.y * TILE + key) * SLICES + local.x] = product;
    }
    workgroupBarrier();

    let before = most;
    for (var key = 0u; key < TILE; key++) {
      most = max(most, score_of(local.y, key, i, j, position));
    }
    let rescale = exp(before - most);
    total *= rescale;
    sum$d *= rescale;
    for (var key = 0u; key < TILE; key++) {
      let score = score_of(local.y, key, i, j, position);
      let weight = select(0.0, exp(score - most), score > LEAST);
      total += weight;
      let keep = kept(head, row, j + key);
      sum$d += weight * keep * tile_v[key * WIDTH4 + first4 + $du];
    }
    workgroupBarrier();
    j += TILE;
  }
  storageBarrier(); // every thread has read the statistics

  if (!is_row) {
    return;
  }
  let divisor = select(total, 1.0, params.unfinished == 1u);
  write_y(at_row, first4 + $du, sum$d / divisor);
  if (local.x == 0u) {
    let finished = vec2f(most + log(total), 0.0);
    statistics[head * params.tokens + i] = select(finished, vec2f(most, total), params.unfinished == 1u);
  }
}
