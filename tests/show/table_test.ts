import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { compareTable, table } from "../../lib/show/mod.ts";
import { sharedWords } from "../../lib/show/shared_words.ts";
import { hostile, hostileText } from "./hostile.ts";
import { assertSoundHtml, unescapeHtml } from "./markup.ts";

Deno.test("table() lets no text out of its cell, and changes none", () => {
  const check = (text: string) => {
    const { html } = table([{ [text]: text, n: 1 }], { caption: text });
    assertSoundHtml(html);
    const cell = unescapeHtml(
      /<td(?: class="[^"]*")? data-label="[^"]*" style="[^"]*">([^<]*)<\/td>/.exec(html)![1],
    );
    const written = text.replace(
      // deno-lint-ignore no-control-regex
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu,
      "\ufffd",
    );
    assertEquals(cell, written.length > 600 ? `${written.slice(0, 600)}…` : written);
  };
  for (const text of hostile) if (text !== "n") check(text);
  fc.assert(fc.property(hostileText.filter((text) => text !== "n" && text !== "__proto__"), check));
});

Deno.test("table() aligns numbers right and cuts long tables", () => {
  const view = table(Array.from({ length: 60 }, (_, i) => ({ name: `row ${i}`, value: i / 3 })), {
    maxRows: 2,
  });
  assertEquals(
    view.text,
    "name    value\n-----  ------\nrow 0       0\nrow 1  0.3333\nand 58 more rows",
  );
  assertEquals(
    view.bundle["text/markdown"],
    "| name | value |\n| --- | ---: |\n| row 0 | 0 |\n| row 1 | 0.3333 |\n\n*and 58 more rows*",
  );
  assertStringIncludes(view.html, '<th scope="col" style="text-align:right">value</th>');
});

Deno.test("table() takes columns as functions, formats and missing values", () => {
  const view = table([{ a: 1, b: undefined }, { a: 2, b: null }, { a: 3, b: { c: [1] } }], {
    columns: ["b", {
      label: "double",
      value: ({ a }) => 2 * a,
      format: (v) => `${v}!`,
      align: "center",
    }],
  });
  assertEquals(
    view.text,
    'b          double\n---------  ------\n           2!\n           4!\n{"c":[1]}  6!',
  );
  assertEquals(table([]).text, "\n");
});

Deno.test("table() keeps Markdown from reading cells as markup", () => {
  const markdown = table([{ x: "a|b *c* <i> `d` [e](f) $g$\nh" }]).bundle["text/markdown"]!;
  assertEquals(
    markdown.split("\n")[2],
    "| a\\|b \\*c\\* \\<i\\> \\`d\\` \\[e\\]\\(f\\) \\$g\\$<br>h |",
  );
});

Deno.test("sharedWords() keeps the whole text and marks a longest common subsequence", () => {
  fc.assert(fc.property(hostileText, hostileText, (text, reference) => {
    const pieces = sharedWords(text, reference);
    assertEquals(pieces.map((piece) => piece.text).join(""), text);
  }));
  const marked = (text: string, reference: string) =>
    sharedWords(text, reference).filter(({ shared }) => shared).map(({ text }) => text);
  assertEquals(marked("The cat sat, on a mat", "the dog sat on the mat"), [
    "The",
    "sat",
    "on",
    "mat",
  ]);
  assertEquals(marked("b a", "a b").length, 1);
  assertEquals(marked("", "a"), []);
  // Longer texts than this are not compared: no mark, and no long wait.
  const long = "word ".repeat(100_000);
  assertEquals(marked(long, long), []);
});

Deno.test("compareTable() lets no text out of its cell", () => {
  const check = (text: string) => {
    const view = compareTable([
      {
        prompt: text,
        reference: text,
        before: text,
        after: `${text} more`,
        scores: { before: 0.5 },
      },
    ], { caption: text, labels: { after: text } });
    assertSoundHtml(view.html);
    assert(!view.bundle["text/markdown"]!.split("\n").slice(-1)[0].includes("\n"));
  };
  for (const text of hostile) check(text);
  fc.assert(fc.property(hostileText, check));
});

Deno.test("compareTable() marks what an answer shares with the reference", () => {
  const view = compareTable([{
    prompt: "Capital?",
    reference: "It is Paris.",
    before: "",
    after: "It is in Paris",
    scores: { after: 0.857142 },
  }]);
  assertStringIncludes(view.html, "<mark>It is</mark> in <mark>Paris</mark>");
  assertStringIncludes(view.html, "(empty)");
  assertStringIncludes(view.html, "score <b>0.8571</b>");
  assertStringIncludes(view.text, "After: It is in Paris (0.8571)");
});
