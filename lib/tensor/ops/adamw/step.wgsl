// What a step of AdamW makes of an element; the formula is in adamw.ts.
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
