/**
 * Views in a real JupyterLab with the stock Deno kernel and no extension. With
 * `TUNEBOOK_SCREENSHOTS` naming a folder, pictures to look at are left there.
 */

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { plotlyMimeType } from "../../lib/show/figure.ts";
import { provenanceMimeType } from "../../lib/provenance.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";
import { type JupyterLab, jupyterProgram, notebookText, startJupyterLab } from "../jupyterlab.ts";

const root = new URL("../../", import.meta.url);

const cells = [
  `import * as show from "show";
import { recordProvenance } from "provenance";`,
  `const history = Array.from({ length: 60 }, (_, i) => ({
  step: i + 1, totalSteps: 60, loss: 3 * Math.exp(-i / 15) + 0.5,
  ...(i % 10 === 9 && { evaluation: { validationLoss: 3 * Math.exp(-i / 15) + 0.7 } }),
  tokensComputed: 280, tokensCounted: 105, learningRate: 5e-5, gradientNorm: 1,
}));
show.lossCurve(history, { title: "A loss curve" })`,
  `for await (const _ of show.liveTraining({ title: "Training" }).watch(async function* () {
  for (const step of history) { await new Promise((r) => setTimeout(r, 15)); yield step; }
}()));`,
  `show.tokenView({
  tokens: ["Hello", ",", " <b>", "\\n", " world", "<|endoftext|>"],
  roles: ["prompt", "prompt", "prompt", "prompt", "response", "end"],
  counted: [false, false, false, false, true, true],
}, { title: "Tokens" })`,
  `show.forestView({
  tokens: [1, 2, 3, 4, 5], positions: [0, 1, 2, 2, 3], end: [5, 5, 3, 5, 5],
  edges: { rows: [1, 1, 2, 3, 4], targets: [3, 4, 50256, 5, 50256], counts: [1, 1, 1, 1, 1] },
  tokensPadded: 8,
}, { decode: (ids) => " t" + ids.join() }, { title: "Forest" })`,
  `show.compareTable([{ prompt: "Capital of France?", reference: "Paris", before: "I", after: "Paris" }],
  { caption: "Before and after" })`,
  `await show.progress("Working", 3).finish("done");`,
  // Shown in the middle of a cell, not as its last value. Not the first cell, whose output the stock kernel may lose.
  `await recordProvenance("seed", { value: 123 });
await Deno.jupyter.display(show.histogram([1, 2, 2, 3, 3, 3], { title: "A histogram" }));
show.heatmap([[1, 2], [3, 4]], { title: "A heatmap" })`,
  // Run by itself, after the others.
  `await show.enableLivePlotly();`,
];

async function writeNotebook(lab: JupyterLab): Promise<void> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const packages = Object.entries(imports as Record<string, string>)
    .filter(([, target]) => target.startsWith("npm:"));
  const config = {
    nodeModulesDir: "none",
    imports: {
      ...Object.fromEntries(packages),
      show: new URL("lib/show/mod.ts", root).href,
      provenance: new URL("lib/provenance.ts", root).href,
    },
  };
  await Deno.writeTextFile(`${lab.folder}/deno.json`, JSON.stringify(config));
  const notebook = notebookText(cells, {
    kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
    language_info: { name: "typescript" },
  });
  await Deno.writeTextFile(`${lab.folder}/show.ipynb`, notebook);
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

/** The notebook in front. */
const notebook = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook";

const output = (page: Page, cell: number) =>
  page.locator(`${notebook} .jp-Cell`).nth(cell).locator(".jp-OutputArea-output");

const ready = chromiumProgram.found && jupyterProgram.found;

