/**
 * Whether WebAssembly's relaxed multiply-add rounds once on this processor, or twice: the engine takes what is fast, and
 * that decides the last bits of what our kernels compute.
 *
 * @module
 */

/**
 * ```wat
 * (func (export "f") (param f32 f32 f32) (result f32)
 *   (f32x4.extract_lane 0 (f32x4.relaxed_madd
 *     (f32x4.splat (local.get 0)) (f32x4.splat (local.get 1)) (f32x4.splat (local.get 2)))))
 * ```
 */
// deno-fmt-ignore
const MODULE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x08, 0x01, 0x60, 0x03, 0x7d, 0x7d, 0x7d, 0x01, 0x7d,
  0x03, 0x02, 0x01, 0x00,
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00,
  0x0a, 0x16, 0x01, 0x14, 0x00,
  0x20, 0x00, 0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13, 0x20, 0x02, 0xfd, 0x13,
  0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b,
]);

let known: boolean | undefined;

/** Whether a · b + c is rounded once. */
export function isFused(): boolean {
  if (known !== undefined) return known;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  const multiplyAdd = exports.f as (a: number, b: number, c: number) => number;
  // The square is 1 + 2⁻¹¹ + 2⁻²⁴, of which a float has no room for the last.
  const root = 1 + 2 ** -12;
  return known = multiplyAdd(root, root, -(1 + 2 ** -11)) !== 0;
}
