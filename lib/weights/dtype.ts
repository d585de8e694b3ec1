/**
 * The element types that weight files hold, and their conversion to and from float32.
 *
 * Weight files are little-endian, as every platform that Deno runs on is, so typed arrays over the
 * file's bytes give the values without swapping.
 *
 * @module
 */

/**
 * Element types of the safetensors format, with the size of an element in bits.
 *
 * @internal
 */
export const DTYPE_BITS = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
} as const;

/** The name of an element type, as written in a safetensors header. */
export type StoredDtype = keyof typeof DTYPE_BITS;

/** Element types that are read as float32. */
export type ReadableDtype = "F32" | "F16" | "BF16" | "F64" | "F8_E4M3" | "F8_E5M2";

/** Element types that float32 values are written as. */
export type WritableDtype = "F32" | "F16" | "BF16";

/**
 * Whether a string names an element type of the safetensors format.
 *
 * @param name Any string
 * @returns Whether it is a key of {@linkcode DTYPE_BITS}
 */
export function isDtype(name: unknown): name is StoredDtype {
  return typeof name === "string" && Object.hasOwn(DTYPE_BITS, name);
}

/**
 * Whether tensors of an element type can be read as float32.
 *
 * @param dtype The element type
 * @returns True for F32, F16, BF16, F64, F8_E4M3 and F8_E5M2
 */
export function isReadable(dtype: StoredDtype): dtype is ReadableDtype {
  return READABLE.includes(dtype);
}

const READABLE: readonly StoredDtype[] = ["F32", "F16", "BF16", "F64", "F8_E4M3", "F8_E5M2"];

/** Largest float32 that rounds to a finite float16: anything from 65520 on becomes infinite. */
const F16_OVERFLOW = 65520;
/** Bits of the smallest float32 that rounds to an infinite bfloat16 (0x7f7f8000). */
const BF16_OVERFLOW_BITS = 0x7f7f8000;

// All 65,536 float16 values as float32: a table look-up is faster than Float16Array's own
// conversion, and much faster before the loop is compiled.
let f16Table: Float32Array | undefined;

/**
 * Every float16 as float32, by its bits.
 *
 * @returns The table of 65,536 values; it is shared and must not be changed
 */
export function float16Table(): Float32Array {
  if (f16Table === undefined) {
    const bits = new Uint16Array(65536);
    for (let i = 0; i < 65536; i++) bits[i] = i;
    f16Table = Float32Array.from(new Float16Array(bits.buffer));
  }
  return f16Table;
}

const f8Tables = new Map<ReadableDtype, Float32Array>();

/** Every float of 8 bits as float32, by its bits (Micikevicius et al., "FP8 Formats for Deep Learning", 2022). */
function float8Table(dtype: "F8_E4M3" | "F8_E5M2"): Float32Array {
  const known = f8Tables.get(dtype);
  if (known !== undefined) return known;
  const table = Float32Array.from({ length: 256 }, (_, bits) => {
    // F8_E5M2 is the upper half of a float16.
    if (dtype === "F8_E5M2") return float16Table()[bits << 8];
    const [sign, exponent, mantissa] = [bits >> 7, (bits >> 3) & 15, bits & 7];
    if (exponent === 15 && mantissa === 7) return NaN; // and there are no infinities
    const magnitude = exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10);
    return sign === 1 ? -magnitude : magnitude;
  });
  f8Tables.set(dtype, table);
  return table;
}

/**
 * Widens elements to float32.
 *
 * F16, BF16 and the types of 8 bits widen without loss. F64 rounds to nearest.
 *
 * @param bytes The elements as stored; its offset in its buffer must be a multiple of 8
 * @param dtype Their type
 * @param into Receives the float32 values, one per element
 */
export function widen(bytes: Uint8Array, dtype: ReadableDtype, into: Float32Array): void {
  const { buffer, byteOffset } = bytes;
  const count = into.length;
  if (dtype === "F32") {
    into.set(new Float32Array(buffer, byteOffset, count));
  } else if (dtype === "F16") {
    const table = float16Table();
    const stored = new Uint16Array(buffer, byteOffset, count);
    for (let i = 0; i < count; i++) into[i] = table[stored[i]];
  } else if (dtype === "BF16") {
    // A bfloat16 is the upper half of a float32.
    const stored = new Uint16Array(buffer, byteOffset, count);
    const bits = new Uint32Array(into.buffer, into.byteOffset, count);
    for (let i = 0; i < count; i++) bits[i] = stored[i] << 16;
  } else if (dtype === "F64") {
    into.set(new Float64Array(buffer, byteOffset, count));
  } else {
    const table = float8Table(dtype);
    for (let i = 0; i < count; i++) into[i] = table[bytes[i]];
  }
}

/**
 * Narrows float32 values to a stored type, rounding to nearest, ties to even.
 *
 * NaN and infinities are kept.
 *
 * @param values The values
 * @param dtype The type to store
 * @param bytes Receives the elements; its offset in its buffer must be a multiple of 4
 * @returns The index of a finite value that is too large for the type, or -1 if all fit
 */
export function narrow(values: Float32Array, dtype: WritableDtype, bytes: Uint8Array): number {
  const { buffer, byteOffset } = bytes;
  const count = values.length;
  let tooLarge = -1;
  if (dtype === "F32") {
    new Float32Array(buffer, byteOffset, count).set(values);
  } else if (dtype === "F16") {
    const stored = new Float16Array(buffer, byteOffset, count);
    for (let i = 0; i < count; i++) {
      const value = values[i];
      stored[i] = value;
      if ((value >= F16_OVERFLOW || value <= -F16_OVERFLOW) && Number.isFinite(value)) tooLarge = i;
    }
  } else {
    const stored = new Uint16Array(buffer, byteOffset, count);
    const bits = new Uint32Array(values.buffer, values.byteOffset, count);
    for (let i = 0; i < count; i++) {
      const word = bits[i];
      const magnitude = word & 0x7fffffff;
      if (magnitude > 0x7f800000) {
        stored[i] = (word >>> 16) | 0x40; // NaN: keep it quiet, so that its mantissa is not lost
        continue;
      }
      if (magnitude >= BF16_OVERFLOW_BITS && magnitude < 0x7f800000) tooLarge = i;
      // Adding half of the dropped part (minus one if the kept part is even) rounds ties to even.
      stored[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  }
  return tooLarge;
}

/** The values of {@linkcode WritableDtype}. */
const WRITABLE: readonly WritableDtype[] = ["F32", "F16", "BF16"];

/**
 * Refuses other types of weights before any is computed.
 *
 * @param action What is being done, such as `"save weights"`.
 * @param type The type that was asked for.
 * @param known The types that can be written.
 * @throws {TypeError} If it is another; the message names the one that was meant.
 */
export function assertWritable(
  action: string,
  type: string | undefined,
  known: readonly string[] = WRITABLE,
): void {
  if (type === undefined || known.includes(type)) return;
  const meant = known.find((one) => one === String(type).toUpperCase());
  throw new TypeError(
    `Cannot ${action} as ${JSON.stringify(type)}: ` +
      (meant === undefined
        ? `expected one of "${known.join('", "')}"`
        : `did you mean "${meant}"?`),
  );
}
