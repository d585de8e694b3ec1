// What token i's weight for token j is multiplied by: 0 where it is dropped; the hash is documented in dropout.ts. Comes
// before the kernels of attention, whose params it reads.
fn mix(value: u32) -> u32 {
  var z = value;
  z ^= z >> 16u;
  z *= 0x7feb352du;
  z ^= z >> 15u;
  z *= 0x846ca68bu;
  z ^= z >> 16u;
  return z;
}

fn kept(head: u32, i: u32, j: u32) -> f32 {
  if (params.threshold == 0u) {
    return 1.0;
  }
  let before = params.rowsBefore;
  let at = (head * params.rowsInAll + before + i) * params.rowsInAll + before + j;
  return select(params.factor, 0.0, mix(mix(at + 0x9e3779b9u) ^ params.seed) < params.threshold);
}

