// Fused multiply-adds in registers; a line with $c stands for one for each chain.
struct Params {
  rounds: u32,
  factor: f32,
  groups: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(params.factor);
  let added = vec4f(1.0 - params.factor);
  var x$c = vec4f(f32(id.x) + $c.0);
  for (var round = 0u; round < params.rounds; round++) {
    x$c = fma(x$c, factor, added);
  }
  var sum = vec4f();
  sum += x$c;
  y[id.x] = sum.x + sum.y + sum.z + sum.w;
}
