// y[t] = table[ids[t]], where that row is among the `rowCount` from `firstRow` that the binding shows; y shows the tokens
// from `firstToken`. One thread an element of y.
struct Params {
  tokens: u32,
  width: u32,
  vocabularySize: u32,
  firstRow: u32,
  rowCount: u32,
  firstToken: u32,
}

@group(0) @binding(0) var<storage, read> table: array<f32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.tokens * params.width) {
    return;
  }
  let row = ids[params.firstToken + i / params.width] - params.firstRow;
  if (row < params.rowCount) { // unsigned: rows before the first are large numbers
    y[i] = table[row * params.width + i % params.width];
  }
}
