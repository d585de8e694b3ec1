/**
 * How Python writes a float, which templates print and nbgrader's checksum covers.
 *
 * @module
 */

/**
 * Python's `str()` of a float: the shortest text that reads back the same, with an exponent from 1e16 and below 1e-4.
 *
 * @param value The float.
 * @returns Such as `1.0`, `1e+16` or `nan`.
 */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [digits, exponent] = value.toExponential().split("e") as [string, string];
    const sign = exponent.startsWith("-") ? "-" : "+";
    return `${digits}e${sign}${exponent.replace(/^[+-]/, "").padStart(2, "0")}`;
  }
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}
