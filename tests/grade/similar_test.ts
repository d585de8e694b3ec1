// Similar submissions: what is found, what is not, and that a page of hostile ones runs nothing.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import fc from "fast-check";
import { codeTokens } from "../../lib/grade/similar/tokens.ts";
import { gramHashes, winnow } from "../../lib/grade/similar/winnow.ts";
import { type ComparedSubmission, findSimilar } from "../../lib/grade/similar.ts";
import { renderSimilarities } from "../../lib/grade/similar/page.ts";
import type { Notebook } from "../../lib/runtime/notebook.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";
import { axeViolations } from "../axe.ts";
import { code, markdown, notebookOf } from "../runtime/report/sample.ts";

const EMPTY = notebookOf();

/** A module of this project, as code that somebody wrote. */
function moduleText(path: string): string {
  return Deno.readTextFileSync(fromFileUrl(new URL(`../../lib/${path}`, import.meta.url)));
}

const MODULES = [
  "grade/regions.ts",
  "grade/checksum.ts",
  "random.ts",
  "runtime/report/terminal.ts",
  "eval/rouge.ts",
  "dataset/split.ts",
  "text/bpe.ts",
  "runtime/clean.ts",
].map(moduleText);

function submission(id: string, ...sources: string[]): ComparedSubmission {
  return { id, notebook: notebookOf(...sources.map((source) => code(source))) };
}

/** Gives every name another one, every literal another value, and drops comments and layout. */
function disguise(source: string, seed: number): string {
  const names = new Map<string, string>();
  const keep = new Set(
    codeTokens(source).filter(({ key }) => key !== "name").map(({ start, end }) =>
      source.slice(start, end)
    ),
  );
  let text = "";
  let before = 0;
  for (const { key, start, end } of codeTokens(source)) {
    const between = source.slice(before, start).replace(/\/\/.*|\/\*[\s\S]*?\*\//g, " ");
    text += between.replace(/[ \t]+/g, " ");
    const own = source.slice(start, end);
    if (key === "name" && !keep.has(own) && !CONTEXTUAL.has(own) && !own.startsWith("#")) {
      if (!names.has(own)) names.set(own, `v${(names.size * 7919 + seed) % 99991}`);
      text += names.get(own);
    } else if (key === "literal" && /^\d+$/.test(own)) text += String(Number(own) + 1 + seed % 9);
    else text += own;
    before = end;
  }
  return text + source.slice(before);
}

/** Names that are words of the language where they stand. */
const CONTEXTUAL = new Set(
  "async await of as from type interface get set static readonly declare abstract is keyof infer unique satisfies asserts undefined string number boolean unknown never any object symbol bigint private public protected override accessor using implements namespace module require global out assert"
    .split(" "),
);

Deno.test("renamed and reformatted code keeps its score", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MODULES),
      fc.integer({ min: 0, max: 1e6 }),
      (source, seed) => {
        const copy = disguise(source, seed);
        assert(copy !== source);
        const plain = findSimilar([submission("a", source), submission("b", source)], EMPTY);
        const renamed = findSimilar([submission("a", source), submission("b", copy)], EMPTY);
        assertEquals(plain.pairs[0]!.score, 1);
        assertEquals(renamed.pairs[0]!.score, 1);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("unrelated code shares nothing that counts", () => {
  const all = MODULES.map((source, i) => submission(`s${i}`, source));
  assertEquals(findSimilar(all, EMPTY).pairs, []);
  const nearest = findSimilar(all, EMPTY, { threshold: 0 }).pairs[0]?.score ?? 0;
  assert(nearest < 0.05, `the nearest two share ${nearest}`);
});

Deno.test("every common run of gram + window - 1 tokens is found, wherever it stands", () => {
  const tokens = (max: number) => fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: max });
  fc.assert(fc.property(
    tokens(60),
    tokens(60),
    fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 25, maxLength: 60 }),
    tokens(60),
    tokens(60),
    (beforeA, beforeB, common, afterA, afterB) => {
      const prints = (ids: number[]) => {
        const hashes = gramHashes(Int32Array.from(ids), 0, ids.length, 20);
        return new Set(winnow(hashes, 0, 6).map(({ hash }) => hash));
      };
      const a = prints([...beforeA, ...common, ...afterA]);
      const b = prints([...beforeB, ...common, ...afterB]);
      assert(a.intersection(b).size > 0);
    },
  ));
});

Deno.test("a rolling hash is that of the run alone", () => {
  fc.assert(fc.property(
    fc.array(fc.nat(1e6), { minLength: 5, maxLength: 50 }),
    fc.integer({ min: 1, max: 5 }),
    (ids, gram) => {
      const all = gramHashes(Int32Array.from(ids), 0, ids.length, gram);
      for (const [i, hash] of all.entries()) {
        assertEquals(gramHashes(Int32Array.from(ids.slice(i, i + gram)), 0, gram, gram)[0], hash);
      }
    },
  ));
});

Deno.test("what the release holds explains itself, and only the rest counts", () => {
  const [given, own] = MODULES as [string, string];
  const release = notebookOf(code(given));
  const both = [submission("a", given), submission("b", given)];
  assertEquals(findSimilar(both, release), { pairs: [], commonPassages: 0 });
  const copied = [submission("a", given, own), submission("b", given, disguise(own, 3))];
  const { pairs } = findSimilar(copied, release);
  assertEquals(pairs.length, 1);
  assertEquals(pairs[0]!.score, 1);
  assertEquals(new Set(pairs[0]!.ranges.map(({ first }) => first.cell)), new Set([1]));
});

