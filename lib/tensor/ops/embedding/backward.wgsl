// dTable[rows[u]] += sum of dy[order[i]] for i from starts[u] to starts[u + 1], in that order, of the rows and tokens that
// the bindings show. One thread a column of a row.
struct Params {
  unique: u32,
  width: u32,
  vocabularySize: u32,
  firstRow: u32,
  rowCount: u32,
  firstToken: u32,
  tokenCount: u32,
}

@group(0) @binding(0) var<storage, read> rows: array<u32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dTable: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.unique * params.width) {
    return;
  }
  let u = i / params.width;
  let column = i % params.width;
  let row = rows[u] - params.firstRow;
  if (row >= params.rowCount) { // unsigned: rows before the first are large numbers
    return;
  }
  let at = row * params.width + column;
  var sum = dTable[at];
  for (var next = starts[u]; next < starts[u + 1u]; next++) {
    let token = order[next] - params.firstToken;
    if (token < params.tokenCount) {
      sum += dy[token * params.width + column];
    }
  }
  dTable[at] = sum;
}
