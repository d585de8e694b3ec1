// Chapters as learners meet them: in a real JupyterLab under Chromium, on the kernel "Deno (Tunebook)", exercises not yet
// solved. TUNEBOOK_CHAPTERS names others than those of CI, as "02,03", or "all"; with TUNEBOOK_SCREENSHOTS naming a
// folder, a picture of each chapter is left there.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Locator, Page } from "playwright-core";
import { type CodeCell, readNotebook } from "../../lib/runtime/mod.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";
import { type JupyterLab, jupyterProgram, startJupyterLab } from "../jupyterlab.ts";
import { chaptersToRun } from "./chapters.ts";

const root = new URL("../../", import.meta.url);
/** In CI, the two that run shortest, one of them with a model. */
const wanted = chaptersToRun("01,06");

/** Lays the course into JupyterLab's folder, whose files it may change. */
async function layCourse(lab: JupyterLab): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  for (const [name, target] of Object.entries(config.imports as Record<string, string>)) {
    if (target.startsWith("./")) config.imports[name] = new URL(target, root).href;
  }
  const { imports, nodeModulesDir, compilerOptions } = config;
  await Deno.writeTextFile(
    `${lab.folder}/deno.json`,
    JSON.stringify({ imports, nodeModulesDir, compilerOptions }),
  );
  await Deno.symlink(fromFileUrl(new URL("data", root)), `${lab.folder}/data`);
  const from = fromFileUrl(new URL("notebooks", root));
  for (const folder of ["", "/exercises", "/views", "/traces"]) {
    await Deno.mkdir(`${lab.folder}/notebooks${folder}`, { recursive: true });
    for await (const { name, isFile } of Deno.readDir(from + folder)) {
      if (!isFile || name.startsWith(".")) continue;
      const copy = `${lab.folder}/notebooks${folder}/${name}`;
      await Deno.copyFile(`${from}${folder}/${name}`, copy);
      if (!name.endsWith(".ipynb")) continue;
      // JupyterLab has the stock kernel too, to which the chapter would go.
      const chapter = JSON.parse(await Deno.readTextFile(copy));
      chapter.metadata.kernelspec.name = "tunebook";
      await Deno.writeTextFile(copy, JSON.stringify(chapter));
    }
  }
}

const panel = ".jp-NotebookPanel:not(.lm-mod-hidden)";
const idle = (page: Page) => page.getByText("Deno (Tunebook) | Idle").first().waitFor();

/** Answers what cells ask, where they do: chapter 9 has a chat, which an empty message ends. */
async function typeAnswers(page: Page, answers: readonly string[]): Promise<void> {
  for (const answer of answers) {
    const box = page.locator(`${panel} .jp-Stdin-input:enabled`);
    await box.waitFor();
    await box.fill(answer);
    await box.press("Enter");
    await box.waitFor({ state: "detached" });
  }
}

/** Opens a chapter, runs all cells, and waits until the last has run. */
async function runChapter(page: Page, lab: JupyterLab, name: string): Promise<void> {
  await page.goto(lab.address(`notebooks/${name}`));
  await page.locator(`${panel} .jp-CodeCell`).first().waitFor();
  await idle(page);
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  const ended = page.waitForFunction(
    (panel) => {
      const prompts = [...document.querySelectorAll(`${panel} .jp-CodeCell .jp-InputPrompt`)];
      return prompts.every(({ textContent }) => /^\[\d+\]:$/.test(textContent ?? "")) ||
        // After an error, the rest is not run.
        document.querySelector(`${panel} [data-mime-type="application/vnd.jupyter.stderr"]`);
    },
    panel,
  );
  // Where nothing is asked it fails when the page is closed, and where it fails otherwise the cell does not end.
  typeAnswers(page, ["Name a fruit.", ""]).catch(() => {});
  await ended;
  await idle(page);
}

