// Whether a report's page shows what its notebook and manifest give: it is rendered from them again, by
// the version that rendered it, and compared byte for byte.

import config from "../../../deno.json" with { type: "json" };
import { quoteAround } from "../compare/text.ts";
import { libraryHash } from "../new_manifest.ts";
import { type CompleteReport, notebookPlace, type PageSettings, readReport } from "./embedded.ts";
import { renderWith } from "./mod.ts";
import { renderElsewhere } from "./other_version.ts";

/** What a page that was rendered again came to. */
export type PageVerdict =
  | {
    verdict: "same";
    /**
     * The version that rendered the page according to the page, if that is neither this version nor
     * the one that ran the notebook.
     */
    by?: string;
  }
  /** The page shows something else. */
  | { verdict: "differs"; difference: string }
  /** The version that rendered the page was not available. */
  | { verdict: "unknown"; reason: string };

/**
 * Renders a report's page again and compares.
 *
 * @param html The report's text.
 * @param report What it carries.
 * @param moduleOf Where the runtime of a version of Tunebook is; the registry's by default.
 * @returns Whether the page is what its notebook and its manifest give.
 */
export async function checkPage(
  html: string,
  report: CompleteReport,
  moduleOf?: (version: string) => string,
): Promise<PageVerdict> {
  const { notebook, manifest, settings } = report;
  if (settings.tunebook === config.version) {
    const here = await renderWith(settings, notebook, manifest);
    if (await isSamePage(html, here, settings)) return { verdict: "same", by: strangerOf(report) };
    const own = settings.library === await libraryHash();
    if (own) return { verdict: "differs", difference: firstDifference(html, here) };
  }
  const named = `Tunebook ${settings.tunebook}`;
  if (settings.library !== undefined) {
    return { verdict: "unknown", reason: `the page was rendered by other files of ${named}` };
  }
  try {
    const there = await renderElsewhere(report, moduleOf);
    return await isSamePage(html, there, settings)
      ? { verdict: "same" }
      : { verdict: "differs", difference: firstDifference(html, there) };
  } catch (error) {
    const { message } = error as Error;
    return { verdict: "unknown", reason: `the page was rendered by ${named}; ${message}` };
  }
}

/** Versions that the page names and that neither the run's manifest nor this program explains. */
function strangerOf({ settings, manifest }: CompleteReport): string | undefined {
  const { tunebook, library, deno } = settings;
  if (library === manifest.library && deno === manifest.deno) return undefined;
  return `files ${
    library?.slice(0, 8) ?? "without a hash"
  } of Tunebook ${tunebook} on Deno ${deno}`;
}

/** Another version of Deno may pack the notebook in other bytes: then it is the packed text that counts. */
async function isSamePage(html: string, made: string, settings: PageSettings): Promise<boolean> {
  if (html === made) return true;
  if (settings.deno === Deno.version.deno || without(html) !== without(made)) return false;
  return (await readReport(html)).notebookText === (await readReport(made)).notebookText;
}

function without(html: string): string {
  const [from, to] = notebookPlace(html) ?? [0, 0];
  return html.slice(0, from) + html.slice(to);
}

function firstDifference(html: string, made: string): string {
  let at = 0;
  while (at < html.length && html[at] === made[at]) at++;
  const [from, to] = notebookPlace(html) ?? [0, 0];
  if (at >= from && at < to) return "it carries its notebook in another form than Tunebook writes";
  const line = html.slice(0, at).split("\n").length;
  return `line ${line} of the file: ${quoteAround(html, at)} instead of ${quoteAround(made, at)}`;
}
