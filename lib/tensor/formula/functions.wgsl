// Functions of formulas. WGSL leaves open what NaN and infinity become; these keep them where the driver does.

// By its bits, since drivers may take comparisons with NaN for what they like.
fn formula_isNaN(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn formula_sigmoid(x: f32) -> f32 {
  // Some GPUs know no infinity: exp stays below it. min may lose NaN.
  return select(1.0 / (1.0 + exp(min(-x, 80.0))), x, formula_isNaN(x));
}

// Near 0 a series (Cephes), since 1 - exp(-2x) would lose digits there.
fn formula_tanh(x: f32) -> f32 {
  let size = abs(x);
  if (size < 0.625) {
    let square = x * x;
    var p = -5.70498872745e-3;
    p = fma(p, square, 2.06390887954e-2);
    p = fma(p, square, -5.37397155531e-2);
    p = fma(p, square, 1.33314422036e-1);
    p = fma(p, square, -3.33332819422e-1);
    return fma(p * square, x, x);
  }
  let less = exp(-2.0 * size);
  return sign(x) * (1.0 - less) / (1.0 + less);
}

// The error function, a quotient of polynomials (Eigen): it is 1 or -1 to float32 beyond 4.
fn formula_erf(x: f32) -> f32 {
  let z = clamp(x, -4.0, 4.0);
  let square = z * z;
  var p = -2.72614225801306e-10;
  p = fma(p, square, 2.77068142495902e-8);
  p = fma(p, square, -2.10102402082508e-6);
  p = fma(p, square, -5.69250639462346e-5);
  p = fma(p, square, -7.34990630326855e-4);
  p = fma(p, square, -2.95459980854025e-3);
  p = fma(p, square, -1.60960333262415e-2);
  var q = -1.45660718464996e-5;
  q = fma(q, square, -2.13374055278905e-4);
  q = fma(q, square, -1.68282697438203e-3);
  q = fma(q, square, -7.37332916720468e-3);
  q = fma(q, square, -1.42647390514189e-2);
  return select(z * p / q, x, formula_isNaN(x));
}

// WGSL's pow knows no negative base. Small whole powers and roots are exact, or nearly.
fn formula_pow(base: f32, exponent: f32) -> f32 {
  if (exponent == 0.0 || base == 1.0) {
    return 1.0;
  }
  if (formula_isNaN(base) || formula_isNaN(exponent)) {
    return base + exponent;
  }
  let largest = 3.4028234e38;
  if (base == -1.0 && abs(exponent) > largest) {
    return 1.0;
  }
  if (exponent == 1.0) {
    return base;
  }
  if (exponent == 2.0) {
    return base * base;
  }
  if (exponent == 3.0) {
    return base * base * base;
  }
  if (exponent == -1.0) {
    return 1.0 / base;
  }
  if (exponent == 0.5 && base >= -largest) {
    return sqrt(base);
  }
  if (exponent == -0.5 && base >= -largest) {
    return 1.0 / sqrt(base);
  }
  let whole = exponent == floor(exponent) || abs(base) > largest;
  let odd = whole && abs(exponent % 2.0) == 1.0;
  if (base == 0.0) {
    return select(1.0 / abs(base), 0.0, exponent > 0.0);
  }
  let size = pow(abs(base), exponent);
  if (base < 0.0) {
    // The bits of NaN, which WGSL cannot write as a constant.
    let undefined_power = bitcast<f32>(0x7fc00000u | u32(odd));
    return select(undefined_power, select(size, -size, odd), whole);
  }
  return size;
}

