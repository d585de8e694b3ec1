import { assertEquals, assertThrows } from "@std/assert";
import { assertClose, findInEnvironment } from "./support.ts";

Deno.test("assertClose() measures against the largest expected magnitude", () => {
  assertClose([1000, 0.005], [1000, 0], { relative: 1e-5 });
  assertThrows(() => assertClose([1000, 0.02], [1000, 0], { relative: 1e-5 }), Error, "0.02 at 1");
  assertClose([0.5], [0], { absolute: 0.6 });
});

Deno.test("assertClose() never takes what is not a number for near", () => {
  assertThrows(() => assertClose([NaN], [1], { relative: 10 }), Error, "got NaN at 0");
  assertThrows(() => assertClose([1], [NaN]), Error, "expected NaN");
  assertThrows(() => assertClose([Infinity], [1], { relative: 10 }), Error, "got Infinity");
  assertThrows(() => assertClose([1], [1, 2]), Error, "got 1 numbers, expected 2");
  assertClose([-Infinity], [-Infinity], { absolute: 1 });
});

Deno.test("findInEnvironment() says what is missing and how to get it", () => {
  const missing = findInEnvironment("TUNEBOOK_NO_SUCH_VARIABLE", "install it");
  assertEquals(missing, {
    path: "",
    found: false,
    needs: " (needs TUNEBOOK_NO_SUCH_VARIABLE: install it)",
  });
});
