// What reaches a terminal: nothing of a stranger's that moves, renames, copies or turns around.

import { assertEquals, assertNotEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { printable } from "../../lib/cli/printable.ts";
import { tunebook } from "./tunebook.ts";

Deno.test("printable() shows what a terminal would obey, and drops colours", () => {
  assertEquals(printable("\x1b[31mred\x1b[0m plain\tand\nlines"), "red plain\tand\nlines");
  assertEquals(printable("\x1b]0;title\x07"), "\\u001b]0;title\\u0007");
  assertEquals(printable("\x1b]52;c;cm0=\x1b\\"), "\\u001b]52;c;cm0=\\u001b\\");
  assertEquals(printable("a\x9b2Jb"), "a\\u009b2Jb");
  assertEquals(printable("99\rdone\r\nnext"), "99\\u000ddone\nnext");
  assertEquals(printable("user\u202etxt.exe"), "user\\u202etxt.exe");
  assertEquals(printable("naïve 日本語 🎉"), "naïve 日本語 🎉");
});

Deno.test("printable() lets no control character through, and keeps what a JSON document says", () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom("\x1b", "[", "]", "\x9b", "\r", "\n", "\u202e", "\u2066", ";", "m", "\\"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
  });
  fc.assert(fc.property(text, (given) => {
    // deno-lint-ignore no-control-regex
    assertNotMatch(printable(given), /[\x00-\x08\x0b-\x1f\x7f-\x9f]|\p{Bidi_Control}/u);
    assertEquals(JSON.parse(printable(JSON.stringify([given]))), [given]);
  }));
});

Deno.test("names in a wrong command line reach the terminal as text", async () => {
  const name = "n\x1b]0;title\x07\u202e.ipynb";
  for (const args of [["doctor", name], ["run", `--${name}`], [name], ["check", name]]) {
    const { code, stderr } = await tunebook(args);
    assertNotEquals(code, 0);
    assertStringIncludes(stderr, "\\u001b]0;title\\u0007\\u202e");
    // deno-lint-ignore no-control-regex
    assertNotMatch(stderr, /[\x00-\x08\x0b-\x1f\x7f-\x9f]|\p{Bidi_Control}/u);
  }
});
