// Displays beyond text, pictures and figures: drawn, or named in a note; and how long odd input takes.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderMarkdownReport, renderReport } from "../../../lib/runtime/report/mod.ts";
import { standaloneSvg } from "../../../lib/runtime/report/svg.ts";
import { code, display, markdown, notebookOf, stream } from "./sample.ts";

/** The page's cells with these displays. */
async function shown(...displays: Record<string, unknown>[]): Promise<string> {
  const html = await renderReport(notebookOf(code("x", displays.map(display))));
  return html.slice(html.indexOf("<main"), html.indexOf("</main>"));
}

const BARS = {
  data: { values: [{ a: "A", b: 28 }, { a: "B", b: 55 }] },
  mark: "bar",
  encoding: { x: { field: "b", type: "quantitative" }, y: { field: "a" } },
};

Deno.test("standaloneSvg() declares the namespaces that an image needs", () => {
  const xmlns = 'xmlns="http://www.w3.org/2000/svg"';
  assertEquals(standaloneSvg('<svg width="6"><g/></svg>'), `<svg ${xmlns} width="6"><g/></svg>`);
  assertEquals(standaloneSvg(`<svg ${xmlns}></svg>`), `<svg ${xmlns}></svg>`);
  assertStringIncludes(standaloneSvg('<svg><use xlink:href="#a"/></svg>'), "xmlns:xlink=");
  assertStringIncludes(standaloneSvg("<svg><text>a&nbsp;b&lt;</text></svg>"), "a\u00a0b&lt;");
  assertEquals(standaloneSvg("no drawing"), "no drawing");
});

Deno.test("renderReport() draws Vega-Lite and Vega charts, and names those that would load something", async () => {
  const circle = { enter: { x: { value: 5 }, size: { value: 40 } } };
  const drawn = await shown(
    { "application/vnd.vegalite.v5+json": BARS, "text/plain": "Two bars" },
    { "application/vnd.vega.v6+json": { marks: [{ type: "symbol", encode: circle }] } },
  );
  assertEquals(drawn.match(/<svg\b/g)?.length, 2);
  assertMatch(drawn, /<figure class="nb-output nb-drawing" aria-label="Two bars">/);
  const loads = { ...BARS, data: { url: "https://example.com/bars.csv" } };
  const named = await shown({ "application/vnd.vegalite.v5+json": loads });
  assertStringIncludes(named, "A Vega-Lite chart (application/vnd.vegalite.v5+json) is not drawn");
});

Deno.test("renderReport() runs no expression of a chart as JavaScript", async () => {
  const transform = [{ calculate: "constructor.constructor('globalThis.ran = 1')()", as: "c" }];
  await shown({ "application/vnd.vegalite.v5+json": { ...BARS, transform } });
  assertEquals("ran" in globalThis, false);
});

Deno.test("renderReport() shows text/csv as a table", async () => {
  const html = await shown({ "text/csv": 'name,score\nada,1\n"<b>, y",2\n' });
  assertStringIncludes(html, '<th scope="col">name</th>');
  assertStringIncludes(html, "<td>&lt;b&gt;, y</td><td>2</td>");
});

Deno.test("renderReport() names what it does not draw", async () => {
  const html = await shown(
    { "application/pdf": "JVBERi0=" },
    { "application/geo+json": { type: "Point", coordinates: [1, 2] } },
    { "application/vnd.jupyter.widget-view+json": { model_id: "x" }, "text/plain": "Slider(3)" },
  );
  for (const what of ["A PDF document", "A map", "A widget"]) assertStringIncludes(html, what);
  assertStringIncludes(html, "Slider(3)");
});

Deno.test("renderMarkdownReport() lets no cell change how the next one is read", () => {
  const evil = '<img src="http://127.0.0.1:9/pixel"><script>alert(1)</script>';
  for (
    const open of [
      "```",
      "~~~~",
      "Text\n\n   ```js",
      "- a\n  ```",
      "<!--",
      "<script>",
      "<pre>",
      "[a]: javascript:alert(1)",
    ]
  ) {
    const cells = [markdown(open), markdown(`${open}\n${evil}`), markdown("[a] `x`")];
    const { markdown: text } = renderMarkdownReport(notebookOf(...cells, code("y")));
    assert(!/<script|<img/.test(text.replace(/^```[\s\S]*?^```/gm, "")), `${open}: ${text}`);
    assert(!text.includes("javascript:"), text);
    // The code after them is a fence of its own.
    assert(text.trimEnd().endsWith("```typescript\ny\n```"), text);
  }
});

Deno.test("text that takes markup's worst case is rendered in time that grows with its length", async () => {
  const worst = [
    "# a\n",
    "<h1>",
    "a\n=\n",
    "\\begin{align} ",
    "[",
    "![",
    "[a](",
    "$a$ ",
    "**a *a ",
    "&#",
    "|a|b|\n",
  ];
  const cells = worst.map((text) => markdown(text.repeat(40_000 / text.length)));
  const macros = `$$\\def\\a{${"x".repeat(9000)}}${"\\a".repeat(450)}$$`;
  const long = code("a".repeat(80_000));
  const drawing = code("x", [display({ "text/html": "<svg>".repeat(8000) })]);
  const notebook = notebookOf(...cells, markdown(macros), long, drawing);
  // No clock: before these bounds this did not end within minutes, which CI's own limit would show.
  const html = await renderReport(notebook);
  assertStringIncludes(html, "\\def\\a{xxx"); // shown as it was written
  renderMarkdownReport(notebook);
});

Deno.test("renderReport() shows markup beyond a cell's share as plain text, and says so", async () => {
  const table = `<table>${"<tr><td>1</td></tr>".repeat(150_000)}</table>`;
  const html = await renderReport(
    notebookOf(
      code("x", [display({ "text/html": table, "text/plain": "a long table" }), stream("after")]),
    ),
  );
  assertMatch(html, /HTML of 2,850,\d{3} characters is not rendered here/);
  assertStringIncludes(html, "a long table");
  assert(html.length < 300_000);
});
