import { assertEquals } from "@std/assert";
import { narrow, widen } from "../../lib/weights/dtype.ts";

const bytesOf = (array: Uint16Array) => new Uint8Array(array.buffer);

Deno.test("widen() gives every float16 its exact value, as Float16Array does", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = new Float32Array(65536);
  widen(bytesOf(bits), "F16", values);
  const expected = new Float16Array(bits.buffer);
  for (let i = 0; i < 65536; i++) {
    if (!Object.is(values[i], expected[i])) assertEquals(values[i], expected[i], `bits ${i}`);
  }
});

Deno.test("narrow() undoes widen() for every bfloat16 and float16 that is not NaN", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  for (const dtype of ["F16", "BF16"] as const) {
    const values = new Float32Array(65536);
    widen(bytesOf(bits), dtype, values);
    const back = new Uint16Array(65536);
    assertEquals(narrow(values, dtype, bytesOf(back)), -1);
    for (let i = 0; i < 65536; i++) {
      if (Number.isNaN(values[i])) continue;
      if (back[i] !== i) assertEquals(back[i], i, `${dtype} bits ${i}`);
    }
  }
});

Deno.test("narrow() rounds bfloat16 to nearest, ties to even, and keeps NaN", () => {
  const bits = Uint32Array.of(
    0x3f808000, // 1 + half a step: tie, to the even 1
    0x3f818000, // 1 step + half: tie, up to the even 2 steps
    0x3f808001, // just above the tie
    0xbf808001,
    0x7f800001, // a NaN whose mantissa lies in the dropped half
    0x7f800000,
    0x00000001, // the smallest subnormal
    0x80000000,
  );
  const out = new Uint16Array(bits.length);
  assertEquals(narrow(new Float32Array(bits.buffer), "BF16", bytesOf(out)), -1);
  assertEquals([...out], [0x3f80, 0x3f82, 0x3f81, 0xbf81, 0x7fc0, 0x7f80, 0, 0x8000]);
});

Deno.test("narrow() reports a finite value that would become infinite", () => {
  const bytes = new Uint8Array(4 * 2);
  assertEquals(narrow(Float32Array.of(1, 65519, -65519.99), "F16", bytes), -1);
  assertEquals(narrow(Float32Array.of(1, 65520), "F16", bytes), 1);
  assertEquals(narrow(Float32Array.of(-65520, 1), "F16", bytes), 0);
  assertEquals(narrow(Float32Array.of(Infinity, -Infinity, NaN), "F16", bytes), -1);
  assertEquals(narrow(Float32Array.of(0, 3.4028e38), "BF16", bytes), 1);
  assertEquals(narrow(Float32Array.of(Infinity, -Infinity, NaN), "BF16", bytes), -1);
});

Deno.test("widen() rounds float64 to nearest", () => {
  const values = new Float32Array(3);
  widen(new Uint8Array(Float64Array.of(0.1, -1e-300, 1e300).buffer), "F64", values);
  assertEquals([...values], [Math.fround(0.1), -0, Infinity]);
});
