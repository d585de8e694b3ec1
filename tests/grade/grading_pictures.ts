// Makes the pictures of docs/grading.md from the course that its commands make:
// `deno run -A tests/grade/grading_pictures.ts`. It needs Chromium. Look at what it made before you commit it.

import { fromFileUrl, join } from "@std/path";
import { openCourse } from "../../lib/grade/course.ts";
import { Gradebook, gradebookFile } from "../../lib/grade/gradebook.ts";
import { GradebookMarks } from "../../lib/grade/serve/gradebook_marks.ts";
import { serveMarking } from "../../lib/grade/serve/server.ts";
import { launchBrowser, open } from "../browser.ts";
import { markAll, walk } from "./grading_page.ts";

const picture = (name: string) =>
  fromFileUrl(new URL(`../../docs/grading_${name}.png`, import.meta.url));

const browser = await launchBrowser();
try {
  await using done = await walk(async (folder) => {
    const course = await openCourse(folder);
    using book = Gradebook.open(gradebookFile(course));
    const server = await serveMarking(await GradebookMarks.open(course, book));
    const context = await browser.newContext({ viewport: { width: 1440, height: 640 } });
    const page = await context.newPage();
    await page.goto(server.url);
    await page.locator("#mk-name:not(:empty)").waitFor();
    await page.keyboard.type("Kim");
    await page.keyboard.press("Enter");
    await page.keyboard.press("1");
    await page.locator("#mk-status", { hasText: "All saved" }).waitFor();
    await page.waitForTimeout(1000); // the report beside it
    await page.screenshot({ path: picture("marking") });
    await context.close();
    await server.close();
    await markAll(folder);
  });
  const context = await browser.newContext({ viewport: { width: 820, height: 640 } });
  const pages = {
    feedback: "feedback/ben/tokens-and-masks/tokens-and-masks.html",
    statistics: "scores.html",
  };
  for (const [name, path] of Object.entries(pages)) {
    const { page } = await open(context, join(done.course, path));
    await page.waitForTimeout(1000); // charts draw themselves
    await page.screenshot({ path: picture(name) });
  }
} finally {
  await browser.close();
}
