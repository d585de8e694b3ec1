import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { largestTriangles, shrinkGrid, spread } from "../../lib/show/downsample.ts";

Deno.test("largestTriangles() keeps ends, peaks and order", () => {
  const n = 10_000;
  const x = Array.from({ length: n }, (_, i) => i);
  const y = x.map((i) => i === 4321 ? 1000 : Math.sin(i / 500));
  const kept = largestTriangles(x, y, 100);
  assertEquals(kept.length, 100);
  assertEquals([kept[0], kept[99]], [0, n - 1]);
  assert(kept.includes(4321), "the peak was lost");
});

Deno.test("largestTriangles() gives ascending indices for any series", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 300 }),
    fc.integer({ min: 3, max: 50 }),
    (y, count) => {
      const kept = largestTriangles(y.map((_, i) => i), y, count);
      assertEquals(kept.length, Math.min(count, y.length));
      assert(kept.every((at, i) => i === 0 || at > kept[i - 1]));
    },
  ));
});

Deno.test("spread() keeps the first and the last", () => {
  assertEquals(spread(3, 5), [0, 1, 2]);
  assertEquals(spread(11, 3), [0, 5, 10]);
  assertEquals(spread(0, 3), []);
});

Deno.test("shrinkGrid() averages blocks, without what is missing", () => {
  const { z, rowBlock, columnBlock } = shrinkGrid([[1, 3, 5], [null, 4, NaN]], 1, 2);
  assertEquals([rowBlock, columnBlock], [2, 2]);
  assertEquals(z, [[8 / 3, 5]]);
  assertEquals(shrinkGrid([[null]], 1, 1).z, [[null]]);
});
