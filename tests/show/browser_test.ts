/** Views in a real browser: nothing runs off a narrow page, nothing is fetched, Plotly takes every chart. */

import { assert, assertEquals } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import type { View } from "../../lib/show/mod.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";
import { charts, others } from "./every_view.ts";

const pageOf = (views: View[], dark: boolean) =>
  `<!doctype html><title>Views</title><body style="margin:8px;background:${
    dark ? "#111" : "#fff"
  };color:${dark ? "#ddd" : "#222"}">${views.map(({ html }) => html).join("<hr>")}`;

async function withPage(
  browser: Browser,
  width: number,
  body: (page: Page, complaints: string[]) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) complaints.push(`fetched ${request.url()}`);
  });
  page.setDefaultTimeout(60_000);
  await body(page, complaints);
  assertEquals(complaints, []);
  await page.close();
}

Deno.test({
  name: `views draw in a browser, narrow and wide, light and dark${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    const browser = await launchBrowser();
    try {
      for (const [width, dark] of [[320, false], [390, true], [1100, true]] as const) {
        await t.step(`${width} pixels, ${dark ? "dark" : "light"}`, async () => {
          await withPage(browser, width, async (page) => {
            await page.setContent(
              pageOf([...Object.values(charts), ...Object.values(others)], dark),
            );
            const wide = await page.evaluate(() => document.documentElement.scrollWidth);
            assertEquals(wide, width, "the page scrolls sideways");
            assertEquals(await page.locator(".tb-picture:visible").count(), 0);
            assertEquals(await page.locator("svg.tb-chart:visible").count(), 7);
            const sideways = await page.locator(".tb-still:has(> .tb-chart)").evaluateAll((all) =>
              all.filter((one) => one.scrollWidth > one.clientWidth).length
            );
            assertEquals(sideways, 0, "charts that scroll sideways");
            // Text takes the page's own colour.
            const color = await page.locator("svg.tb-chart text").first().evaluate((text) =>
              getComputedStyle(text).fill
            );
            assertEquals(color, dark ? "rgb(221, 221, 221)" : "rgb(34, 34, 34)");
            const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
            if (folder) {
              const path = `${folder}/views-${width}${dark ? "-dark" : ""}.png`;
              await page.screenshot({ path, fullPage: true });
            }
          });
        });
      }

      await t.step("what a page sanitises shows pictures, beside what it trusts", async () => {
        // What JupyterLab does to cells that it does not trust: these tags go, their text stays.
        const sanitise = ({ html }: View) =>
          html.replace(/<(style|script)\b[^]*?<\/\1>/g, "")
            .replace(/<\/?(?:svg|g|path|text|title)\b[^>]*>/g, "");
        await withPage(browser, 800, async (page) => {
          const all = Object.values(charts);
          await page.setContent(
            pageOf(all, false) + `<div id="strange">${all.map(sanitise).join("")}</div>`,
          );
          assertEquals(await page.locator("svg.tb-chart:visible").count(), 7);
          assertEquals(await page.locator(".tb-picture:visible").count(), 7);
          assertEquals((await page.locator("#strange").innerText()).trim(), "");
        });
      });

      for (const width of [360, 800]) {
        await t.step(`no label leaves its drawing, ${width} pixels`, async () => {
          await withPage(browser, width, async (page) => {
            await page.setContent(pageOf(Object.values(charts), false));
            const outside = await page.evaluate(() =>
              [...document.querySelectorAll("svg.tb-chart > text")].filter((text) => {
                const [inner, outer] = [text, text.closest("svg")!].map((e) =>
                  e.getBoundingClientRect()
                );
                return inner.left < outer.left - 2 || inner.right > outer.right + 2 ||
                  inner.top < outer.top - 2 || inner.bottom > outer.bottom + 2;
              }).map((text) => text.textContent)
            );
            assertEquals(outside, []);
          });
        });
      }

      await t.step("Plotly draws every chart, before or after it has come", async () => {
        const { default: plotly } = await import(
          "plotly.js-cartesian-dist-min/plotly-cartesian.min.js",
          { with: { type: "text" } }
        );
        const all = Object.values(charts);
        for (const [early, drawn] of [[true, [charts["barChart lying"]]], [false, all]] as const) {
          await withPage(browser, 800, async (page) => {
            const library = { content: plotly as unknown as string };
            await page.setContent("<!doctype html><body>");
            if (early) await page.addScriptTag(library);
            // As JupyterLab does it: parsed without running, then each script created again.
            await page.evaluate((html) => {
              document.body.innerHTML = html;
              for (const old of document.body.querySelectorAll("script")) {
                const script = document.createElement("script");
                for (const { name, value } of old.attributes) script.setAttribute(name, value);
                script.textContent = old.textContent;
                old.replaceWith(script);
              }
            }, drawn.map(({ html }) => html).join(""));
            if (!early) {
              assertEquals(await page.locator(".tb-still:visible").count(), drawn.length);
              await page.addScriptTag(library);
              await page.evaluate(() => dispatchEvent(new Event("tb-plotly")));
            }
            await page.waitForFunction(
              (count) => document.querySelectorAll(".tb-drawn").length === count,
              drawn.length,
            );
            assertEquals(await page.locator(".tb-still:visible").count(), 0);
            // Labels are shown as they are, not as markup.
            const lying = page.locator(".tb-live").nth(drawn.indexOf(charts["barChart lying"]));
            const labels = await lying.locator(".ytick").allTextContents();
            assert(labels.includes("<b>"), labels.join());
            const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
            if (folder) await page.screenshot({ path: `${folder}/plotly.png`, fullPage: true });
          });
        }
      });
    } finally {
      await browser.close();
    }
  },
});
