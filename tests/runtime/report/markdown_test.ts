import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { renderMarkdown } from "../../../lib/runtime/report/markdown.ts";
import { renderMath } from "../../../lib/runtime/report/math.ts";

const render = (source: string) => renderMarkdown(source, { prefix: "u", headings: true }).html;

Deno.test("renderMarkdown() renders tables, code, tasks and HTML", () => {
  assertStringIncludes(
    render("|a|\n|--:|\n|1|"),
    '<th style="text-align:right" scope="col">a</th>',
  );
  assertStringIncludes(
    render("```ts\nconst x = 1;\n```"),
    '<span class="hljs-keyword">const</span>',
  );
  assertStringIncludes(render("- [x] done"), 'aria-label="Done"');
  assertStringIncludes(render("H<sub>2</sub>O"), "H<sub>2</sub>O");
  assertStringIncludes(render("https://a.example/x"), '<a href="https://a.example/x">');
});

Deno.test("renderMarkdown() renders formulas as MathML", () => {
  assertStringIncludes(render("Let $x^2$ be"), "<msup><mi>x</mi><mn>2</mn></msup>");
  assertStringIncludes(render("$$\n\\frac{a}{b}\n$$"), 'display="block"');
  assertStringIncludes(render("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}"), "<mtable");
  assertStringIncludes(render("- item\n\n  $$a$$\n\ntext"), "<mi>a</mi>");
});

Deno.test("renderMarkdown() tells money and code from formulas", () => {
  for (
    const source of ["$5 and $6", "costs 5$ or 6$ each", "`$x$`", "\\$x\\$", "a $ b $ c", "$$ $$"]
  ) {
    assert(!render(source).includes("<math"), source);
  }
});

Deno.test("renderMarkdown() keeps underscores and stars of formulas from Markdown", () => {
  assertStringIncludes(render("$a_1 * b_2 * c_3$"), "<msub><mi>a</mi><mn>1</mn></msub>");
  assert(!render("$a_1 * b_2 * c_3$").includes("<em>"));
});

Deno.test("renderMath() aligns the columns of equations", () => {
  const html = renderMath("\\begin{align}a &= b\\end{align}", true);
  assertStringIncludes(html, "text-align:right;padding-left:0");
  assertStringIncludes(html, "text-align:left;padding-left:0em");
});

Deno.test("renderMath() writes letters of blackboard, script and Fraktur", () => {
  assertStringIncludes(renderMath("\\mathbb{RA1}\\mathcal{LA}\\mathfrak{C}", false), "ℝ");
  assertStringIncludes(renderMath("\\mathbb{A}", false), "𝔸");
  assertStringIncludes(renderMath("\\mathcal{L}", false), "ℒ");
  assertStringIncludes(renderMath("\\mathcal{A}", false), "𝒜");
  assertStringIncludes(renderMath("\\mathfrak{C}", false), "ℭ");
});

Deno.test("renderMath() shows TeX that is wrong, endless or huge as it was written", () => {
  assertEquals(renderMath("\\frac{<b>", false), '<code class="math-error">\\frac{&lt;b&gt;</code>');
  assertStringIncludes(renderMath("\\def\\a{\\a\\a}\\a", false), "math-error");
  assertStringIncludes(renderMath("x".repeat(30_000), false), "math-error");
});

Deno.test("renderMath() makes no links and loads nothing", () => {
  const html = renderMath(
    "\\href{https://evil.example}{x}\\includegraphics{https://evil.example/a}",
    false,
  );
  assert(!/ (?:href|src)=/.test(html), html);
});

Deno.test("renderMarkdown() survives hostile nesting in time", () => {
  const start = performance.now();
  for (const mark of [">", "[", "![", "*a", "_a ", "`", "<a ", "$a ", "|", "- ", "\\begin{a} "]) {
    render(mark.repeat(5_000));
  }
  assert(performance.now() - start < 30_000);
});
