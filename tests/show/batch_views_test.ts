import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { attentionView, batchView, forestView } from "../../lib/show/mod.ts";
import { forestTree } from "../../lib/show/forest_tree.ts";
import { collate } from "../../lib/dataset/collate.ts";
import type { EncodedExample } from "../../lib/dataset/encode.ts";
import { forest } from "../../lib/dataset/forest.ts";
import { assertSoundHtml } from "./markup.ts";

const decoder = { decode: (ids: number[]) => ids.map((id) => `<t${id}>`).join("") };

const example = (promptIds: number[], responseIds: number[]): EncodedExample => ({
  promptIds,
  responseIds: [...responseIds, 50256],
  instructionLength: promptIds.length,
});

/** Few different tokens, so that sequences share beginnings, end inside others, and repeat. */
const examples: fc.Arbitrary<EncodedExample[]> = fc.array(
  fc.tuple(
    fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 5 }),
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 }),
  ).map(([prompt, response]) => example(prompt, response)),
  { minLength: 1, maxLength: 12 },
);

const ints = (...values: number[]) => Int32Array.from(values);
const layout = fc.constantFrom("forest" as const, "packed" as const);
const mask = fc.constantFrom("none" as const, "prompt" as const);

Deno.test("batchView() puts each target under the input that is to predict it", () => {
  const batch = collate([example([1, 2], [3]), example([4], [5])]);
  const view = batchView(batch, decoder, { title: "<Batch>" });
  assertSoundHtml(view.html);
  assertEquals(
    view.text,
    [
      "<Batch>",
      "2 sequences × 3 tokens; 4 targets count; 1 token of padding",
      "  input 1:  <t1>|<t2>|<t3>",
      "  target 1: –|<t3>|<t50256>",
      "  input 2:  <t4>|<t5>|<t50256>",
      "  target 2: <t5>|<t50256>|–",
    ].join("\n"),
  );
  assertEquals(view.html.match(/class="tb-out"/g)!.length, 4);
  assertEquals(view.html.match(/class="tb-pad"/g)!.length, 1);
});

Deno.test("batchView() keeps each prompt's end, the closing token and the padding, and elides in between", () => {
  const long = (from: number, size: number) => Array.from({ length: size }, (_, i) => from + i);
  const rows = [example(long(0, 200), [7, 8, 9]), example(long(0, 60), long(300, 40))];
  const view = batchView(collate(rows), decoder, { maxColumns: 14 });
  const line = (name: string) => view.text.split("\n").find((line) => line.includes(name))!;
  for (const part of ["–|<t7>|<t8>", "<t9>|<t50256>"]) {
    assertStringIncludes(line("target 1:"), part);
  }
  for (const part of ["–|<t300>", "<t339>|<t50256>|–"]) {
    assertStringIncludes(line("target 2:"), part);
  }
  assertMatch(line("input 2:"), /^ {2}input 2: {2}<t0>.*<t339>\|<t50256>.*<t50256>$/);
  assertMatch(line("target 2:"), /…\d+ more…/);
  assert(line("target 1:").split("|").length < 24);
});

Deno.test("batchView() shows the columns that it is told to show", () => {
  const batch = collate([example([1, 2, 3, 4, 5, 6, 7, 8], [9])]);
  const { text } = batchView(batch, decoder, { columns: [2, 7], maxColumns: 3 });
  assertStringIncludes(text, "input 1:  …2 more…|<t3>|…4 more…|<t8>|…1 more…");
});

Deno.test("batchView() by default fits a notebook's width, whatever the tokens are, with each row's end in it", () => {
  const words = (size: number) => Array.from({ length: size }, (_, i) => i);
  const long = { decode: (ids: number[]) => ids.map((id) => "w".repeat(1 + id % 12)).join("") };
  const marked = {
    decode: (ids: number[]) => ids[0] === 50256 ? "<|endoftext|>" : long.decode(ids),
  };
  const batch = collate([example(words(37), words(9)), example(words(44), words(4))]);
  const { html } = batchView(batch, marked);
  const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row.matchAll(/<t[dh][^>]*>([^<]*)<\/t[dh]>/g)].map(([, cell]) => cell)
  );
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  // Characters of 7.2 pixels with 11 around each column, in the 732 that JupyterLab has beside its sidebars.
  assert(widths.reduce((sum, width) => sum + 7.2 * width + 11, 0) < 732, String(widths));
  assert(widths.length > 8, String(widths));
  // The closing token is a target once in each row, and is written short.
  for (const row of rows.filter(([name]) => name.startsWith("target"))) {
    assertEquals(row.filter((cell) => cell === "⏹").length, 1, row.join());
  }
  assertEquals(rows[0].at(-1), String(batch.length - 1));
  assertStringIncludes(html, "⏹: &lt;|endoftext|&gt;");
});

