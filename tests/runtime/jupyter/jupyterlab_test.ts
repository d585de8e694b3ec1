// The kernel in a real JupyterLab: Run All keeps every output under its cell, stop keeps the state, and
// type errors and stale results stand above the outputs that they are about.

import { assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { chromiumProgram, launchBrowser } from "../../browser.ts";
import { jupyterProgram, notebookText, startJupyterLab } from "../../jupyterlab.ts";

/** How often all cells are run. */
const RUNS = Number(Deno.env.get("TUNEBOOK_RUNS") ?? 3);

const cells = [
  "for (let i = 0; i < 200; i++) console.log('a' + i); 'end'",
  `console.log("b"); await Deno.jupyter.display({ "text/plain": "shown" }, { raw: true });
console.error("c"); NaN`,
  "const base = 2; for (let i = 0; i < 201; i++) console.log('d' + i);",
  "const wrong: string = base; wrong * 1",
  "setTimeout(() => { throw new Error('timer') }, 5); await new Promise((f) => setTimeout(f, 1000));",
  "'done ' + import.meta.filename!.split('/').at(-1)",
  // Run by hand.
  "console.log('begun'); await new Promise(() => {})",
];

const notebook = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook";
const cell = (page: Page, index: number) => page.locator(`${notebook} .jp-Cell`).nth(index);
const outputs = (page: Page, index: number) => cell(page, index).locator(".jp-OutputArea-output");

const ready = chromiumProgram.found && jupyterProgram.found;

Deno.test({
  name: `the kernel in JupyterLab's Run All${chromiumProgram.needs}${jupyterProgram.needs}`,
  ignore: !ready,
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    await using lab = await startJupyterLab();
    await Deno.writeTextFile(
      `${lab.folder}/book.ipynb`,
      notebookText(cells, {
        kernelspec: { display_name: "Deno (Tunebook)", language: "typescript", name: "tunebook" },
      }),
    );
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 2400 } });
      page.setDefaultTimeout(60_000);
      await page.goto(lab.address("book.ipynb"));
      await cell(page, cells.length - 1).waitFor();
      await page.getByText("Deno (Tunebook) | Idle").first().waitFor();
      const picture = async (name: string) => {
        const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
        if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
      };

      await t.step(`every output is in its place, ${RUNS} times`, async () => {
        for (let run = 0; run < RUNS; run++) {
          if (run > 0) {
            await page.getByRole("menuitem", { name: "Edit", exact: true }).click();
            await page.getByRole("menuitem", { name: "Clear Outputs of All Cells" }).click();
          }
          await cell(page, cells.length - 1).click();
          await page.getByRole("menuitem", { name: "Run", exact: true }).click();
          await page.getByRole("menuitem", { name: "Run All Above Selected Cell" }).click();
          await cell(page, 4).locator(".jp-OutputArea-output", { hasText: "timer" }).waitFor();
          await page.getByText("Deno (Tunebook) | Idle").first().waitFor();
          const text = async (index: number) =>
            (await outputs(page, index).allInnerTexts()).map((one) => one.trim()).filter(Boolean)
              .join("\n");
          const lines = (letter: string, count: number) =>
            Array.from({ length: count }, (_, i) => `${letter}${i}`).join("\n");
          assertEquals(await text(0), `${lines("a", 200)}\n"end"`);
          assertEquals(await text(1), "b\nshown\nc\nNaN");
          assertEquals(await text(2), lines("d", 201));
          assertMatch(await text(4), /^Error: timer/);
          // A cell failed, so the next was not run.
          assertEquals(await text(5), "");
        }
      });

      await t.step("a type error stands above the output of its cell", async () => {
        await outputs(page, 3).filter({ hasText: "TS2322" }).waitFor();
        const texts = (await outputs(page, 3).allInnerTexts()).map((one) => one.trim());
        assertMatch(texts.filter(Boolean)[0], /^TS2322: Type 'number' is not assignable/);
        assertEquals(texts.at(-1), "2");
        await picture("type_error");
      });

      await t.step("stop in a pending await keeps the state", async () => {
        await cell(page, 6).click();
        await page.keyboard.press("Control+Enter");
        await outputs(page, 6).filter({ hasText: "begun" }).waitFor();
        await page.getByRole("menuitem", { name: "Kernel", exact: true }).click();
        await page.getByRole("menuitem", { name: "Interrupt Kernel" }).click();
        await outputs(page, 6).filter({ hasText: "Stopped: Cell [" }).waitFor();
        await page.getByText("Deno (Tunebook) | Idle").first().waitFor();
        await cell(page, 5).click();
        await page.keyboard.press("Control+Enter");
        await outputs(page, 5).filter({ hasText: '"done book.ipynb"' }).waitFor();
      });

      await t.step("a result that no longer follows says so", async () => {
        await cell(page, 2).click();
        await page.keyboard.press("Control+Enter");
        await outputs(page, 3).filter({ hasText: "Stale: base has changed since" }).waitFor();
        await picture("stale");
      });
    } finally {
      await browser.close();
    }
  },
});
