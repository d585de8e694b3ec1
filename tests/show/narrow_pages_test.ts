// Pages of runs and evaluations on a phone and on paper: all answers can be read, nothing is cut at an edge.

import { assert, assertEquals } from "@std/assert";
import { evaluateAnswers } from "../../lib/eval/mod.ts";
import { renderStaticPage } from "../../lib/grade/page.ts";
import { evaluationView, runsView, type View } from "../../lib/show/mod.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";

const NAMES = ["models/rank4/in/folders/with/long/names", "hf:owner/some-model-instruct", "b"];

const answersOf = (model_response: string) =>
  Array.from({ length: 3 }, (_, i) => ({
    instruction: `Explain in a few words why the number ${i} is even or odd.`,
    input: "",
    output: "Divided by two, an even number leaves no rest.",
    model_response,
    category: "arithmetic",
  }));

async function pages(): Promise<Record<string, View>> {
  const answers = answersOf(`It leaves none, as in A_long_word_${"x".repeat(80)}.`);
  const runs = NAMES.map((name, i) => ({
    name,
    settings: { base: "hf:owner/some-model-instruct", rank: i, template: "{{ x }} ".repeat(30) },
    history: [{ step: 1, loss: 3 - i }, { step: 2, loss: 2 - i }],
    scores: { rougeL: { corpus: 0.5, interval: [0.25, 0.75] as const } },
    answers,
  }));
  const report = await evaluateAnswers(
    { name: NAMES[0], responses: answers },
    { name: NAMES[1], responses: answersOf("An even number leaves no rest.") },
  );
  const short = { ...report, names: { base: "base", model: "tuned" } };
  return {
    runs: runsView(runs),
    evaluation: evaluationView(report),
    short: evaluationView(short),
  };
}

Deno.test({
  name: `runs and evaluations fit a phone and a sheet of paper${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    const browser = await launchBrowser();
    try {
      for (const [name, view] of Object.entries(await pages())) {
        const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
        const page = await context.newPage();
        await page.setContent(renderStaticPage({ title: name, body: view.html }));
        const width = () => page.evaluate(() => document.documentElement.scrollWidth);
        /** Texts of which a part is beyond the page's edge. */
        const cut = (selector: string) =>
          page.locator(selector).evaluateAll((all) =>
            all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
              .map((one) => one.textContent?.slice(0, 40))
          );
        assertEquals(await width(), 390, name);
        assertEquals(await cut("h2, p, .tb-table:has(.tb-long) td"), [], name);
        assertEquals(await cut('th:text-is("verdict")'), [], "verdicts are in sight");
        const [label] = await page.locator(".tb-long").evaluateAll((cells) =>
          cells.map((cell) => getComputedStyle(cell, "::before").content)
        );
        assert(/prompt|question|metric/i.test(label), `cells have their headings: ${label}`);
        await page.emulateMedia({ media: "print" });
        await page.setViewportSize({ width: 718, height: 1000 });
        assertEquals([await width(), await cut("h2, p, th, td")], [718, []], `${name} in print`);
        await context.close();
      }
    } finally {
      await browser.close();
    }
  },
});
