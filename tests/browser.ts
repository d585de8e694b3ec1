/**
 * A real browser for tests: starting it, opening pages offline, and recording what happened in
 * them.
 */

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findProgram, type Found } from "./support.ts";

/** Debian's Chromium, or what `TUNEBOOK_CHROMIUM` names. */
export const chromiumProgram: Found = findProgram(
  "TUNEBOOK_CHROMIUM",
  ["chromium", "chromium-browser", "google-chrome"],
  "apt-get install chromium",
);

/** Starts a headless browser that asks nobody for anything. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumProgram.path,
    args: [
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

/** What a page did that it should not. */
export interface PageTrouble {
  /** Messages on the console, errors and content policy violations among them. */
  console: string[];
  /** Requests for anything but the file itself. */
  requests: string[];
  /** Dialogs, downloads, pop-ups, and scripts that reached the window. */
  ran: string[];
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
  page.setDefaultTimeout(120_000); // a busy machine is not a failure
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