Deno.test("batchView() refuses a batch of another size", () => {
  assertThrows(
    () => batchView({ inputs: ints(1), targets: ints(1, 2), batchSize: 1, length: 2 }, decoder),
    RangeError,
    "Cannot show a batch of 1 × 2 tokens: expected 2 inputs and targets, got 1 and 2",
  );
});

Deno.test("forestTree() has every token once and every loss edge once", () => {
  fc.assert(fc.property(examples, mask, layout, (list, mask, layout) => {
    if (list.every(({ promptIds, responseIds }) => promptIds.length + responseIds.length < 2)) {
      return;
    }
    const batch = forest(list, { mask, layout });
    const tree = forestTree(batch);
    const rows = tree.segments.flatMap(({ start, stop }) =>
      Array.from({ length: stop - start }, (_, i) => start + i)
    );
    assertEquals(rows, Array.from(batch.tokens, (_, i) => i));
    const predicted = [...tree.onlyPredicted.values()].flat();
    const marked = tree.countOf.filter((count) => count > 0);
    assertEquals(marked.length + predicted.length, batch.edges.rows.length);
    const sum = [...marked, ...predicted.map(({ count }) => count)].reduce((a, b) => a + b, 0);
    assertEquals(sum, batch.tokensCounted);
    // A segment ends where the forest branches or ends.
    for (const { children } of tree.segments) assert(children.length !== 1);
  }));
});

Deno.test("forestView() shows shared beginnings once and every loss edge", () => {
  fc.assert(
    fc.property(examples, mask, (list, mask) => {
      const batch = forest(list, { mask });
      const view = forestView(batch, decoder, { maxSegments: 1000 });
      assertSoundHtml(view.html);
      const chips = [...view.html.matchAll(/class="tb-t" style="[^"]*" title="([^"]*)"/g)].map((
        [, t],
      ) => t);
      const read = chips.filter((title) => !title.includes("only predicted"));
      assertEquals(read.length, batch.tokens.length);
      const counts = chips.filter((title) => !title.includes("does not count")).map((title) =>
        Number(/counts (\d+) times/.exec(title)?.[1] ?? 1)
      );
      assertEquals(counts.length, batch.edges.rows.length);
      assertEquals(counts.reduce((a, b) => a + b, 0), batch.tokensCounted);
    }),
    { numRuns: 60 },
  );
});

Deno.test("forestView() says what is saved", () => {
  const batch = forest([example([1, 2, 3], [4]), example([1, 2, 3], [5, 6])]);
  const view = forestView(batch, decoder);
  assertStringIncludes(
    view.text,
    "6 tokens in 1 tree instead of 10 padded ones (9 of them real): 1.7 times fewer; 5 predictions count, as 5 loss edges.",
  );
  assertStringIncludes(view.html, "computed once for the 2 branches below");
});

Deno.test("forestView() takes deep and wide forests", () => {
  // Every token branches: 300 levels deep.
  const deep = Array.from(
    { length: 300 },
    (_, i) => example([...new Array<number>(i + 1).fill(1), 2], [3]),
  );
  const view = forestView(forest(deep), decoder, { maxSegments: 600 });
  assertSoundHtml(view.html);
  assertStringIncludes(forestView(forest(deep), decoder).html, "more segments");
});

Deno.test("forestView() refuses arrays that are not a forest", () => {
  const edges = { rows: ints(), targets: ints(), counts: new Float32Array() };
  assertThrows(
    () =>
      forestView({ tokens: ints(1, 2), positions: ints(0, 1), end: ints(2, 3), edges }, decoder),
    RangeError,
    "Cannot draw a forest: end[1] is 3, expected from 2 to 2",
  );
  assertThrows(
    () => forestView({ tokens: ints(1), positions: ints(0), end: ints(0), edges }, decoder),
    RangeError,
    "end[0] is 0, expected from 1 to 1",
  );
  assertThrows(
    () =>
      forestView({
        tokens: ints(1),
        positions: ints(0),
        end: ints(1),
        edges: { rows: ints(4), targets: ints(1), counts: new Float32Array([1]) },
      }, decoder),
    RangeError,
    "loss edge 0 lies at row 4, expected a row below 1",
  );
});

Deno.test("attentionView() counts the pairs that the mask lets through", () => {
  fc.assert(
    fc.property(examples, (list) => {
      const batch = forest(list, { mask: "none" });
      const total = batch.tokens.length;
      let pairs = 0;
      for (let i = 0; i < total; i++) {
        for (let j = 0; j <= i; j++) if (i < batch.end[j]) pairs++;
      }
      const view = attentionView(batch, { title: "Who" });
      assertSoundHtml(view.html);
      assert(view.text.startsWith(`Who: ${pairs.toLocaleString("en-US")} of the `), view.text);
    }),
    { numRuns: 40 },
  );
});
