// y[t] = some columns of packed row firstRow + t, or ids[t], where that row is among the partRows from partFirst that the
// binding shows from byte `skip` on. One thread an element. Layouts are those of packed.ts.
struct Params {
  kind: u32,
  rows: u32,
  firstRow: u32,
  tableRows: u32,
  width: u32,
  firstColumn: u32,
  columns: u32,
  hasIds: u32,
  scalesAt: u32,
  skip: u32,
  partFirst: u32,
  partRows: u32,
  firstOut: u32,
  rowBytes: u32,
}

@group(0) @binding(0) var<storage, read> packed: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn byteAt(at: u32) -> u32 {
  return (packed[at >> 2u] >> ((at & 3u) * 8u)) & 255u;
}

fn signedAt(at: u32) -> f32 {
  return f32(i32(byteAt(at) << 24u) >> 24u);
}

fn pairAt(at: u32) -> u32 {
  return byteAt(at) | (byteAt(at + 1u) << 8u);
}

// Not unpack2x16float, which may make 0 of small numbers.
fn halfAt(at: u32) -> f32 {
  let bits = pairAt(at);
  let magnitude = bits & 0x3ffu;
  let exponent = (bits >> 10u) & 31u;
  var value = f32(magnitude) * 5.9604644775390625e-8; // 2^-24
  if (exponent > 0u) {
    value = bitcast<f32>(((exponent + 112u) << 23u) | (magnitude << 13u));
  }
  return select(value, -value, (bits & 0x8000u) != 0u);
}

// Four bits of 32 elements in 16 bytes: the low halves first, then the high ones.
fn nibbleAt(at: u32, i: u32) -> u32 {
  return (byteAt(at + (i & 15u)) >> ((i >> 4u) * 4u)) & 15u;
}

fn bitAt(at: u32, i: u32) -> u32 {
  return (byteAt(at + (i >> 3u)) >> (i & 7u)) & 1u;
}

fn simpleValue(at: u32, i: u32) -> f32 {
  switch params.kind {
    case 0u: { return halfAt(at); }
    case 1u: { return bitcast<f32>(pairAt(at) << 16u); }
    case 2u: { return halfAt(at) * (f32(nibbleAt(at + 2u, i)) - 8.0); }
    case 3u: { return halfAt(at) * f32(nibbleAt(at + 4u, i)) + halfAt(at + 2u); }
    case 4u: {
      let q = nibbleAt(at + 6u, i) | (bitAt(at + 2u, i) << 4u);
      return halfAt(at) * (f32(q) - 16.0);
    }
    case 5u: {
      let q = nibbleAt(at + 8u, i) | (bitAt(at + 4u, i) << 4u);
      return halfAt(at) * f32(q) + halfAt(at + 2u);
    }
    default: { return halfAt(at) * signedAt(at + 2u + i); }
  }
}

// Q4_K and Q5_K: six-bit scales and minima of 8 sub-blocks stand in 12 bytes.
fn fourOrFiveK(at: u32, i: u32) -> f32 {
  let sub = i >> 5u;
  let j = i & 31u;
  let table = at + 4u;
  var scale: u32;
  var minimum: u32;
  if (sub < 4u) {
    scale = byteAt(table + sub) & 63u;
    minimum = byteAt(table + sub + 4u) & 63u;
  } else {
    let both = byteAt(table + sub + 4u);
    scale = (both & 15u) | ((byteAt(table + sub - 4u) >> 6u) << 4u);
    minimum = (both >> 4u) | ((byteAt(table + sub) >> 6u) << 4u);
  }
  let five = params.kind == 8u;
  let codes = at + select(16u, 48u, five) + (sub >> 1u) * 32u + j;
  var q = (byteAt(codes) >> ((sub & 1u) * 4u)) & 15u;
  if (five) {
    q |= ((byteAt(at + 16u + j) >> sub) & 1u) << 4u;
  }
  return halfAt(at) * f32(scale) * f32(q) - halfAt(at + 2u) * f32(minimum);
}

fn sixK(at: u32, i: u32) -> f32 {
  let row = i >> 5u;
  let j = i & 31u;
  let low = byteAt(at + (row >> 2u) * 64u + (row & 1u) * 32u + j) >> ((row & 2u) * 2u);
  let high = byteAt(at + 128u + (row >> 2u) * 32u + j) >> ((row & 3u) * 2u);
  let q = (low & 15u) | ((high & 3u) << 4u);
  return halfAt(at + 208u) * signedAt(at + 192u + (i >> 4u)) * (f32(q) - 32.0);
}

fn normalFloat(code: u32) -> f32 {
  switch code {
    case 0u: { return -1.0; }
    case 1u: { return -0.6961928009986877; }
    case 2u: { return -0.5250730514526367; }
    case 3u: { return -0.39491748809814453; }
    case 4u: { return -0.28444138169288635; }
    case 5u: { return -0.18477343022823334; }
    case 6u: { return -0.09105003625154495; }
    case 7u: { return 0.0; }
    case 8u: { return 0.07958029955625534; }
    case 9u: { return 0.16093020141124725; }
    case 10u: { return 0.24611230194568634; }
    case 11u: { return 0.33791524171829224; }
    case 12u: { return 0.44070982933044434; }
    case 13u: { return 0.5626170039176941; }
    case 14u: { return 0.7229568362236023; }
    default: { return 1.0; }
  }
}

fn nf4(at: u32, i: u32, block: u32) -> f32 {
  let code = (byteAt(at + (i >> 1u)) >> ((1u - (i & 1u)) * 4u)) & 15u; // the high half first
  var magnitude: f32;
  if (params.kind == 10u) {
    magnitude = bitcast<f32>(pairAt(at + 32u) | (pairAt(at + 34u) << 16u));
  } else {
    magnitude = scales[1u + byteAt(at + 32u)] * scales[257u + block / 256u] + scales[0];
  }
  return normalFloat(code) * magnitude;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let out = id.x + id.y * groups.x * 256u;
  if (out >= params.rows * params.columns) {
    return;
  }
  let t = params.firstOut + out / params.columns;
  let column = params.firstColumn + out % params.columns;
  var row = params.firstRow + t;
  if (params.hasIds == 1u) {
    row = ids[t];
  }
  let local = row - params.partFirst;
  if (local >= params.partRows) { // unsigned: rows before the first are large numbers
    return;
  }
  let start = params.skip + local * params.rowBytes;
  if (params.kind < 2u) {
    y[out] = simpleValue(start + column * 2u, 0u);
  } else if (params.kind < 7u) {
    let blockBytes = params.rowBytes / (params.width / 32u);
    y[out] = simpleValue(start + (column / 32u) * blockBytes, column & 31u);
  } else if (params.kind < 10u) {
    let at = start + (column / 256u) * (params.rowBytes / (params.width / 256u));
    if (params.kind == 9u) {
      y[out] = sixK(at, column & 255u);
    } else {
      y[out] = fourOrFiveK(at, column & 255u);
    }
  } else {
    let at = start + (column / 64u) * (params.rowBytes / (params.width / 64u));
    y[out] = nf4(at, column & 63u, row * (params.width / 64u) + column / 64u);
  }
}