Deno.test("cells as they were released count for nobody, however short", () => {
  const short = ["let seed = 1;", "run(seed);", "show(1)"];
  const release = notebookOf(...short.map((source) => code(source)));
  const [pair] = findSimilar([
    submission("a", ...short, MODULES[0]!),
    submission("b", ...short, disguise(MODULES[0]!, 1)),
  ], release).pairs;
  assertEquals([pair!.score, pair!.firstShare, pair!.secondShare], [1, 1, 1]);
});

Deno.test("aligned ranges are the same parts, and do not overlap", () => {
  const [one, two, three] = MODULES as [string, string, string];
  const { pairs: [pair] } = findSimilar(
    [submission("a", `${one}\n${two}`, three), submission("b", three, `${two}\n${one}`)],
    EMPTY,
  );
  const sources = { a: [`${one}\n${two}`, three], b: [three, `${two}\n${one}`] };
  assert(pair!.score > 0.95, `score ${pair!.score}`);
  const ends = { a: new Map<number, number>(), b: new Map<number, number>() };
  const keys = (text: string) => codeTokens(text).map(({ key }) => key);
  for (const { first, second } of pair!.ranges) {
    assertEquals(
      keys(sources.a[first.cell]!.slice(first.start, first.end)),
      keys(sources.b[second.cell]!.slice(second.start, second.end)),
    );
  }
  for (const side of ["first", "second"] as const) {
    const sorted = pair!.ranges.map((range) => range[side])
      .sort((x, y) => x.cell - y.cell || x.start - y.start);
    const last = side === "first" ? ends.a : ends.b;
    for (const { cell, start, end } of sorted) {
      assert(start >= (last.get(cell) ?? 0) && end > start);
      last.set(cell, end);
    }
  }
});

Deno.test("texts are compared by words, whatever their case and punctuation", () => {
  const answer =
    "Overfitting begins when the loss on held-out data rises while the training loss still falls; we stop there, and keep the earlier weights.";
  const text = (id: string, source: string) => ({ id, notebook: notebookOf(markdown(source)) });
  const { pairs } = findSimilar([
    text("a", answer),
    text("b", `**${answer.toUpperCase().replaceAll(";", " -")}**`),
    text(
      "c",
      "A learning rate that is too high makes the loss jump, so I would warm it up over some steps first.",
    ),
  ], EMPTY);
  assertEquals(pairs.map(({ first, second, score }) => ({ first, second, score })), [
    { first: "a", second: "b", score: 1 },
  ]);
});

Deno.test("a passage that most have is left out, and said to be", () => {
  const all = Array.from({ length: 12 }, (_, i) => submission(`s${i}`, MODULES[0]!));
  const { pairs, commonPassages } = findSimilar(all, EMPTY);
  assertEquals(pairs, []);
  assert(commonPassages > 0);
  assertEquals(findSimilar(all, EMPTY, { commonIn: 12 }).pairs.length, 66);
});

Deno.test("any text is compared, and a copy of it is found or too short", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), (source) => {
    const { pairs } = findSimilar([submission("a", source), submission("b", source)], EMPTY);
    for (const { score } of pairs) assert(score > 0 && score <= 1);
  }));
});

Deno.test("hostile sources end: unclosed comments, one token a million times, deep nesting", () => {
  const sources = [
    "/* ".repeat(50_000),
    "`".repeat(20_001),
    "1,".repeat(200_000),
    "(".repeat(100_000),
    "x+".repeat(100_000),
  ];
  const all = sources.flatMap((
    source,
    i,
  ) => [submission(`a${i}`, source), submission(`b${i}`, source)]);
  const { pairs } = findSimilar(all, EMPTY);
  assert(pairs.every(({ score }) => score <= 1));
});

Deno.test("a threshold out of range is refused", () => {
  assertThrows(() => findSimilar([], EMPTY, { threshold: 2 }), RangeError, "expected from 0 to 1");
});

Deno.test("the page marks both sides, and hostile names and sources stay text", () => {
  const evil = `</pre><script>window.ran=1</script><img src=x onerror="window.ran=1">`;
  const source = `${MODULES[0]}\nconst evil = ${JSON.stringify(evil)};`;
  const all = [submission(`<b>${evil}`, source), submission("b", source)];
  const html = renderSimilarities(findSimilar(all, EMPTY), all, { assignment: evil });
  assert(!/<script|<img|onerror="/i.test(html.replaceAll("&quot;", "")));
  assertStringIncludes(html, "never a verdict");
  assertStringIncludes(html, 'href="#m-1-1-second"');
  assertStringIncludes(html, 'id="m-1-1-second"');
  const none: Notebook = EMPTY;
  assertStringIncludes(
    renderSimilarities({ pairs: [], commonPassages: 0 }, [{ id: "a", notebook: none }]),
    "1 submission compared",
  );
});

Deno.test({
  name:
    `the page of similar submissions is clean under axe-core, and its links open what is folded${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  async fn() {
    const all = [
      submission("ada", MODULES[0]!, MODULES[1]!),
      submission("grace", disguise(MODULES[0]!, 5)),
      submission("linus", disguise(MODULES[1]!, 8)),
    ];
    const html = renderSimilarities(findSimilar(all, EMPTY), all, { assignment: "Week 1" });
    const browser = await launchBrowser();
    try {
      for (const [colorScheme, width] of [["light", 1400], ["dark", 390]] as const) {
        const page = await browser.newPage({
          bypassCSP: true,
          colorScheme,
          viewport: { width, height: 900 },
        });
        await page.setContent(html);
        await page.locator('a[href="#pair-2"]').click();
        await page.locator("#pair-2 mark").first().waitFor();
        assertEquals(await axeViolations(page), []);
        await page.close();
      }
    } finally {
      await browser.close();
    }
  },
});
