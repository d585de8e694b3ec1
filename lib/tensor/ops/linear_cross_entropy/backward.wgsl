// logits = dLoss * factor * (sum of the row's counts * softmax - sum of counts of its edges to this token). One workgroup a
// row; the binding of logits begins at `firstRow`.
struct Params {
  rows: u32,
  tokens: u32,
  firstToken: u32,
  factor: f32,
  firstRow: u32,
}

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read> counts: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> dLoss: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let local_row = group.x + group.y * groups.x;
  if (local_row >= params.rows) {
    return;
  }
  let row = params.firstRow + local_row;
  let base = local_row * params.tokens;
  let first = starts[row];
  let end = starts[row + 1u];
  var count = 0.0;
  for (var edge = first; edge < end; edge++) {
    count += counts[edge];
  }
  let upstream = dLoss[0] * params.factor;
  let most = statistics[2u * row];
  let share = count / statistics[2u * row + 1u];
  for (var i = thread; i < params.tokens; i += 256u) {
    var gradient = share * exp(logits[base + i] - most);
    for (var edge = first; edge < end; edge++) {
      if (targets[edge] == params.firstToken + i) {
        gradient -= counts[edge];
      }
    }
    logits[base + i] = upstream * gradient;
  }
}
