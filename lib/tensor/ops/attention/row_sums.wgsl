// statistics[head, i].y = sum of dy * y over a row of a head. One thread a row and head.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.y;
  if (id.x >= params.rowCount) {
    return;
  }
  let at = (id.x * params.heads + head) * HEAD_DIM;
  var sum = 0.0;
  for (var d = 0u; d < WIDTH4; d++) {
    sum += dot(read_y(at, d), read_dy(at, d));
  }
  statistics[head * params.tokens + params.rowFirst + id.x].y = sum;
}
