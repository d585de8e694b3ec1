// dv = sum over queries of p * dy (+ dv), dk = sum of p * (dy . v - row sum) * scale * q (+ dk), with p = exp(score -
// log-sum-exp) recomputed. Laid out like forward_tiled.wgsl, with keys and queries in each other's places: a token's queries are
// its descendants, which are consecutive.
//
// A line with $d stands for one line for each of a thread's SLICE4 vectors.

var<workgroup> tile_q: array<vec4f, TILE * WIDTH4>;
var<workgroup> tile_dy: array<vec4f, TILE * WIDTH4>;
var<workgroup> tile_statistics: array<vec3f, TILE>; // log-sum-exp, row sum, position
var<workgroup> products: array<vec2f, ROWS * TILE * SLICES>;

@compute @workgroup_size(SLICES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let kv_head = group.y;
  let heads_each = params.heads / params.kvHeads;
  let block_first = params.keyFirst + group.x * ROWS;
  let keys_end = params.keyFirst + params.keyCount;
  let j = block_first + local.y;
  let is_key = j < keys_end;
  let key_row = min(j, keys_end - 1u);
  let own = tree[key_row];
  let at_key = k_at(key_row - params.keyFirst, kv_head);
  let at_value = v_at(key_row - params.keyFirst, kv_head);
  let first4 = local.x * SLICE4;

  var last_end = 0u;
  for (var key = block_first; key < min(block_first + ROWS, keys_end); key++) {
    last_end = max(last_end, u32(tree[key].x));
  }
  let rows_end = min(last_end, params.rowFirst + params.rowCount);

  let key$d = read_k(at_key, first4 + $du) * params.scale;
  let value$d = read_v(at_value, first4 + $du);
  var key_sum$d = vec4f();
  var value_sum$d = vec4f();

  for (var head = kv_head * heads_each; head < (kv_head + 1u) * heads_each; head++) {
    for (var i = max(block_first, params.rowFirst); i < rows_end; i += TILE) {
      for (var at = thread; at < TILE * WIDTH4; at += ROWS * SLICES) {
        let row = i + at / WIDTH4;
        var query4 = vec4f();
        var upstream4 = vec4f();
        if (row < rows_end) {
          query4 = read_q(q_at(row - params.rowFirst, head), at % WIDTH4);
          upstream4 = read_dy(y_at(row - params.rowFirst, head), at % WIDTH4);
        }
        tile_q[at] = query4;
        tile_dy[at] = upstream4;
      }
      for (var at = thread; at < TILE; at += ROWS * SLICES) {
        tile_statistics[at] = vec3f();
        if (i + at < rows_end) {
          let of_row = statistics[head * params.tokens + i + at];
          tile_statistics[at] = vec3f(of_row, f32(tree[i + at].y));
        }
      }
      workgroupBarrier();

      for (var row = 0u; row < TILE; row++) {
        var dots = vec2f();
        let at = row * WIDTH4 + first4;
        dots += vec2f(dot(key$d, tile_q[at + $du]), dot(value$d, tile_dy[at + $du]));
        products[(local.y * TILE + row) * SLICES + local.x] = dots;
      }
      workgroupBarrier();

      for (var row = 0u; row < TILE; row++) {
        var dots = vec2f();
        for (var slice = 0u; slice < SLICES; slice++) {
          dots += products[(local.y * TILE + row) * SLICES + slice];
        }
        let of_row = tile_statistics[row];
        let near = (params.window == 0u) | (i32(of_row.z) - own.y < i32(params.window));
        let seen = near & (j <= i + row) & (i + row < min(u32(own.x), rows_end));
        let weight = exp(select(LEAST, dots.x - of_row.x, seen));
        let keep = kept(head, i + row, j);
        let gradient = weight * (keep * dots.y - of_row.y) * params.scale;
        let at = row * WIDTH4 + first4;
        value_sum$d += weight * keep * tile_dy[at + $du];
        key_sum$d += gradient * tile_q[at + $du];
      }
      workgroupBarrier();
    }
  }

  if (!is_key) {
    return;
  }
  if (params.accumulateK == 1u) {
    key_sum$d += read_dk(at_key, first4 + $du);
  }
  write_dk(at_key, first4 + $du, key_sum$d);
  if (params.accumulateV == 1u) {
    value_sum$d += read_dv(at_value, first4 + $du);
  }
  write_dv(at_value, first4 + $du, value_sum$d);
}