Deno.test({
  name:
    `views draw in JupyterLab without an extension, trusted or not${chromiumProgram.needs}${jupyterProgram.needs}`,
  ignore: !ready,
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    const dark = { theme: "JupyterLab Dark" };
    await using lab = await startJupyterLab({
      settings: Deno.env.has("TUNEBOOK_DARK")
        ? { "@jupyterlab/apputils-extension:themes": dark }
        : {},
    });
    await writeNotebook(lab);
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 3200 } });
      page.setDefaultTimeout(120_000);
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        const { hostname, protocol } = new URL(request.url());
        if (protocol.startsWith("http") && hostname !== "127.0.0.1") complaints.push(request.url());
      });
      await page.goto(lab.address("show.ipynb"));
      await page.locator(`${notebook} .jp-Cell`).nth(cells.length - 1).waitFor();
      await page.getByText("Deno | Idle").first().waitFor();
      await page.locator(`${notebook} .jp-Cell`).last().click();
      await page.getByRole("menuitem", { name: "Run", exact: true }).click();
      await page.getByRole("menuitem", { name: "Run All Above Selected Cell" }).click();
      await output(page, 7).nth(1).waitFor();
      await page.getByText("Deno | Idle").first().waitFor();

      await t.step("charts are drawings at first", async () => {
        await output(page, 7).locator("svg.tb-chart:visible").nth(1).waitFor();
        assertEquals(await page.locator("svg.tb-chart:visible").count(), 4);
        assertEquals(await page.locator(".tb-picture:visible").count(), 0);
        const drawn = await output(page, 1).locator("svg.tb-chart:visible").evaluate((svg) =>
          [...svg.querySelectorAll("path")].some((path) =>
            path.getAttribute("stroke") === "#3b7dd8" && path.getBoundingClientRect().width > 200
          )
        );
        assert(drawn, "the curve is not there");
        await picture(page, "drawn");
      });

      await page.keyboard.press("Control+Enter");
      await t.step("charts become live where Plotly was loaded", async () => {
        await output(page, 1).locator(".tb-live .main-svg").first().waitFor();
        assert(await output(page, 1).locator(".tb-still").isHidden());
        const title = await output(page, 1).locator(".tb-live .gtitle").textContent();
        assertEquals(title, "A loss curve");
        // Until its cell has ended, the output holds Plotly itself.
        await output(page, 8).getByText("Charts are live").waitFor();
        await picture(page, "live");
      });

      await t.step("tokens, forest, table and progress are visible", async () => {
        assertEquals(await output(page, 3).locator(".tb-run .tb-t:visible").count() > 6, true);
        assertEquals(await output(page, 3).locator(".tb-line .tb-t").nth(2).textContent(), "·<b>");
        assert(await output(page, 4).locator("svg.tb-picture-svg").isVisible());
        assert(await output(page, 5).locator("mark", { hasText: "Paris" }).isVisible());
        assertMatch(await output(page, 6).innerText(), /Working/);
        assertEquals(await page.locator(".tb-picture:visible").count(), 0);
      });

      await t.step("live training is one output with a chart in the end", async () => {
        assertEquals(await output(page, 2).count(), 1);
        assertMatch(await output(page, 2).innerText(), /step 60\/60/);
        await output(page, 2).locator(".tb-live .main-svg").first().waitFor();
      });

      await page.locator(`${notebook} .jp-Cell`).first().click();
      await page.keyboard.press("Control+S");
      await page.waitForFunction(() => !document.querySelector(".jp-mod-dirty"));
      let saved = "";
      for (let i = 0; i < 50 && !saved.includes(plotlyMimeType); i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        saved = await Deno.readTextFile(`${lab.folder}/show.ipynb`);
      }

      await t.step("the file holds figures and provenance, and no copy of Plotly", () => {
        const notebook = JSON.parse(saved);
        const bundles: Record<string, unknown>[][] = notebook.cells.map((
          { outputs }: { outputs: { data: Record<string, unknown> }[] },
        ) => outputs.map(({ data }) => data));
        assert(bundles.flat().some((data) => provenanceMimeType in data));
        for (const [cell, count] of [[1, 1], [2, 1], [7, 2]]) {
          assertEquals(bundles[cell].filter((data) => plotlyMimeType in data).length, count);
        }
        assertLess(saved.length, 300_000);
      });

      await t.step("a copy that is not trusted shows the same without scripts", async () => {
        const stranger = saved.replaceAll("A loss curve", "A stranger's curve");
        await Deno.writeTextFile(`${lab.folder}/stranger.ipynb`, stranger);
        await page.getByTitle("Refresh the file browser.").first().click();
        await page.locator(".jp-DirListing-item", { hasText: "stranger.ipynb" }).dblclick();
        await page.locator(`${notebook} .jp-Cell`).nth(cells.length - 1).waitFor();
        await output(page, 1).locator("img.tb-picture").waitFor();
        assertEquals(await page.locator(`${notebook} .jp-OutputArea-output svg`).count(), 0);
        assertEquals((await output(page, 1).innerText()).trim(), "");
        const drawn = await output(page, 1).locator("img.tb-picture").evaluate(
          (image) => (image as HTMLImageElement).naturalWidth,
        );
        assertEquals(drawn, 640);
        // Underlined is the run, or each of its chips where a trusted notebook brought the style.
        const counted = output(page, 3).locator(".tb-line .tb-counted").first();
        const borders = await counted.evaluate((run) =>
          [run, run.firstElementChild!].map((e) => getComputedStyle(e).borderBottomWidth)
        );
        assert(borders.includes("3px"), borders.join());
        await picture(page, "untrusted");
      });
      assertEquals(complaints, []);
    } finally {
      await browser.close();
    }
  },
});
