import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import MarkdownIt from "markdown-it";
import type { Output } from "../../../lib/runtime/notebook.ts";
import { renderMarkdownReport } from "../../../lib/runtime/report/mod.ts";
import { hostileManifest, hostileNotebooks } from "./hostile.ts";
import { code, display, markdown, notebookOf, PNG, stream } from "./sample.ts";

const text = (...outputs: Output[]) =>
  renderMarkdownReport(notebookOf(code("x", outputs))).markdown;

Deno.test("renderMarkdownReport() keeps Markdown as it was written, and fences that hold fences", () => {
  const source = "# T\n\n- a *b* [c](d.md)\n\n```ts\nconst a = `b`;\n```";
  const { markdown: all } = renderMarkdownReport(
    notebookOf(markdown(source), code("const s = '```';", [stream("````\n")])),
  );
  assertEquals(
    all,
    `${source}\n\n\`\`\`\`typescript\nconst s = '\`\`\`';\n\`\`\`\`\n\n\`\`\`\`\`text\n\`\`\`\`\n\`\`\`\`\`\n`,
  );
});

Deno.test("renderMarkdownReport() writes pictures into files, and tables as HTML", () => {
  const { markdown: all, files } = renderMarkdownReport(
    notebookOf(code("x", [
      display({ "image/png": PNG, "text/plain": "a [b]" }),
      display({ "image/svg+xml": "<svg><script>1</script><rect width='3'/></svg>" }),
      display({ "text/html": "<table><tr><td>1</td></tr></table>\n\n<script>1</script>" }),
    ])),
    { folder: "my files" },
  );
  assertEquals([...files.keys()], ["1.png", "2.svg"]);
  assertStringIncludes(all, "![a \\[b\\]](my%20files/1.png)");
  const svg = new TextDecoder().decode(files.get("2.svg"));
  assertStringIncludes(svg, '<svg xmlns="http://www.w3.org/2000/svg"');
  assert(!/<script/.test(svg + all), all);
  assertStringIncludes(all, "<td>1</td>");
});

Deno.test("renderMarkdownReport() follows tags, and tells how it was made", () => {
  const tagged = (tag: string) =>
    renderMarkdownReport(
      notebookOf(code("source", [stream("output")], { metadata: { tags: [tag] } })),
      { manifest: { ...hostileManifest, parameters: { epochs: 3 } } as never },
    ).markdown;
  assert(!tagged("remove-input").includes("source") && tagged("remove-input").includes("output"));
  assert(tagged("remove-output").includes("source") && !tagged("remove-output").includes("output"));
  assertStringIncludes(tagged("x"), "| Parameter epochs | 3 |");
  assertEquals(text(stream("\x1b[31mred\x1b[0m")).includes("\x1b"), false);
});

Deno.test("renderMarkdownReport() lets nothing of hostile notebooks run or reach out", () => {
  const parser = new MarkdownIt({ html: true, linkify: true });
  for (const [name, notebook] of Object.entries(hostileNotebooks)) {
    const { markdown: all, files } = renderMarkdownReport(notebook, { manifest: hostileManifest });
    const html = parser.render(all);
    const tags = html.match(/<[a-zA-Z][^>]*>/g) ?? [];
    for (const tag of tags) {
      assert(
        !/^<(script|iframe|object|embed|meta|base|link|form|style)\b/i.test(tag),
        `${name}: ${tag}`,
      );
      const attributes = tag.replace(/"[^"]*"/g, '""');
      assert(!/\son\w+\s*=/i.test(attributes), `${name}: ${tag}`);
      assert(!/(?:href|src)="\s*(?:javascript|vbscript|data:text)/i.test(tag), `${name}: ${tag}`);
      assert(!/^<img[^>]*src="(?:https?:)?\/\//i.test(tag), `${name}: ${tag}`);
    }
    for (const [file, bytes] of files) {
      if (!file.endsWith(".svg")) continue;
      assert(
        !/<script|\son\w+=|https?:\/\/(?!www\.w3\.org)/i.test(new TextDecoder().decode(bytes)),
        name,
      );
    }
  }
});

/** Cells of which each is harmless, and which are not one after the other. */
const TOGETHER: string[][] = [
  ["- a", "    <script>alert(1)</script>"],
  ["1. a\n\n   b", "\t<script>alert(1)</script>"],
  ["- a", "\n \n     <img src=x onerror=alert(1)>"],
  ["- a\n  - b", "      <script>alert(1)</script>"],
  ["```", "<script>alert(1)</script>"],
  ["<!--", "--><script>alert(1)</script>"],
  ["[a]: javascript:alert(1)", "[a]"],
  ["| a |", "|-|\n| <b> |"],
];

Deno.test("renderMarkdownReport() lets no cell change how the next is read", () => {
  const parser = new MarkdownIt({ html: true, linkify: true });
  for (const cells of TOGETHER) {
    const all = renderMarkdownReport(notebookOf(...cells.map((source) =>
      markdown(source)
    ))).markdown;
    const html = parser.render(all);
    assert(!/<script|<img|href="javascript/.test(html), `${JSON.stringify(all)}: ${html}`);
  }
  // Nor does an output end the HTML that it stands in.
  for (const end of ["\n\n", "\r\r", "\r\n\r\n", "\n\f\n", "\r \r"]) {
    const html = `<p>a</p>${end}![x](http://evil.example/x.png)${end}<p>b</p>`;
    const rendered = parser.render(text(display({ "text/html": html })));
    assert(!rendered.includes("<img"), rendered);
  }
  // An indented cell after anything but a list stays what it is: code.
  const indented = renderMarkdownReport(notebookOf(markdown("a"), markdown("    b")));
  assertStringIncludes(parser.render(indented.markdown), "<pre><code>b");
});
