// One step of AdamW for one parameter or several; the formula is in adamw.ts. One thread an element, z is the parameter; lines
// with $s are repeated for each. The bindings come before.
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

// What a step makes of an element.
struct Stepped {
  parameter: f32,
  mean: f32,
  variance: f32,
}

fn step_adamw(parameter: f32, gradient: f32, mean: f32, variance: f32) -> Stepped {
  let g = gradient * params.gradientScale;
  let m = mean + params.rate1 * (g - mean);
  let v = params.beta2 * variance + params.rate2 * g * g;
  let p = parameter - params.decay * parameter;
  let stepped = p - params.stepSize * m / (sqrt(v) / params.rootCorrection2 + params.epsilon);
  return Stepped(stepped, m, v);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (id.z == $su && i < params.size$s) { let to = step_adamw(parameter$s[i], gradient$s[i], mean$s[i], variance$s[i]); parameter$s[i] = to.parameter; mean$s[i] = to.mean; variance$s[i] = to.variance; }
}
