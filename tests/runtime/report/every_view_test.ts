// Every view in a report and on static pages, as a reader sees it: on a phone, on a desk, on paper, and through axe-core.

import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { renderStaticPage } from "../../../lib/grade/page.ts";
import { renderReport } from "../../../lib/runtime/report/mod.ts";
import type { View } from "../../../lib/show/mod.ts";
import type { DpoStep } from "../../../lib/train/mod.ts";
import { chatStyles } from "../../../notebooks/views/chat_styles.ts";
import { trainingStep, wayOfAModel } from "../../../notebooks/views/diagram.ts";
import { leakView } from "../../../notebooks/views/duplicate_leak.ts";
import { gradientFlow, input, plus, tanh, times } from "../../../notebooks/views/gradient_flow.ts";
import { overfittingView } from "../../../notebooks/views/overfitting.ts";
import { preferenceView } from "../../../notebooks/views/preferences.ts";
import { raceRevealer } from "../../../notebooks/views/race_revealer.ts";
import { rankSlider } from "../../../notebooks/views/rank.ts";
import { recordedAnswers } from "../../../notebooks/views/recorded_model.ts";
import leakRuns from "../../../notebooks/traces/duplicate_leak.json" with { type: "json" };
import ranks from "../../../notebooks/traces/ranks.json" with { type: "json" };
import realModel from "../../../notebooks/traces/real_model.json" with { type: "json" };
import { axeViolations } from "../../axe.ts";
import { chromiumProgram, launchBrowser, open } from "../../browser.ts";
import { charts, composed, others } from "../../show/every_view.ts";
import { code, display, notebookOf, sampleManifest, sampleNotebook } from "./sample.ts";

/** Steps whose chosen answers become less likely while the loss falls. */
const preferenceSteps = (rate: number) =>
  [0, 1, 2, 3].map((i) => ({
    step: i + 1,
    loss: Math.log1p(Math.exp(-rate * i)),
    accuracy: Number(i > 0),
    chosenLogProb: -2 - rate * i,
    rejectedLogProb: -2 - 4 * rate * i,
  } as DpoStep));

/** Views of chapters that need no model. */
const ofChapters: Record<string, View> = {
  chatStyles: chatStyles([{ role: "user", content: "Hello" }]),
  trainingStep: trainingStep(),
  wayOfAModel: wayOfAModel(),
  leakView: leakView(leakRuns),
  gradientFlow: gradientFlow(
    tanh("y", plus("sum", times("w·x", input("w", 0.8), input("x", 1.5)), input("b", -0.4))),
  ),
  overfittingView: overfittingView([7, 4, 3, 2, 1].map((training, epoch) => ({
    ...{ epoch, training, heldOut: 4 + (epoch - 2) ** 2 / 4, plain: 1 + epoch / 4 },
  }))),
  preferenceView: preferenceView(["Name the capital city of Belgium."], [
    { name: "brief", steps: preferenceSteps(1), answers: ["It is Brussels."] },
    { name: "brief, ten times the rate", steps: preferenceSteps(10), answers: ["It".repeat(60)] },
  ]),
  raceRevealer: raceRevealer(),
  rankSlider: rankSlider(ranks),
  recordedAnswers: recordedAnswers(realModel),
};

/** In the page: what sticks out of it, of its drawing, or lies on something else of its chart. */
function findMisplaced(): string[] {
  const found: string[] = [];
  const width = document.documentElement.clientWidth;
  const say = (what: string, element: Element) =>
    found.push(`${what}: <${element.localName}> ${(element.textContent ?? "").slice(0, 60)}`);
  const scrolls = (element: Element): boolean => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(box).overflowX)) return true;
    }
    return false;
  };
  for (const element of document.querySelectorAll("main *")) {
    const { left, right, width: own, height } = element.getBoundingClientRect();
    if (element.parentElement!.closest("svg")) continue; // drawings cut off what is beyond them
    if (own === 0 || height === 0 || right < 0) continue; // not shown; Plotly measures beyond the left edge
    if ((right > width + 1 || left < -1) && !scrolls(element)) say("beyond the page", element);
  }
  for (const text of document.querySelectorAll(".main-svg text, svg.tb-chart text")) {
    const [inner, outer] = [text, text.closest("svg.main-svg, svg.tb-chart")!]
      .map((element) => element.getBoundingClientRect());
    if (inner.width === 0 || outer.width === 0) continue;
    if (inner.left < outer.left - 2 || inner.right > outer.right + 2 || inner.top < outer.top - 2) {
      say("beyond its drawing", text);
    }
  }
  for (const chart of document.querySelectorAll(".js-plotly-plot")) {
    const part = (name: string) => chart.querySelector(name)?.getBoundingClientRect();
    const [title, legend, plot] = [part(".gtitle"), part(".legend"), part(".nsewdrag")];
    const upperAxis = part(".x2title");
    const below = (upper?: DOMRect, lower?: DOMRect) =>
      !upper || !lower || lower.top >= upper.bottom - 2;
    if (!below(title, legend)) say("the legend lies on the title", chart);
    if (!below(title, upperAxis)) say("the title lies on the upper axis", chart);
    if (!below(title, plot)) say("the title lies on the plot", chart);
    if (legend && plot && legend.bottom > plot.top + 2 && legend.top < plot.bottom - 2) {
      say("the legend lies on the plot", chart);
    }
  }
  return found;
}

