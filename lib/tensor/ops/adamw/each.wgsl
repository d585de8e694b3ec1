// One step of AdamW for several parameters, after step.wgsl and the bindings. One thread an element, z is the parameter;
// lines with $s are repeated for each.
struct Params {
  size$s: u32,
  gradientScale: f32,
  decay: f32,
  rate1: f32,
  beta2: f32,
  rate2: f32,
  stepSize: f32,
  rootCorrection2: f32,
  epsilon: f32,
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (id.z == $su && i < params.size$s) { let to = step_adamw(parameter$s[i], gradient$s[i], mean$s[i], variance$s[i]); parameter$s[i] = to.parameter; mean$s[i] = to.mean; variance$s[i] = to.variance; }
}
