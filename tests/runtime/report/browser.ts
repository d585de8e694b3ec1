// Opens pages in a real browser, offline, and says what went on in them.

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** What a page did that it should not. */
export interface PageTrouble {
  /** Messages on the console, errors and content policy violations among them. */
  console: string[];
  /** Requests for anything but the file itself. */
  requests: string[];
  /** Dialogs, downloads, pop-ups, and scripts that reached the window. */
  ran: string[];
}

/** Why tests in the browser are skipped, or an empty string where there is a browser. */
export const noBrowser: string = await findBrowser() === undefined
  ? "needs Chromium: apt-get install chromium, or set TUNEBOOK_CHROMIUM to its path"
  : "";

/** Starts the browser. */
export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: await findBrowser(),
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Opens an HTML file in a new page, offline. */
export async function open(
  context: BrowserContext,
  path: string,
): Promise<{ page: Page; trouble: PageTrouble }> {
  await context.setOffline(true);
  const page = await context.newPage();
  const trouble = watch(page);
  await page.goto(`file://${path}`, { waitUntil: "load" });
  return { page, trouble };
}

/** Collects what pages do that are opened from files. */
export function watch(page: Page): PageTrouble {
  page.setDefaultTimeout(120_000); // a busy machine is no failure
  const trouble: PageTrouble = { console: [], requests: [], ran: [] };
  page.on("console", (message) => trouble.console.push(message.text()));
  page.on("pageerror", (error) => trouble.console.push(error.message));
  page.on("dialog", (dialog) => {
    trouble.ran.push(`dialog ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on("popup", () => trouble.ran.push("popup"));
  page.on("request", (request) => {
    const url = request.url();
    const opened = request.isNavigationRequest() && request.frame() === page.mainFrame() &&
      url.startsWith("file:");
    if (!opened && !/^(?:data|blob):/.test(url)) trouble.requests.push(url.slice(0, 200));
  });
  return trouble;
}

async function findBrowser(): Promise<string | undefined> {
  const named = Deno.env.get("TUNEBOOK_CHROMIUM");
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const candidates = named !== undefined ? [named] : [
    "/usr/bin/chromium",
    ...["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
      folders.map((folder) => `${folder}/${name}`)
    ),
  ];
  for (const candidate of candidates) {
    try {
      if ((await Deno.stat(candidate)).isFile) return candidate;
    } catch { /* The next one. */ }
  }
  return undefined;
}
