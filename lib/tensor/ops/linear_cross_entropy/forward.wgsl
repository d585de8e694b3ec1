// Takes a chunk of logits into each row's running maximum and sum of exponentials, and picks the logits of targets. One
// workgroup a row; the binding of logits begins at `firstRow`.
struct Params {
  rows: u32,
  tokens: u32,
  firstToken: u32,
  firstRow: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(4) var<storage, read_write> targetLogits: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const LEAST = -3.4e38;

var<workgroup> running: array<vec2f, 256>;

// Joins two pairs of a maximum and a sum of exponentials relative to it.
fn join(a: vec2f, b: vec2f) -> vec2f {
  let most = max(a.x, b.x);
  return vec2f(most, a.y * exp(a.x - most) + b.y * exp(b.x - most));
}

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
  var mine = vec2f(LEAST, 0.0);
  for (var i = thread; i < params.tokens; i += 256u) {
    let logit = logits[base + i];
    if (logit > mine.x) {
      mine = vec2f(logit, mine.y * exp(mine.x - logit) + 1.0);
    } else {
      mine.y += exp(logit - mine.x);
    }
  }
  running[thread] = mine;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      running[thread] = join(running[thread], running[thread + half]);
    }
  }
  if (thread == 0u) {
    var total = running[0];
    if (params.firstToken > 0u) {
      total = join(vec2f(statistics[2u * row], statistics[2u * row + 1u]), total);
    }
    statistics[2u * row] = total.x;
    statistics[2u * row + 1u] = total.y;
  }
  for (var edge = starts[row] + thread; edge < starts[row + 1u]; edge += 256u) {
    let token = targets[edge] - params.firstToken;
    if (token < params.tokens) { // unsigned: tokens before the chunk are large numbers
      targetLogits[edge] = logits[base + token];
    }
  }
}
