import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { isSafeLink, sanitizeHtml } from "../../../lib/runtime/report/sanitize.ts";

const output = { prefix: "o1", scope: "o1" };

Deno.test("sanitizeHtml() keeps tables, drawings and formulas", () => {
  for (
    const html of [
      '<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>',
      '<svg width="10" role="img" aria-label="Line"><path d="M0,0L9,9" stroke="currentColor"></path></svg>',
      '<math display="block"><mfrac><mi>a</mi><mn>2</mn></mfrac></math>',
      '<details open><summary>More</summary><span class="tb-chip" style="color:red">x</span></details>',
      '<div role="progressbar" aria-valuenow="3"><progress value="3" max="9"></progress></div>',
    ]
  ) {
    assertEquals(sanitizeHtml(html, output).html, html);
  }
});

Deno.test("sanitizeHtml() drops scripts, handlers, forms and frames with what is in them", () => {
  const { html, empty } = sanitizeHtml(
    `<script>1</script><iframe>2</iframe><form><button onclick="3"></button></form><p onclick="4"></p>`,
    output,
  );
  assertEquals(html, "<p></p>");
  assertEquals(empty, true);
});

Deno.test("sanitizeHtml() confines ids and references to the output", () => {
  const { html } = sanitizeHtml(
    `<svg><defs><linearGradient id="g"></linearGradient></defs><rect id="nb-main" fill="url(#g)"></rect>` +
      `<use href="#g"></use><use href="other.svg#g"></use></svg><p aria-labelledby="a b">x</p>`,
    output,
  );
  assertStringIncludes(html, 'id="o1-g"');
  assertStringIncludes(html, 'id="o1-nb-main"');
  assertStringIncludes(html, 'fill="url(#o1-g)"');
  assertStringIncludes(html, '<use href="#o1-g"></use><use></use>');
  assertStringIncludes(html, 'aria-labelledby="o1-a o1-b"');
});

Deno.test("sanitizeHtml() takes style sheets out and confines them", () => {
  const { html, css } = sanitizeHtml(
    "<style>.tb-a{color:red}</style><p class='tb-a'>x</p>",
    output,
  );
  assertEquals(html, '<p class="tb-a">x</p>');
  assertEquals(css, "#o1 .tb-a{color:red}");
});

Deno.test("sanitizeHtml() leaves the report its own class names and landmarks", () => {
  assertEquals(
    sanitizeHtml('<main class="nb-top tb-x"><nav role="navigation">x</nav></main>', output).html,
    '<div class="tb-x"><div>x</div></div>',
  );
});

Deno.test("sanitizeHtml() makes headings of outputs paragraphs, and keeps a notebook's", () => {
  assertEquals(sanitizeHtml("<h2>x</h2>", output).html, '<p class="nb-heading">x</p>');
  assertEquals(sanitizeHtml("<h2>x</h2>", { ...output, headings: true }).html, "<h2>x</h2>");
});

Deno.test("sanitizeHtml() names images that are not in the file", () => {
  const { html } = sanitizeHtml('<img src="https://a.example/x.png" alt="A logo">', output);
  assertEquals(
    html,
    '<span class="nb-absent">Image not in this file: A logo, https://a.example/x.png</span>',
  );
});

Deno.test("sanitizeHtml() finds attached images", () => {
  const attachment = (name: string) =>
    name === "a b.png" ? "data:image/png;base64,AA==" : undefined;
  assertStringIncludes(
    sanitizeHtml('<img src="attachment:a%20b.png" alt="x">', { ...output, attachment }).html,
    'src="data:image/png;base64,AA=="',
  );
});

Deno.test("isSafeLink() lets http, https, mailto, places and files beside pass", () => {
  for (
    const href of [
      "https://a.example/?q=1:2",
      "http://a",
      "mailto:a@b",
      "#x",
      "data.csv",
      "a/b:c",
      "?x:y",
    ]
  ) {
    assertEquals(isSafeLink(href), true, href);
  }
});

Deno.test("isSafeLink() refuses script, data, other schemes and other hosts in disguise", () => {
  for (
    const href of [
      "javascript:1",
      "JAVASCRIPT:1",
      " java\nscript:1",
      "\u0001javascript:1",
      "java\u00adscript:1".replace("\u00ad", "\t"),
      "data:text/html,x",
      "vbscript:1",
      "file:///etc/passwd",
      "//evil.example",
      "\\\\evil.example\\share",
      "/\\evil.example",
      "blob:x",
    ]
  ) {
    assertEquals(isSafeLink(href), false, JSON.stringify(href));
  }
});

Deno.test("sanitizeHtml() is idempotent on tags and lets nothing forbidden through, whatever comes", () => {
  const piece = fc.constantFrom(
    ...("<svg> <math> <style> </style> <script> </script> <img src=x onerror=1> <a href=javascript:1> <!-- --> " +
      "<table> <td> <p title=' '> \"> <textarea> </textarea> <title> </title> <noscript> <xmp> <iframe> " +
      "<mtext> <foreignObject> <desc> </p> </svg> <![CDATA[ ]]> <?x > &lt; <plaintext> <template> <select> x")
      .split(" "),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const { html, css } = sanitizeHtml(pieces.join(""), output);
      assert(
        !/<(?:script|style|iframe|textarea|xmp|noscript|template|select|plaintext)/i.test(html),
        html,
      );
      assert(!/<[^>]*\s(?:on\w+|href="javascript)/i.test(html), html);
      assert(!css.includes("<"), css);
      assertEquals(
        sanitizeHtml(html, { ...output, headings: true }).html.length > 0,
        html.length > 0,
      );
    }),
    { numRuns: 300, seed: 1 },
  );
});

Deno.test("sanitizeHtml() shows as text what leaves thousands of elements open, and no long table", () => {
  const options = { prefix: "x" };
  for (const piece of ["<b>", "<svg><g>", "<b x='y'>", "<a href='#x'><p>"]) {
    const { html } = sanitizeHtml(piece.repeat(100_000), options);
    assertStringIncludes(html.slice(0, 40), "<pre>&lt;");
  }
  const { html } = sanitizeHtml(
    `<table>${"<tr><td>1<td><b>2</b><br><img src=x>".repeat(10_000)}</table>`,
    options,
  );
  assertStringIncludes(html.slice(0, 60), "<table>");
});
