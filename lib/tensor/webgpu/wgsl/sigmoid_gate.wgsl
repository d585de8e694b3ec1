// Activations of the form x * sigmoid(slope * (x + cubic * x^3)): SiLU with slope 1 and cubic 0, GELU's tanh approximation
// with slope 2 * sqrt(2 / pi) and cubic 0.044715, since (1 + tanh(u)) / 2 is the logistic function of 2u, which loses no
// digits where tanh is near -1.

// One over the sigmoid.
fn gate_divisor(x: f32, slope: f32, cubic: f32) -> f32 {
  let inner = slope * x * fma(cubic * x, x, 1.0);
  // Some GPUs know no infinity: exp stays below it.
  return 1.0 + exp(min(-inner, 80.0));
}

// The derivative of the sigmoid's argument; `triple` is three times `cubic`.
fn gate_slope(x: f32, slope: f32, triple: f32) -> f32 {
  return slope * fma(triple * x, x, 1.0);
}

