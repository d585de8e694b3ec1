// The page of several runs.

import { renderStaticPage } from "../../grade/page.ts";
import { type RunRecord, runsView } from "../../show/runs_view.ts";
import { writeFileBeside } from "../../write_beside.ts";

/**
 * Writes a page of several runs: one HTML file that runs nothing.
 *
 * @param path The file.
 * @param runs The runs.
 * @param title The page's title.
 */
export async function writeRunsPage(
  path: string,
  runs: readonly RunRecord[],
  title = `${runs.length} runs side by side`,
): Promise<void> {
  await writeFileBeside(path, renderStaticPage({ title, body: runsView(runs).html }));
}
