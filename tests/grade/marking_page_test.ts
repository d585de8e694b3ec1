// The marking page in a real browser: by keyboard alone, by two markers at once, without a
// connection, with hostile answers, and under axe-core.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { GradebookMarks } from "../../lib/grade/serve/gradebook_marks.ts";
import { serveMarking } from "../../lib/grade/serve/server.ts";
import { chromiumProgram, launchBrowser, type PageTrouble, watch } from "../browser.ts";
import { axeViolations } from "../axe.ts";
import { hostileNotebooks } from "../runtime/report/hostile.ts";
import { notebookOf } from "../runtime/report/sample.ts";
import { MemoryMarks, sampleMarks } from "./memory_marks.ts";
import { sampleCourse, TEN } from "./sample_course.ts";

const WHY = "week3/main/why";

/** Opens the page as a marker. */
async function sitDown(
  context: BrowserContext,
  url: string,
  name: string,
): Promise<{ page: Page; trouble: PageTrouble }> {
  const page = await context.newPage();
  const trouble = watch(page);
  await page.goto(url);
  await page.locator("#mk-name:not(:empty)").waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "mk-marker");
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
  return { page, trouble };
}

async function saved(page: Page): Promise<void> {
  await page.locator("#mk-status", { hasText: "All saved" }).waitFor();
}

/** Requests that leave this server. */
function strange(trouble: PageTrouble, url: string): string[] {
  return trouble.requests.filter((request) => !request.startsWith(`${new URL(url).origin}/`));
}

function browserTest(name: string, use: (browser: Browser) => Promise<void>): void {
  Deno.test({
    name: `${name}${chromiumProgram.needs}`,
    ignore: !chromiumProgram.found,
    async fn() {
      const browser = await launchBrowser();
      try {
        await use(browser);
      } finally {
        await browser.close();
      }
    },
  });
}

/** The page of a course with ten answers. */
interface Desk {
  readonly browser: Browser;
  readonly sample: Awaited<ReturnType<typeof sampleCourse>>;
  readonly marks: GradebookMarks;
  readonly server: Awaited<ReturnType<typeof serveMarking>>;
}

