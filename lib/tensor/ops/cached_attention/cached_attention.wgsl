// One query of one head against the cache rows that it lists. A workgroup of 64 threads takes 64 rows at a time: first a
// thread has a row and computes its score, then LANES threads share a row's values, and SLICES rows are summed side by side.
//
// The bindings of keys and values may show a part of the cache, from `keyFirst`; then y and `running` (maximum and sum of
// each query and head) hold the unfinished sums in between. A line with $v stands for one for each of a lane's VECTORS.
struct Params {
  queries: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  maxLength: u32,
  scale: f32,
  qWidth: u32,
  qFirst: u32,
  keyFirst: u32,
  keyCount: u32,
  continued: u32,
  unfinished: u32,
}

@group(0) @binding(0) var<storage, read> q: array<Element>;
@group(0) @binding(1) var<storage, read> keys: array<Element>;
@group(0) @binding(2) var<storage, read> values: array<Element>;
@group(0) @binding(3) var<storage, read> rows: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<Element>;
@group(0) @binding(5) var<uniform> params: Params;

const LEAST = -3.0e38;

var<workgroup> query: array<vec4f, WIDTH4>;
var<workgroup> scores: array<f32, 64>;
var<workgroup> listed: array<u32, 64>;
var<workgroup> reduced: array<f32, 64>;
var<workgroup> sums: array<vec4f, 64u * VECTORS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let head = group.y;
  let kv_head = head / (params.heads / params.kvHeads);
  let at_query = (group.x * params.heads + head) * HEAD_DIM;
  let list = group.x * (1u + params.maxLength);
  let length = rows[list];
  let lane = thread % LANES;
  let slice = thread / LANES;

  for (var d = thread; d < WIDTH4; d += 64u) {
    query[d] = read_q(group.x * params.qWidth + params.qFirst + head * HEAD_DIM, d) * params.scale;
  }
  var most = LEAST;
  var total = 0.0;
  var sum$v = vec4f();
  if (params.continued == 1u) {
    let before = read_running(group.x * params.heads + head);
    most = before.x;
    total = before.y;
    if (slice == 0u) {
      sum$v = read_y(at_query, lane + $vu * LANES);
    }
  }
  workgroupBarrier();

  for (var first = 0u; first < length; first += 64u) {
    var score = LEAST;
    if (first + thread < length) {
      let row = rows[list + 1u + first + thread] - params.keyFirst;
      listed[thread] = row;
      if (row < params.keyCount) { // unsigned: rows before the first are large numbers
        let at_key = (row * params.kvHeads + kv_head) * HEAD_DIM;
        score = 0.0;
        for (var d = 0u; d < WIDTH4; d++) {
          score += dot(query[d], read_keys(at_key, d));
        }
      }
    }
    scores[thread] = score;
    reduced[thread] = score;
    for (var half = 32u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (thread < half) {
        reduced[thread] = max(reduced[thread], reduced[thread + half]);
      }
    }
    workgroupBarrier();
    let tile_most = max(most, reduced[0]);
    let rescale = exp(most - tile_most);
    most = tile_most;
    total *= rescale;
    sum$v *= rescale;
    // Every thread adds up the same weights in the same order.
    for (var i = 0u; i < min(64u, length - first); i++) {
      if (scores[i] > LEAST) {
        let weight = exp(scores[i] - most);
        total += weight;
        if (i % SLICES == slice) {
          let at_value = (listed[i] * params.kvHeads + kv_head) * HEAD_DIM;
          sum$v += weight * read_values(at_value, lane + $vu * LANES);
        }
      }
    }
    workgroupBarrier();
  }

  let divisor = select(total, 1.0, params.unfinished == 1u);
  sums[$vu * 64u + thread] = sum$v;
  workgroupBarrier();
  storageBarrier(); // every thread has read the running sums
  if (slice == 0u) {
    for (var vector = 0u; vector < VECTORS; vector++) {
      var all = vec4f();
      for (var other = 0u; other < SLICES; other++) {
        all += sums[vector * 64u + other * LANES + lane];
      }
      write_y(at_query, lane + vector * LANES, all / divisor);
    }
  }
  if (thread == 0u) {
    write_running(group.x * params.heads + head, vec2f(most, total));
  }
}
