// Makes the pictures of the README and of the chapters' reports from real runs:
// `deno run -A tests/notebooks/pictures.ts [chapter …]` leaves docs/*.png and tests/notebooks/pictures/*.jpg.
// It needs Chromium. Look at what it made before you commit it.

import { fromFileUrl, join } from "@std/path";
import { readNotebook, renderReport, runNotebook, writeNotebook } from "../../lib/runtime/mod.ts";
import { launchBrowser, open } from "../browser.ts";
import { solve } from "./exercises.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const folder = join(root, "notebooks");

/** The README's pictures: the cell that shows it, and what is done to its controls first. */
const SHOWN: Record<
  string,
  { chapter: string; text: string; keys?: [slider: string, times: number] }
> = {
  duplicate_leak: { chapter: "01", text: "Duplicate leak", keys: ["entries that leak", 3] },
  label_bench: { chapter: "02", text: "Label bench" },
  branching_replay: {
    chapter: "06",
    text: "drawn with the same random numbers",
    keys: ["temperature", -1],
  },
};

const chapters = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => /^(0[1-9]|10)_.*\.ipynb$/.test(name))
  .filter((name) => Deno.args.length === 0 || Deno.args.includes(name.slice(0, 2)))
  .sort();
await Deno.mkdir(join(root, "docs"), { recursive: true });
await Deno.mkdir(join(root, "tests/notebooks/pictures"), { recursive: true });
const temporary = await Deno.makeTempDir({ prefix: "tunebook-pictures-" });
const browser = await launchBrowser();
try {
  for (const name of chapters) {
    const copy = join(folder, `.pictures_${name}`);
    await writeNotebook(copy, solve(await readNotebook(join(folder, name))));
    try {
      const { notebook, manifest } = await runNotebook(copy, { timeout: 600 });
      const page = join(temporary, `${name}.html`);
      await Deno.writeTextFile(page, await renderReport(notebook, { manifest }));
      // The whole report, small: to see at a glance that nothing has moved.
      const small = await browser.newContext({
        viewport: { width: 820, height: 1000 },
        deviceScaleFactor: 0.4,
      });
      const whole = await open(small, page);
      await whole.page.waitForTimeout(1500); // charts draw themselves
      const path = join(root, "tests/notebooks/pictures", name.replace(".ipynb", ".jpg"));
      await whole.page.screenshot({ path, type: "jpeg", quality: 40, fullPage: true });
      await small.close();
      for (const [picture, { chapter, text, keys }] of Object.entries(SHOWN)) {
        if (!name.startsWith(chapter)) continue;
        const context = await browser.newContext({ viewport: { width: 820, height: 1000 } });
        const opened = await open(context, page);
        const view = opened.page.locator(".tb-frames", { hasText: text }).first();
        if (keys) {
          const slider = view.getByRole("slider", { name: keys[0] });
          for (let i = 0; i < Math.abs(keys[1]); i++) {
            await slider.press(keys[1] > 0 ? "ArrowRight" : "ArrowLeft");
          }
        }
        await view.screenshot({ path: join(root, "docs", `${picture}.png`) });
        await context.close();
      }
      console.log(`Took pictures of ${name}`);
    } finally {
      await Deno.remove(copy);
    }
  }
} finally {
  await browser.close();
  await Deno.remove(temporary, { recursive: true });
}
Deno.exit(0); // idle threads would keep the process
