// What attention's backward kernels begin with; each uses some of the bindings. Parts are as in forward_head.wgsl.
struct Params {
  $shape
  accumulateQ: u32,
  accumulateK: u32,
  accumulateV: u32,
  together: u32,
  rowFirst: u32,
  rowCount: u32,
  keyFirst: u32,
  keyCount: u32,
}

@group(0) @binding(0) var<storage, read> q: array<Element>;
@group(0) @binding(1) var<storage, read> k: array<Element>;
@group(0) @binding(2) var<storage, read> v: array<Element>;
@group(0) @binding(3) var<storage, read> tree: array<vec2i>; // end, position
@group(0) @binding(4) var<storage, read> y: array<Element>;
@group(0) @binding(5) var<storage, read> dy: array<Element>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> dq: array<Element>;
@group(0) @binding(8) var<storage, read_write> dk: array<Element>;
@group(0) @binding(9) var<storage, read_write> dv: array<Element>;
@group(0) @binding(10) var<uniform> params: Params;

// In place of minus infinity, which WGSL cannot write.
const LEAST = -3.0e38;

