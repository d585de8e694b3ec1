// Reports in a real browser with the network off.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { parseNotebook } from "../../../lib/runtime/notebook.ts";
import { renderReport } from "../../../lib/runtime/report/mod.ts";
import { chromiumProgram, launchBrowser, open, watch } from "../../browser.ts";
import { hostileManifest, hostileNotebooks } from "./hostile.ts";
import { markdown, notebookOf, sampleManifest, sampleNotebook } from "./sample.ts";

/** In the page: what a report may not hold. */
function audit(): string[] {
  const found: string[] = [];
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    if (
      /^(?:iframe|object|embed|form|input|button|textarea|base|video|audio|template)$/.test(name)
    ) {
      if (!(name === "button" && element.matches(".nb-button, .js-plotly-plot .modebar button"))) {
        found.push(`<${name}>`);
      }
    }
    if (
      /^(?:animate|animatemotion|animatetransform|set|foreignobject|annotation-xml)$/i.test(name)
    ) {
      found.push(`<${name}>`);
    }
    if (element.matches("svg a[href], svg a[*|href]")) found.push("link in a drawing");
    const hash = name === "script" && !(element as HTMLScriptElement).type;
    if (hash && !element.matches("head > script, body > script")) found.push("<script>");
    if (element.matches("main *") && element.matches("[id^=nb-], .nb-top, .nb-foot, .nb-toc")) {
      found.push(`name ${element.id}`);
    }
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name)) found.push(`${name}=${value}`);
      const address = /^(?:href|src|xlink:href|action|formaction|data|poster|background|srcset)$/
        .test(name);
      const opensLater = element.localName === "a" && /^(?:https?|mailto):/.test(value);
      if (address && !/^(?:#|data:image\/|data:,$)/.test(value) && !opensLater) {
        found.push(`<${element.localName} ${name}=${value}>`);
      }
    }
  }
  if (({} as Record<string, unknown>).polluted !== undefined) found.push("polluted prototype");
  return found;
}

const probe = (page: Page) =>
  page.evaluate(() => {
    const { ran } = globalThis as { ran?: unknown };
    return { ran: ran !== undefined && ran !== null, location: location.protocol };
  });

