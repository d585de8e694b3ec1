import { assert, assertEquals } from "@std/assert";
import { safeInlineStyle, safeStyleSheet } from "../../../lib/runtime/report/style_policy.ts";

Deno.test("safeInlineStyle() keeps colour, type and layout", () => {
  const style =
    "color:#123;background:rgba(1, 2, 3, 0.5);padding:2px 4px;display:inline-block;--tb-x:3";
  assertEquals(safeInlineStyle(style, "o1"), style);
});

Deno.test("safeInlineStyle() keeps references to the output's own ids", () => {
  assertEquals(safeInlineStyle("fill:url('#g')", "o1"), "fill:url(#o1-g)");
});

Deno.test("safeInlineStyle() drops what could load, run or cover the page", () => {
  for (
    const style of [
      "background:url(https://evil.example/x)",
      "background:URL( 'https://evil.example/x' )",
      "background:image-set('https://evil.example/x' 1x)",
      "background:-webkit-image-set('https://evil.example/x' 1x)",
      "background:u\\72l(https://evil.example/x)",
      "background:url(#a) url(https://evil.example/x)",
      "width:expression(alert(1))",
      "-moz-binding:url(x)",
      "behavior:url(x)",
      "position:fixed",
      "position:sticky",
      "animation:x 1s",
      "z-index:99",
      "color:red('",
      "color:var(--x, url(https://evil.example/x))",
      "--x:url(https://evil.example/x)",
      "color:</style><script>",
    ]
  ) {
    assertEquals(safeInlineStyle(style, "o1"), "", style);
  }
});

Deno.test("safeStyleSheet() confines every rule to its output", () => {
  assertEquals(
    safeStyleSheet("a, .b > c{color:red} :root{--tb-x:1} #id{color:blue}", "o1", "o1"),
    "#o1 a,#o1 .b > c{color:red}#o1{--tb-x:1}#o1 #o1-id{color:blue}",
  );
});

Deno.test("safeStyleSheet() makes rules for the dark follow the page's own switch", () => {
  assertEquals(
    safeStyleSheet("@media (prefers-color-scheme: dark){.a{color:red}}", "o1", "o1"),
    "@media screen and (prefers-color-scheme: dark){:root:not([data-theme=light]) #o1 .a{color:red}}" +
      "@media screen{:root[data-theme=dark] #o1 .a{color:red}}",
  );
  assert(
    safeStyleSheet("@media (prefers-color-scheme: light){.a{color:red}}", "o1", "o1")
      .includes("@media print{#o1 .a{color:red}}"),
  );
});

Deno.test("safeStyleSheet() keeps other conditions and drops all other at-rules", () => {
  assertEquals(
    safeStyleSheet("@media (max-width: 40em){.a{gap:1px}}", "o1", "o1"),
    "@media (max-width: 40em){#o1 .a{gap:1px}}",
  );
  for (
    const css of [
      '@import "https://evil.example/a.css";',
      "@font-face{font-family:x;src:url(https://evil.example/f)}",
      "@namespace svg url(x);",
      "@keyframes x{from{color:red}}",
      "@page{margin:0}",
      "@property --x{syntax:'*'}",
    ]
  ) {
    assertEquals(safeStyleSheet(css, "o1", "o1"), "", css);
  }
});

Deno.test("safeStyleSheet() drops selectors that would leave the output, and nested rules", () => {
  for (
    const css of [
      "+ .nb-foot{color:red}",
      "~ p{color:red}",
      "> x{color:red}",
      ":is(.a{color:red}",
      '[title="a]{color:red}',
      ".a{ :is(body, &){color:red} }",
      "a</style>{color:red}",
      ".a\\{}body{color:red}",
    ]
  ) {
    const safe = safeStyleSheet(css, "o1", "o1");
    assert(safe === "" || safe === "#o1 body{color:red}", `${css} → ${safe}`);
  }
});

Deno.test("safeStyleSheet() drops sheets that are broken or very long", () => {
  assertEquals(safeStyleSheet("a{color:red", "o1", "o1"), "");
  assertEquals(safeStyleSheet("a{color:red}".repeat(20_000), "o1", "o1"), "");
});
