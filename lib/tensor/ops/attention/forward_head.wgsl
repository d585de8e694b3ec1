// What attention's forward kernels begin with. Bindings may show a part: queries from `rowFirst`, keys from `keyFirst`. Where
// keys come in several parts, y and `statistics` hold the unfinished sums in between.
struct Params {
  $shape
  rowFirst: u32,
  rowCount: u32,
  keyFirst: u32,
  keyCount: u32,
  continued: u32,
  unfinished: u32,
}

@group(0) @binding(0) var<storage, read> q: array<Element>;
@group(0) @binding(1) var<storage, read> k: array<Element>;
@group(0) @binding(2) var<storage, read> v: array<Element>;
@group(0) @binding(3) var<storage, read> tree: array<vec2i>; // end, position
@group(0) @binding(4) var<storage, read_write> y: array<Element>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2f>;
@group(0) @binding(6) var<uniform> params: Params;

// In place of minus infinity, which WGSL cannot write.
const LEAST = -3.0e38;

