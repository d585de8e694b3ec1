// One step of AdamW, after step.wgsl. One thread an element.
struct Params {
  size: u32,
  gradientScale: f32,
  decay: f32,
  rate1: f32,
  beta2: f32,
  rate2: f32,
  stepSize: f32,
  rootCorrection2: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  let stepped = step_adamw(parameter[i], gradient[i], mean[i], variance[i]);
  parameter[i] = stepped.parameter;
  mean[i] = stepped.mean;
  variance[i] = stepped.variance;
}
