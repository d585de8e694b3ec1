import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { StopStrings } from "../../lib/text/stop_strings.ts";

Deno.test("a text ends at the first stop string, wherever it is cut into pieces", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  fc.assert(fc.property(fc.array(letters), fc.array(letters, { maxLength: 3 }), (pieces, stops) => {
    const stop = new StopStrings(stops);
    const passed = pieces.map((piece) => stop.push(piece)).join("") + stop.end();
    const text = pieces.join("");
    const found = stops.filter((string) => string !== "").map((string) => text.indexOf(string))
      .filter((at) => at >= 0);
    // A stop string may be known before an earlier, longer one that began before it is complete.
    const first = found.length === 0 ? text.length : Math.min(...found);
    assertEquals(stop.stopped, found.length > 0);
    assertEquals(text.startsWith(passed), true);
    assertEquals(passed.length >= first, true);
    if (stops.length < 2) assertEquals(passed.length, first);
  }));
});

Deno.test("text is passed on as soon as it cannot begin a stop string", () => {
  const stop = new StopStrings(["\n\n", "###"]);
  assertEquals(["one", "\n", "two", "\n", "\nthree"].map((piece) => stop.push(piece)), [
    "one",
    "",
    "\ntwo",
    "",
    "",
  ]);
  assertEquals([stop.stopped, stop.end()], [true, ""]);
});
