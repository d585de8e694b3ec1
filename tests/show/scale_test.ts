import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { makeScale, niceTicks, tickLabels } from "../../lib/show/svg/scale.ts";

Deno.test("niceTicks() gives multiples of 1, 2 and 5", () => {
  assertEquals(niceTicks(0, 1, 6), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assertEquals(niceTicks(0.1, 0.7, 7), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
  assertEquals(niceTicks(-3, 3, 4), [-2, 0, 2]);
  assertEquals(niceTicks(0, 1100, 5), [0, 200, 400, 600, 800, 1000]);
});

Deno.test("niceTicks() stays inside any range, in order, and few", () => {
  fc.assert(fc.property(
    fc.double({ min: -1e12, max: 1e12, noNaN: true }),
    fc.double({ min: 1e-6, max: 1e12, noNaN: true }),
    fc.integer({ min: 2, max: 12 }),
    (low, size, count) => {
      fc.pre(low + size > low && size > Math.abs(low) * 1e-6);
      const ticks = niceTicks(low, low + size, count);
      assert(ticks.length <= 2 * count + 2, `${ticks.length} ticks`);
      for (const [i, tick] of ticks.entries()) {
        assert(tick >= low - size * 1e-6 && tick <= low + size * (1 + 1e-6));
        if (i > 0) assert(tick > ticks[i - 1]);
      }
    },
  ));
});

Deno.test("niceTicks() ends on degenerate ranges", () => {
  assertEquals(niceTicks(1, 1, 5), [1]);
  assertEquals(niceTicks(0, Infinity, 5), [0]);
  assertEquals(niceTicks(NaN, NaN, 5), [NaN]);
});

Deno.test("tickLabels() uses no more digits than tell ticks apart", () => {
  assertEquals(tickLabels([0, 0.5, 1]), ["0", "0.5", "1.0"]);
  assertEquals(tickLabels([0, 1, 2]), ["0", "1", "2"]);
  assertEquals(tickLabels([0, 10_000, 20_000]), ["0", "10k", "20k"]);
  assertEquals(tickLabels([0, 2.5e6]), ["0", "2.5M"]);
  assertEquals(tickLabels([0, 1e-5, 2e-5]), ["0", "1e-5", "2e-5"]);
});

Deno.test("makeScale() maps linear, logarithmic and category data to pixels", () => {
  const linear = makeScale({ type: "linear", range: [0, 10], pixels: [100, 200], tickCount: 5 });
  assertEquals([0, 5, 10].map(linear.pixel), [100, 150, 200]);
  assert(Number.isNaN(linear.pixel(null)) && Number.isNaN(linear.pixel("")));
  const log = makeScale({ type: "log", range: [0, 2], pixels: [0, 100], tickCount: 5 });
  assertAlmostEquals(log.pixel(10), 50);
  assert(Number.isNaN(log.pixel(0)) && Number.isNaN(log.pixel(-1)));
  assertEquals(log.ticks.map(({ label }) => label), ["1", "10", "100"]);
  const names = makeScale({
    type: "category",
    range: [-0.5, 1.5],
    pixels: [0, 100],
    tickCount: 5,
    categories: ["a", "b"],
  });
  assertEquals(["a", "b"].map(names.pixel), [25, 75]);
  assert(Number.isNaN(names.pixel("c")));
});

Deno.test("makeScale() counts upwards where an axis is reversed", () => {
  const scale = makeScale({ type: "linear", range: [10, 0], pixels: [100, 200], tickCount: 3 });
  assertEquals([10, 0].map(scale.pixel), [100, 200]);
  assertEquals(scale.ticks.map(({ value }) => value), [0, 5, 10]);
});
