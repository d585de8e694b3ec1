/** Strings that break out of markup, scripts and XML where these are not written with care. */

import fc from "fast-check";

/** Picked by hand; the property tests add what chance finds. */
export const hostile: readonly string[] = [
  "</script><script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'><svg onload=alert(1)>",
  "<!--",
  "]]>",
  "<b>bold</b> & <i>",
  "&lt;b&gt;",
  "</style></title></textarea>",
  "\u0000\u0001\u001b[31m",
  "\ud800 lone",
  "\udc00",
  "\u202Eevil\u200D\u2028\u2029",
  "`${1}` | a_b *c* [x](javascript:alert(1))",
  "url(javascript:alert(1))",
  "😀 日本語 العربية",
  "",
  "x".repeat(5000),
];

/** Hostile strings, and pieces of them put together by chance. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.array(
    fc.constantFrom("<", ">", "&", '"', "'", "/", "script", "\n", "|", "\\", "\ud800", "%"),
    {
      maxLength: 20,
    },
  ).map((parts) => parts.join("")),
);