/** Registers a test of that page. */
function markingTest(name: string, use: (desk: Desk) => Promise<void>): void {
  browserTest(name, async (browser) => {
    await using sample = await sampleCourse();
    const marks = await GradebookMarks.open(sample.course, sample.book);
    const server = await serveMarking(marks);
    try {
      await use({ browser, sample, marks, server });
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

markingTest(
  "ten answers are marked by keyboard alone, and a reload loses nothing",
  async ({ browser, sample, marks, server }) => {
    const { page, trouble } = await sitDown(await browser.newContext(), server.url, "Kim");
    const names: string[] = [];
    for (let i = 0; i < 10; i++) {
      names.push(await page.locator("#mk-name").innerText());
      await page.keyboard.press("1");
      if (i % 2 === 0) await page.keyboard.press("2");
      if (i === 3) await page.keyboard.press("z");
      await page.keyboard.press("c");
      await page.keyboard.type(`Comment ${i}: fine, j k f z 1`);
      if (i === 0) {
        await page.keyboard.press("Escape");
        await page.keyboard.press("a");
        await page.locator("#mk-status", { hasText: "Comment kept" }).waitFor();
      }
      if (i === 5) {
        await page.reload(); // in the middle of a comment
        await page.waitForFunction(
          (name) => document.getElementById("mk-name")!.textContent === name,
          names[5]!,
        );
        assertEquals(
          await page.locator("#mk-comment").inputValue(),
          "Comment 5: fine, j k f z 1",
        );
        await page.keyboard.press("/");
        await page.keyboard.type("comment 0");
        await page.keyboard.press("Enter");
      }
      await page.keyboard.press(i === 7 ? "c" : "Escape");
      await page.keyboard.press(i === 7 ? "Control+Enter" : "Enter");
    }
    await page.locator("#mk-status", { hasText: "Every answer to this question has points" })
      .waitFor();
    assertEquals(await page.locator("#mk-progress").innerText(), "10 of 10 marked");
    await page.waitForFunction(() => localStorage.length === 1); // the marker's name only
    assertEquals(new Set(names).size, 10);
    await page.reload();
    await page.locator("#mk-progress", { hasText: "10 of 10 marked" }).waitFor();

    const newest = await marks.marks(WHY);
    assertEquals(newest.length, 10);
    const comments = newest.map(({ comment }) => comment);
    for (let i = 0; i < 10; i++) {
      const wanted = `Comment ${i}: fine, j k f z 1`;
      assert(
        comments.some((comment) => comment.startsWith(wanted)),
        `no "${wanted}" in ${comments}`,
      );
    }
    assertEquals(
      comments.filter((comment) => comment.includes("\n\nComment 0: fine")).length,
      1,
      "the kept comment was inserted once",
    );
    const points = newest.map(({ points }) => points).sort();
    assertEquals(points, [0, 2, 2, 2, 2, 4, 4, 4, 4, 4]);
    assert(newest.every(({ marker }) => marker === "Kim"));

    // A question without a rubric: digits are points, and one more than the maximum is not.
    await page.keyboard.press("]");
    await page.locator("#mk-max", { hasText: "of 3" }).waitFor();
    await page.keyboard.press("4");
    await page.keyboard.press("3");
    await page.keyboard.press("p");
    await page.keyboard.type("2,5");
    await page.keyboard.press("Enter");
    await saved(page);
    assertEquals((await marks.marks("week3/main/plan")).map(({ points }) => points), [2.5]);
    assertEquals(strange(trouble, server.url), []);
    assertEquals(trouble.ran, []);
    assertEquals(trouble.console, []);
    for (const { id } of TEN) {
      assertEquals(sample.book.setAside(`${WHY}/${id}`), [], "nothing was in its own way");
    }
  },
);

markingTest(
  "two markers at one answer see both marks, and none is overwritten",
  async ({ browser, sample, marks, server }) => {
    /** The markers of an answer with their points, oldest first. */
    const history = (answer: string) =>
      sample.book.history(answer).map(({ marker, points }) => [marker, points]);
    const kimContext = await browser.newContext(), leeContext = await browser.newContext();
    const { page: kim } = await sitDown(kimContext, server.url, "Kim");
    const { page: lee } = await sitDown(leeContext, server.url, "Lee");
    const answer = await kim.locator("#mk-name").innerText();
    assertEquals(await lee.locator("#mk-name").innerText(), answer);

    // Lee loses the connection, and continues to mark.
    await leeContext.setOffline(true);
    await lee.keyboard.press("2");
    await lee.keyboard.press("c");
    await lee.keyboard.type("Lee's view");
    await lee.keyboard.press("Escape");
    await lee.locator("#mk-status", { hasText: "No connection: 1 mark waits" }).waitFor();
    await kim.keyboard.press("1");
    await kim.keyboard.press("2");
    await saved(kim);
    const [{ answer: disputed }] = await marks.marks(WHY);
    assertEquals(history(disputed).at(-1), ["Kim", 4]);

    await leeContext.setOffline(false);
    await lee.locator("#mk-conflict", { hasText: "Kim marked this answer while you did" })
      .waitFor();
    const both = await lee.locator("#mk-conflict").innerText();
    for (const part of ["Kim", "4 points", "You", "2 points", "Lee's view"]) {
      assertStringIncludes(both, part);
    }
    assert(history(disputed).every(([marker]) => marker === "Kim"), "Lee's waits for a decision");

    // The question survives a reload and a visit to other answers.
    await lee.reload();
    await lee.locator("#mk-conflict", { hasText: "Kim marked" }).waitFor();
    await lee.keyboard.press("j");
    await lee.keyboard.press("3");
    await lee.keyboard.press("k");
    await lee.locator("#mk-conflict", { hasText: "Lee's view" }).waitFor();
    await lee.keyboard.press("m");
    await saved(lee);
    assertEquals(history(disputed).at(-1), ["Lee", 2]);
    assert(history(disputed).some(([marker, points]) => marker === "Kim" && points === 4));

    // Kim, who changed nothing since, sees Lee's mark without reloading.
    await kim.waitForFunction(() =>
      (document.getElementById("mk-points") as HTMLInputElement | null)?.value === "2"
    );
    assertStringIncludes(await kim.locator("#mk-queue [aria-current]").innerText(), "Lee");

    // Both at different answers: nothing is in anyone's way.
    await kim.keyboard.press("j");
    await kim.keyboard.press("j");
    await kim.keyboard.press("j");
    await Promise.all([kim.keyboard.press("f"), lee.keyboard.press("z")]);
    await Promise.all([saved(kim), saved(lee)]);
    const newest = await marks.marks(WHY);
    assertEquals(newest.length, 3);
  },
);

markingTest(
  "a draft that is sent again after a reload does not conflict with itself",
  async ({ browser, sample, marks, server }) => {
    const statuses: number[] = [];
    const { page, trouble } = await sitDown(await browser.newContext(), server.url, "Kim");
    page.on("response", (response) => {
      if (response.url().endsWith("/api/mark")) statuses.push(response.status());
    });
    // The server keeps the first mark, and the page never hears of it.
    const reached = Promise.withResolvers<void>();
    const lost = Promise.withResolvers<void>();
    await page.route("**/api/mark", async (route) => {
      await route.fetch();
      reached.resolve();
      await lost.promise;
      await route.abort().catch(() => {});
    }, { times: 1 });
    await page.keyboard.press("1");
    await reached.promise;
    await page.keyboard.press("c");
    await page.keyboard.type("typed while the first save was on its way");
    await page.reload();
    lost.resolve();
    await saved(page);
    await page.locator("#mk-progress", { hasText: "1 of 10 marked" }).waitFor();
    const newest = await marks.marks(WHY);
    assertEquals(newest.map(({ points, comment }) => [points, comment]), [
      [2, "typed while the first save was on its way"],
    ]);
    assert(await page.locator("#mk-conflict").isHidden());
    assertEquals(statuses.filter((status) => status !== 200), []);
    assertEquals(sample.book.history(newest[0]!.answer)[0]!.comment, "", "the first save came");
    assertEquals(sample.book.setAside(newest[0]!.answer), []);
    assertEquals(trouble.console.filter((text) => !text.includes("net::ERR_FAILED")), []);
  },
);

markingTest(
  "what was handed in again is looked at again, with the mark that it had",
  async ({ browser, sample, marks, server }) => {
    const { page, trouble } = await sitDown(await browser.newContext(), server.url, "Kim");
    await page.keyboard.press("1");
    await saved(page);
    const [{ answer }] = await marks.marks(WHY);
    const student = answer.split("/").at(-1)!;
    const attempt = sample.book.submissions("week3").find((one) => one.student === student)!;
    sample.book.putSubmission(
      { ...attempt, attempt: 2, hash: "again" },
      sample.book.verdicts(attempt),
    );
    // The page hears of it while it is open.
    await page.locator("#mk-outdated", { hasText: "Handed in again" }).waitFor();
    await page.locator("#mk-progress", { hasText: "0 of 10 marked" }).waitFor();
    assertEquals(await page.locator("#mk-points").inputValue(), "2");
    await page.keyboard.press("y");
    await page.locator("#mk-outdated").waitFor({ state: "hidden" });
    await page.locator("#mk-progress", { hasText: "1 of 10 marked" }).waitFor();
    await saved(page);
    const [newest] = await marks.marks(WHY);
    assertEquals([newest!.version, newest!.points, newest!.outdated], [2, 2, undefined]);
    assertEquals(trouble.console, []);
  },
);

browserTest("a mark made while the server is down is saved when it is back", async (browser) => {
  const marks = sampleMarks();
  const first = await serveMarking(marks);
  const context = await browser.newContext();
  const { page } = await sitDown(context, first.url, "Kim");
  await page.keyboard.press("1");
  await saved(page);
  await first.close();
  await page.keyboard.press("2");
  await page.locator("#mk-status", { hasText: "No connection" }).waitFor();
  assertEquals(marks.history.map(({ points }) => points), [2]);
  const second = await serveMarking(marks, { port: first.port });
  try {
    // A tab that is closed leaves its mark in the browser for the next one, which has a new token.
    await page.close();
    const again = await context.newPage();
    await again.goto(second.url);
    await again.locator("#mk-name:not(:empty)").waitFor();
    await again.keyboard.press("k"); // the page opens at the first answer without points
    await again.waitForFunction(() =>
      (document.getElementById("mk-points") as HTMLInputElement | null)?.value === "4"
    );
    await saved(again);
    assertEquals(marks.history.map(({ points }) => points), [2, 4]);
  } finally {
    await browser.close();
    await second.close();
  }
});

browserTest("the printed address opens from a page of another site", async (browser) => {
  const server = await serveMarking(sampleMarks());
  const terminal = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      new Response(`<a href="${server.url}">${server.url}</a>`, {
        headers: { "content-type": "text/html" },
      }),
  );
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://localhost:${terminal.addr.port}/`);
    await page.locator("a").click();
    await page.locator("#mk-name:not(:empty)").waitFor();
    assert(!page.url().includes("token"), page.url());
  } finally {
    await browser.close();
    await terminal.shutdown();
    await server.close();
  }
});

browserTest(
  "hostile answers run nothing and fetch nothing, in the page and in the report",
  async (browser) => {
    const cells = Object.values(hostileNotebooks).flatMap(({ cells }) => cells);
    const questions = [{
      id: "q",
      title: "</title><script>window.ran=1</script>",
      maxPoints: 1,
      rubric: [],
    }];
    const huge = {
      cell_type: "markdown" as const,
      id: "huge",
      metadata: {},
      source: "<b>".repeat(1e6),
    };
    const written = [...cells, huge].map((cell, i) => ({
      id: `a${i}`,
      question: "q",
      student: `<img src=x onerror=window.ran=1>${i}`,
      cell,
    }));
    const notebooks = new Map(written.map(({ id, cell }) => [id, notebookOf(cell)]));
    const marks = new MemoryMarks(questions, written, notebooks);
    const server = await serveMarking(marks, { anonymous: false });
    try {
      const context = await browser.newContext({ viewport: { width: 1500, height: 900 } });
      const { page, trouble } = await sitDown(context, server.url, "<b>Kim</b>");
      for (let i = 0; i < written.length; i++) {
        await page.waitForFunction(() =>
          !document.getElementById("mk-answer")!.hasAttribute("aria-busy")
        );
        await page.frameLocator("#mk-report iframe").locator("main").waitFor();
        await page.keyboard.press("1");
        if (i < written.length - 1) await page.keyboard.press("j");
      }
      await page.locator("#mk-progress", { hasText: `${written.length} of ${written.length}` })
        .waitFor();
      await saved(page);
      assertEquals(await page.evaluate("window.ran"), undefined);
      for (const frame of page.frames()) {
        assertEquals(
          await frame.evaluate("window.ran"),
          undefined,
        );
      }
      assertEquals(
        await page.locator("#mk-answer :is(script, iframe, object, embed, form)").count(),
        0,
      );
      assertEquals(strange(trouble, server.url), []);
      assertEquals(trouble.ran, []);
      assertEquals(trouble.console.filter((text) => !text.includes("sandboxed")), []);
      assertEquals(marks.history.length, written.length);
    } finally {
      await browser.close();
      await server.close();
    }
  },
);

browserTest("the marking page is clean under axe-core, light, dark and narrow", async (browser) => {
  for (
    const [colorScheme, width] of [["light", 1500], ["dark", 1500], ["light", 390], [
      "dark",
      390,
    ]] as const
  ) {
    const marks = sampleMarks();
    const suggest = () => Promise.resolve({ points: 3, reason: "Names overfitting and a remedy." });
    const server = await serveMarking(marks, { suggest });
    try {
      const context = await browser.newContext({
        bypassCSP: true,
        colorScheme,
        viewport: { width, height: 900 },
      });
      const { page } = await sitDown(context, server.url, "Kim");
      const check = async (what: string) => {
        assertEquals(await axeViolations(page), [], `${what}, ${colorScheme}, ${width}`);
      };
      await page.keyboard.press("1");
      await page.keyboard.press("s");
      await page.locator("#mk-suggestion", { hasText: "It is not a score" }).waitFor();
      await saved(page);
      await check("an answer");
      const answer = marks.history[0]!.answer;
      await page.route("**/api/mark", async (route) => {
        const { version } = marks.newest(answer)!;
        await marks.append(
          { ...marks.history[0]!, marker: "Lee", session: "x", points: 5 },
          version,
        );
        await route.continue();
      }, { times: 1 });
      await page.keyboard.press("2");
      await page.locator("#mk-conflict", { hasText: "Lee marked" }).waitFor();
      await check("a conflict");
      await page.keyboard.press("?");
      await check("the keys");
      await page.keyboard.press("Escape");
      await page.keyboard.press("t");
      await page.waitForFunction(() =>
        (document.getElementById("mk-points") as HTMLInputElement | null)?.value === "5"
      );
      assert(
        marks.aside.some(({ marker, points }) => marker === "Kim" && points === 4),
        "what Kim marked is set aside, not lost",
      );
      const wide = await page.evaluate("document.documentElement.scrollWidth") as number;
      assert(wide <= width, `the page is ${wide} wide`);
      await context.close();
    } finally {
      await server.close();
    }
  }
});
