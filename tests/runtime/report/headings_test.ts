import { assertEquals } from "@std/assert";
import { Outline, renderContents, slug } from "../../../lib/runtime/report/headings.ts";

Deno.test("slug() is the same for GitHub's and Jupyter's links", () => {
  assertEquals(slug("Training the model!"), "training-the-model");
  assertEquals(slug("Training-the-model!"), "training-the-model");
  assertEquals(slug("Über $x$ & <b>"), "über-x-b");
});

Deno.test("Outline makes one level of title and leaves no gaps between levels", () => {
  const outline = new Outline(1);
  assertEquals(
    outline.add("<h1>A</h1><h4>B</h4><h1>C</h1><h2>D</h2>"),
    [
      '<h2 id="h-a">A</h2>',
      '<h3 id="h-b">B</h3>',
      '<h2 id="h-c">C</h2>',
      '<h3 id="h-d">D</h3>',
    ].join(""),
  );
});

Deno.test("Outline gives headings of one name ids of their own and resolves links", () => {
  const outline = new Outline(0);
  const html = outline.add(
    '<h2>The data</h2><h2>The data</h2><p><a href="#The-data">x</a> <a href="#foo">y</a></p>',
  );
  assertEquals(outline.headings.map(({ id }) => id), ["h-the-data", "h-the-data-2"]);
  assertEquals(
    outline.resolveLinks(html, "u").replace(/.*<p>/, "<p>"),
    '<p><a href="#h-the-data">x</a> <a href="#u-foo">y</a></p>',
  );
});

Deno.test("renderContents() nests lists and escapes texts", () => {
  assertEquals(
    renderContents([
      { level: 2, id: "h-a", text: "A <b>" },
      { level: 3, id: "h-b", text: "B" },
      { level: 2, id: "h-c", text: "C" },
    ]),
    '<ol><li><a href="#h-a">A &lt;b&gt;</a><ol><li><a href="#h-b">B</a></li></ol></li><li><a href="#h-c">C</a></li></ol>',
  );
  assertEquals(renderContents([{ level: 2, id: "h-a", text: "A" }]), "");
});
