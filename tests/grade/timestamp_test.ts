// nbgrader's timestamp.txt.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatTimestamp, parseTimestamp } from "../../lib/grade/timestamp.ts";

Deno.test("nbgrader's timestamps are read", () => {
  assertEquals(
    parseTimestamp("2015-02-02 14:58:23.948203 America/Los_Angeles\n"),
    new Date("2015-02-02T22:58:23.948Z"),
  );
  assertEquals(parseTimestamp("2015-02-02 14:58:23"), new Date("2015-02-02T14:58:23Z"));
  for (const text of ["", "today", "2015-02-31 00:00:00 UTC", "2015-02-02 14:58:23 Mars/Base"]) {
    assertThrows(() => parseTimestamp(text), SyntaxError, "Cannot read the timestamp");
  }
});

Deno.test("timestamps survive the round trip", () => {
  const time = fc.date({
    min: new Date("1970-01-01"),
    max: new Date("2100-01-01"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(time, (t) => assertEquals(parseTimestamp(formatTimestamp(t)), t)));
});
