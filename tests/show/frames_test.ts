/** Frames: what is stored, and their controls in a real browser, by their own script and by a report's. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Page } from "playwright-core";
import { frames, lineChart, table, type View } from "../../lib/show/mod.ts";
import { parseNotebook, renderReport } from "../../lib/runtime/mod.ts";
import { chromiumProgram, launchBrowser, open } from "../browser.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

function example(): View {
  return frames(
    { "step <1>": [0, 10, 20], smooth: [false, true], layout: ["padded", "forest"] },
    (settings) =>
      settings.smooth
        ? lineChart({ loss: [3, 2, 1] }, { title: JSON.stringify(settings) })
        : table([settings]),
    { title: "Try & see", start: { "step <1>": 10 }, labels: { layout: "batch" } },
  );
}

Deno.test("frames() draws each combination once, one of them open, without the charts' scripts", () => {
  const { html, text } = example();
  assertEquals(html.match(/<details/g)?.length, 12);
  assertEquals(html.match(/ open>/g)?.length, 1);
  assertStringIncludes(html, 'class="tb-frame tb-at-1-0-0" open');
  assertStringIncludes(html, "<b>step &lt;1&gt;</b>: <span>0</span>");
  assertEquals(html.match(/<script/g)?.length, 1);
  assertStringIncludes(text, "Try & see\nstep <1> 10, not smooth, batch padded (one of 12 frames)");
});

Deno.test("frames() refuses too many frames, none, and a start that is not a value", () => {
  const many = Array.from({ length: 300 }, (_, i) => i);
  assertThrows(() => frames({ many }, () => table([])), RangeError, "300 frames");
  assertThrows(() => frames({ none: [] }, () => table([])), RangeError, "0 frames");
  assertThrows(
    () => frames({ a: [1, 2] }, () => table([]), { start: { a: 3 as 1 } }),
    RangeError,
    'Cannot start with "a" 3: expected one of [1,2]',
  );
});

Deno.test({
  name: `frames() has controls in a notebook's page and in a report${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  async fn(t) {
    using temporary = new TemporaryDirectory();
    const { html, text } = example();
    const output = {
      output_type: "display_data",
      data: { "text/html": html, "text/plain": text },
      metadata: {},
    };
    const cell = {
      cell_type: "code",
      id: "a",
      execution_count: 1,
      metadata: {},
      source: "frames()",
      outputs: [output],
    };
    const notebook = parseNotebook(
      JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    );
    const pages = {
      "a notebook's page": `<!DOCTYPE html><title>Page</title><body>${html}`,
      "a report": await renderReport(notebook),
    };
    const browser = await launchBrowser();
    try {
      for (const [name, page] of Object.entries(pages)) {
        await t.step(name, async () => {
          const path = `${temporary.path}/page.html`;
          await Deno.writeTextFile(path, page);
          const context = await browser.newContext({ viewport: { width: 700, height: 600 } });
          const opened = await open(context, path);
          await use(opened.page, name);
          assertEquals(opened.trouble, { console: [], requests: [], ran: [] });
          await context.close();
        });
      }
    } finally {
      await browser.close();
    }
  },
});

async function use(page: Page, name: string): Promise<void> {
  const shown = async () => {
    const frames = page.locator(".tb-frame:visible");
    assertEquals(await frames.count(), 1);
    return /tb-at-[\d-]+/.exec(await frames.getAttribute("class") ?? "")?.[0];
  };
  assertEquals(await shown(), "tb-at-1-0-0");
  await page.getByLabel("step <1>: one step back").click();
  assertEquals(await shown(), "tb-at-0-0-0");
  await page.getByRole("slider", { name: "step <1>" }).press("End");
  await page.getByRole("checkbox", { name: "smooth" }).check();
  await page.getByRole("button", { name: "forest" }).click();
  assertEquals(await shown(), "tb-at-2-1-1");
  assertEquals(await page.locator("svg.tb-chart:visible").count(), 1);
  const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
  if (folder) await page.screenshot({ path: `${folder}/frames ${name}.png` });
}