Deno.test({
  name: `renderReport() draws charts without console messages or requests${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    const browser = await launchBrowser();
    try {
      const notebook = sampleNotebook();
      const path = `${folder}/sample.html`;
      const html = await renderReport(notebook, { manifest: sampleManifest(notebook) });
      await Deno.writeTextFile(path, html);
      assert(html.length < 3_000_000, `the report has ${html.length} characters`);

      for (const colorScheme of ["light", "dark"] as const) {
        await t.step(colorScheme, async () => {
          const context = await browser.newContext({
            colorScheme,
            viewport: { width: 1280, height: 900 },
          });
          const { page, trouble } = await open(context, path);
          await page.waitForSelector(".nb-drawn");
          assertEquals(await page.locator(".nb-live .js-plotly-plot .main-svg").count() > 0, true);
          assertEquals(await page.locator(".nb-chart.nb-live").count(), 2);
          assertEquals(await page.locator(".tb-still").isVisible(), false);
          assertEquals(await page.locator("h1").count(), 1);
          const [background, ink] = await page.evaluate(() => [
            getComputedStyle(document.body).backgroundColor,
            document.querySelector(".js-plotly-plot .xtick text")!.getAttribute("style") ?? "",
          ]);
          assertEquals(
            background,
            colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(21, 24, 29)",
          );
          assertStringIncludes(
            ink,
            colorScheme === "light" ? "rgb(29, 33, 41)" : "rgb(225, 229, 236)",
          );
          // The chips follow the page's own switch, not only the system's setting.
          const chip = () =>
            page.locator(".tb-prompt").first().evaluate((e) => getComputedStyle(e).backgroundColor);
          const lightChip = "rgb(219, 230, 248)", darkChip = "rgb(36, 55, 90)";
          assertEquals(await chip(), colorScheme === "light" ? lightChip : darkChip);
          await page.click("#nb-theme");
          assertEquals(await chip(), colorScheme === "light" ? darkChip : lightChip);
          assertEquals(
            await page.getAttribute("#nb-theme", "aria-pressed"),
            String(colorScheme === "light"),
          );
          assertEquals(trouble, { console: [], requests: [], ran: [] });
          await context.close();
        });
      }

      await t.step("phone: nothing is wider than the screen", async () => {
        const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
        const { page, trouble } = await open(context, path);
        await page.waitForSelector(".nb-drawn");
        assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 390);
        assertEquals(trouble, { console: [], requests: [], ran: [] });
        await context.close();
      });

      await t.step("keyboard: skip link, folding, saving the notebook", async () => {
        const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
        const { page } = await open(context, path);
        await page.waitForSelector(".nb-drawn");
        await page.keyboard.press("Tab");
        assertEquals(
          await page.evaluate(() => document.activeElement?.textContent),
          "Skip to content",
        );
        await page.keyboard.press("Enter");
        assertEquals(await page.evaluate(() => document.activeElement?.id), "nb-main");
        assertEquals(await page.locator(".nb-code[open]").count(), 6);
        await page.click("#nb-fold");
        assertEquals(await page.locator(".nb-code[open]").count(), 0);
        assertEquals(await page.textContent("#nb-fold"), "Show code");
        await page.click("#nb-fold");
        assertEquals(await page.locator(".nb-code[open]").count(), 7);
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.click("#nb-save"),
        ]);
        assertEquals(download.suggestedFilename(), "00_fine_tune_gpt2.ipynb");
        const saved = await Deno.readTextFile(await download.path());
        assertEquals(parseNotebook(saved).cells.length, notebook.cells.length);
        await context.close();
      });

      await t.step("paper: static drawings, light colours, times unfolded", async () => {
        const context = await browser.newContext({ colorScheme: "dark" });
        const { page } = await open(context, path);
        await page.waitForSelector(".nb-drawn");
        await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
        await page.emulateMedia({ media: "print" });
        assertEquals(await page.locator(".tb-still").isVisible(), true);
        assertEquals(await page.locator(".nb-times table").isVisible(), true);
        assertEquals(
          await page.evaluate(() => getComputedStyle(document.body).color),
          "rgb(29, 33, 41)",
        );
        await page.emulateMedia({ media: "screen" });
        await page.evaluate(() => dispatchEvent(new Event("afterprint")));
        assertEquals(await page.locator(".tb-still").isVisible(), false);
        await context.close();
      });

      await t.step("without scripts: everything can be read", async () => {
        const context = await browser.newContext({ javaScriptEnabled: false });
        const { page } = await open(context, path);
        assertEquals(await page.locator(".tb-still").isVisible(), true);
        assertEquals(await page.locator("#nb-theme").isVisible(), false);
        assertStringIncludes(
          await page.locator(".nb-chart").nth(1).innerText(),
          "ROUGE-L 0.21 before, 0.58 after",
        );
        await context.close();
      });
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: `renderReport() runs and fetches nothing of hostile notebooks${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    const browser = await launchBrowser();
    try {
      assert(Object.keys(hostileNotebooks).length >= 30);
      await t.step("the test would notice", async () => {
        const path = `${folder}/control.html`;
        await Deno.writeTextFile(
          path,
          `<img src=x onerror="window.ran=1"><img src="https://evil.example/a.png"><iframe></iframe>`,
        );
        const context = await browser.newContext();
        const { page, trouble } = await open(context, path);
        await page.waitForFunction(() => "ran" in globalThis);
        assertEquals((await probe(page)).ran, true);
        assertEquals(trouble.requests.includes("https://evil.example/a.png"), true);
        assertEquals((await page.evaluate(audit)).length > 2, true);
        await context.close();
      });
      const context = await browser.newContext({ viewport: { width: 1000, height: 800 } });
      await context.setOffline(true);
      const page = await context.newPage();
      const trouble = watch(page);
      const check = async (html: string) => {
        for (const list of Object.values(trouble)) list.length = 0;
        const path = `${folder}/hostile.html`;
        await Deno.writeTextFile(path, html);
        await page.goto(`file://${path}`);
        await page.waitForSelector(".nb-drawn", { state: "attached" });
        assertEquals(await page.evaluate(audit), []);
        assertEquals(await probe(page), { ran: false, location: "file:" });
        // What Plotly itself says about a wrong figure is not an untrusted script.
        const messages = trouble.console.filter((text) =>
          !/^(?:WARN|LOG):|Cannot draw a chart/.test(text)
        );
        assertEquals({ ...trouble, console: messages }, { console: [], requests: [], ran: [] });
        assertEquals(await page.locator("#nb-main").isVisible(), true);
      };
      // There are two fences, the sanitiser and the content policy. The first must hold alone ...
      for (const [name, notebook] of Object.entries(hostileNotebooks)) {
        await t.step(`${name}, without the content policy`, async () => {
          const html = await renderReport(notebook, {
            manifest: hostileManifest,
            title: name.length % 2 === 0 ? undefined : `</title><script>window.ran=1</script>`,
          });
          const bare = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
          assert(bare.length < html.length);
          await check(bare);
        });
      }
      // ... and leave nothing for the second to complain about, which the console would show.
      await t.step("all of them in one notebook, with the content policy", async () => {
        const cells = Object.values(hostileNotebooks).flatMap((notebook) => notebook.cells);
        await check(await renderReport(notebookOf(...cells), { manifest: hostileManifest }));
      });
      await t.step("the content policy alone stops script and requests", async () => {
        const html = await renderReport(notebookOf(markdown("Text, then PLACE")));
        const path = `${folder}/policy.html`;
        await Deno.writeTextFile(
          path,
          html.replace(
            "PLACE",
            `<script>window.ran=1</script><img src="data:," onerror="window.ran=1">` +
              `<svg onload="window.ran=1"></svg><iframe srcdoc="<script>parent.ran=1</script>"></iframe>`,
          ),
        );
        for (const list of Object.values(trouble)) list.length = 0;
        await page.goto(`file://${path}`);
        await page.waitForSelector(".nb-drawn", { state: "attached" });
        assertEquals((await probe(page)).ran, false);
        assertEquals(trouble.requests.filter((url) => url !== "about:srcdoc"), []);
        assert(trouble.console.some((text) => text.includes("Content Security Policy")));
      });
      await context.close();
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