/** What is misplaced once charts have been laid out again, which takes time. */
async function misplaced(page: Page): Promise<string[]> {
  for (let tries = 0;; tries++) {
    const found = await page.evaluate(findMisplaced);
    if (found.length === 0 || tries === 100) return found;
    await page.waitForTimeout(200);
  }
}

/** Takes a picture where TUNEBOOK_SCREENSHOTS names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

Deno.test({
  name:
    `every view is whole and accessible in a report and on a static page${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    const views = { ...charts, ...others, ...composed, ...ofChapters };
    const sample = sampleNotebook();
    const shown = Object.entries(views).map(([name, view]) =>
      code(`${name};`, [display(view.bundle)])
    );
    const notebook = notebookOf(...sample.cells, ...shown);
    const folder = await Deno.makeTempDir({ prefix: "tunebook-views-" });
    const report = `${folder}/report.html`;
    await Deno.writeTextFile(
      report,
      await renderReport(notebook, { manifest: sampleManifest(sample) }),
    );
    const page = `${folder}/page.html`;
    const body = Object.values(views).map(({ html }) => html).join("");
    await Deno.writeTextFile(page, renderStaticPage({ title: "Every view", body }));
    const browser = await launchBrowser();
    try {
      for (const [width, colorScheme] of [[390, "light"], [1280, "dark"]] as const) {
        for (const [name, path] of [["report", report], ["page", page]]) {
          await t.step(`${name}, ${width} pixels, ${colorScheme}`, async () => {
            const viewport = { width, height: 900 };
            const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
            const { page, trouble } = await open(context, path);
            if (name === "report") await page.waitForSelector(".nb-drawn");
            await picture(page, `every-view-${name}-${width}-${colorScheme}`);
            assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), width);
            assertEquals(await misplaced(page), []);
            assertEquals(trouble, { console: [], requests: [], ran: [] });
            assertEquals(await axeViolations(page), []);
            await context.close();
          });
        }
      }

      await t.step("the test would notice", async () => {
        const page = await browser.newPage({ viewport: { width: 390, height: 900 } });
        await page.setContent(
          `<main><p style="width:500px">wide</p><div style="overflow-x:auto"><p style="width:500px">scrolls</p></div>
          <svg class="tb-chart" width="100" height="50"><text x="80" y="20">cut off here</text></svg></main>`,
        );
        assertEquals(await page.evaluate(findMisplaced), [
          "beyond the page: <p> wide",
          "beyond its drawing: <text> cut off here",
        ]);
        assert((await axeViolations(page)).length > 0);
        await page.close();
      });

      await t.step(
        "paper: nothing beyond its edge, and controls stay with their picture",
        async () => {
          const width = 673; // A4 without its margins, in CSS pixels
          const context = await browser.newContext({ viewport: { width, height: 900 } });
          const { page } = await open(context, report);
          await page.waitForSelector(".nb-drawn");
          await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
          await page.emulateMedia({ media: "print" });
          await picture(page, "every-view-paper");
          assertEquals(await misplaced(page), []);
          const breaks = await page.locator(".tb-frames").evaluateAll((all) =>
            all.map((one) => getComputedStyle(one).breakInside)
          );
          assertEquals(new Set(breaks), new Set(["avoid"]));
          await context.close();
        },
      );
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