/** Looks for formulas that MathJax could not set, after it has set those of the chapter. */
async function seeFormulas(page: Page, lab: JupyterLab, name: string): Promise<void> {
  const { cells } = await readNotebook(`${lab.folder}/notebooks/${name}`);
  const texts = cells.filter(({ cell_type }) => cell_type === "markdown")
    .map(({ source }) => source.replace(/```[^]*?```|`[^`]*`/g, ""));
  if (!texts.some((text) => /\$[^$]+\$/.test(text))) return;
  await page.locator(`${panel} mjx-container`).first().waitFor();
  const wrong = page.locator(`${panel} :is(mjx-merror, [data-mjx-error])`);
  assertEquals(await wrong.allInnerTexts(), [], "formulas that MathJax cannot set");
}

/** The notebook as JupyterLab saves it. */
async function save(page: Page, lab: JupyterLab, name: string): Promise<CodeCell[]> {
  await page.keyboard.press("Control+S");
  await page.waitForFunction(() => !document.querySelector(".jp-mod-dirty"));
  const { cells } = await readNotebook(`${lab.folder}/notebooks/${name}`);
  return cells.filter((cell) => cell.cell_type === "code");
}

/** Ends the kernels of chapters that were run. */
async function endKernels(lab: JupyterLab): Promise<void> {
  const { origin, searchParams } = new URL(lab.address(""));
  const address = (id = "") => `${origin}/api/sessions${id}?token=${searchParams.get("token")}`;
  const sessions: { id: string }[] = await (await fetch(address())).json();
  for (const { id } of sessions) {
    const { status, body } = await fetch(address(`/${id}`), { method: "DELETE" });
    await body?.cancel();
    assertEquals(status, 204);
  }
}

/** Uses each control of a view once: what is shown must change, and change back. */
async function useControls(view: Locator): Promise<void> {
  const shown = () =>
    view.evaluate((root) =>
      [...root.querySelectorAll("details.tb-frame[open]")].map((frame) => frame.className).join()
    );
  const changes = async (what: string, act: () => Promise<void>) => {
    const before = await shown();
    await act();
    assertNotEquals(await shown(), before, what);
  };
  const controls = view.locator(":scope > .tb-controls > .tb-control");
  assert(await controls.count() > 0, "a view without controls");
  for (const control of await controls.all()) {
    const name = await control.innerText();
    const range = control.locator("input[type=range]");
    if (await range.count() > 0) {
      const [at, last] = await range.evaluate((e: HTMLInputElement) => [e.value, e.max]);
      await changes(`the slider "${name}"`, () => range.fill(at === last ? "0" : last));
      await changes(`the slider "${name}", back`, () => range.fill(at));
      await changes(
        `a step of the slider "${name}"`,
        () => control.locator("button:enabled").first().click(),
      );
    } else if (await control.locator("input[type=checkbox]").count() > 0) {
      await changes(`the switch "${name}"`, () => control.locator("input").click());
    } else {
      await changes(
        `the buttons "${name}"`,
        () => control.locator("button[aria-pressed=false]").first().click(),
      );
    }
  }
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("TUNEBOOK_SCREENSHOTS");
  if (!folder) return;
  // The whole notebook at once: the page is made as high as what scrolls in it.
  const height = await page.locator(`${panel} .jp-WindowedPanel-outer`).evaluate((e) =>
    e.scrollHeight
  );
  const { width } = page.viewportSize()!;
  await page.setViewportSize({ width, height: height + 160 });
  await page.locator(`${panel} .jp-WindowedPanel-outer`).evaluate((e) => e.scrollTop = 0);
  for (let i = 0; i * 1600 < height; i++) {
    const clip = { x: 0, y: i * 1600, width, height: 1600 };
    await page.screenshot({ path: `${folder}/${name}-${i}.png`, clip });
  }
  await page.setViewportSize({ width, height: 1600 });
}

const ready = chromiumProgram.found && jupyterProgram.found;

Deno.test({
  name:
    `chapters in JupyterLab, as learners open them${chromiumProgram.needs}${jupyterProgram.needs}`,
  ignore: !ready,
  // The browser's connection outlives the test by a moment.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    await using lab = await startJupyterLab();
    await layCourse(lab);
    const browser = await launchBrowser();
    try {
      for (const name of wanted) {
        await t.step(name, async () => {
          const page = await browser.newPage({ viewport: { width: 1200, height: 1600 } });
          page.setDefaultTimeout(600_000); // on a busy machine
          const complaints: string[] = [];
          page.on("pageerror", (error) => complaints.push(error.message));
          page.on("request", (request) => {
            const { hostname, protocol } = new URL(request.url());
            if (protocol.startsWith("http") && hostname !== "127.0.0.1") {
              complaints.push(request.url());
            }
          });
          await runChapter(page, lab, name);
          await picture(page, name.slice(0, 2));
          await seeFormulas(page, lab, name);
          const cells = await save(page, lab, name);
          for (const [i, cell] of cells.entries()) {
            assertEquals(cell.execution_count, i + 1, `cell "${cell.id}"`);
            const said = JSON.stringify(cell.outputs);
            assert(cell.outputs.every(({ output_type }) => output_type !== "error"), said);
            // Nor a note of a type error, or of a stale result.
            assert(!/TS\d{4}:|Stale:/.test(said), said);
            const isExercise = (cell.metadata.tags ?? []).includes("exercise");
            assertEquals(/Not yet/.test(said), isExercise, `cell "${cell.id}": ${said}`);
          }
          // The ends of rows, which batches are shown for, are in sight.
          const cut = await page.locator(`${panel} .tb-scroll:has(.tb-grid):visible`).evaluateAll((
            grids,
          ) => grids.filter((grid) => grid.scrollWidth > grid.clientWidth + 1).length);
          assertEquals(cut, 0, "batches that are wider than the notebook");
          const views = await page.locator(`${panel} .tb-frames.tb-playing`).all();
          const made = cells.flatMap(({ outputs }) =>
            JSON.stringify(outputs).match(/class=\\"tb-frames\\"/g) ?? []
          );
          assertEquals(views.length, made.length, "views with controls");
          for (const view of views) await useControls(view);
          await picture(page, `${name.slice(0, 2)}-used`);
          assertEquals(complaints, []);
          await endKernels(lab);
          await page.close();
        });
      }
    } finally {
      await browser.close();
    }
  },
});
