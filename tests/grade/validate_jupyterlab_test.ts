// A student validates an assignment in a real JupyterLab, by the cell that comes with it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { libraryConfig } from "../../lib/runtime/library.ts";
import { readNotebook, writeNotebook } from "../../lib/runtime/notebook.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";
import { jupyterProgram, startJupyterLab } from "../jupyterlab.ts";
import { handIn } from "./submissions/submission.ts";
import { submissions } from "./submissions/gradients.ts";

const ASSIGNMENT = fromFileUrl(
  new URL("../../notebooks/assignments/gradients/gradients.ipynb", import.meta.url),
);

Deno.test({
  name: `validation in JupyterLab${chromiumProgram.needs}${jupyterProgram.needs}`,
  ignore: !(chromiumProgram.found && jupyterProgram.found),
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await using lab = await startJupyterLab();
    const released = releaseNotebook(await readNotebook(ASSIGNMENT)).notebook;
    const notebook = handIn(released, submissions.fair.answers);
    await Deno.writeTextFile(join(lab.folder, "deno.json"), JSON.stringify(libraryConfig()));
    await writeNotebook(join(lab.folder, "gradients.ipynb"), notebook);
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1000, height: 1200 } });
      page.setDefaultTimeout(120_000);
      await page.goto(lab.address("gradients.ipynb"));
      const cell = page.locator(".jp-Notebook .jp-CodeCell", {
        hasText: "await validateNotebook(",
      });
      await cell.waitFor();
      await page.getByText(/^Deno.* \| Idle$/).first().waitFor();
      await cell.locator(".jp-InputArea-editor").click();
      await page.keyboard.press("Shift+Enter");
      const shown = cell.locator(".tb-validation");
      await shown.waitFor();
      const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
      if (folder) await page.screenshot({ path: join(folder, "validate-jupyterlab.png") });
      const text = await shown.innerText();
      assertStringIncludes(text, "gradients.ipynb: ");
      assertStringIncludes(text, "To hand in: gradients.ipynb");
      assertStringIncludes(text, "test passes");
      assertStringIncludes(text, "test fails");
      // Nothing of the student's was changed.
      assertEquals(await readNotebook(join(lab.folder, "gradients.ipynb")), notebook);
    } finally {
      await browser.close();
    }
  },
});
