// The page of a sweep: what is not finished, the finished points side by side, and their reports.

import { join } from "@std/path/join";
import { renderStaticPage } from "../../grade/page.ts";
import { runsView } from "../../show/runs_view.ts";
import { escapeHtml } from "../../show/theme.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { readRun } from "../compare/read_run.ts";
import type { Point } from "./points.ts";
import type { PointResult } from "./run_point.ts";

/**
 * Writes the page of a sweep: one HTML file that runs nothing, and links to the points' reports beside it.
 *
 * @param out The folder of the sweep.
 * @param book The notebook's name.
 * @param results Every point, and whether it is finished.
 * @returns The page.
 */
export async function writeSweepPage(
  out: string,
  book: string,
  results: readonly (readonly [Point, PointResult])[],
): Promise<string> {
  const isDone = ({ state }: PointResult) => state === "ran" || state === "finished";
  const done = results.filter(([, result]) => isDone(result));
  const open = results.filter(([, result]) => !isDone(result));
  const runs = await Promise.all(
    done.map(async ([{ name }, { report }]) => ({ ...await readRun(report!), name })),
  );
  const page = join(out, "index.html");
  await writeFileBeside(
    page,
    renderStaticPage({
      title: `${book} at ${results.length} points`,
      about: `${done.length} of ${results.length} points are finished`,
      body: listPoints("Not finished", open) + (runs.length > 0 ? runsView(runs).html : "") +
        listPoints("Reports", done),
    }),
  );
  return page;
}

function listPoints(
  title: string,
  results: readonly (readonly [Point, PointResult])[],
): string {
  if (results.length === 0) return "";
  const items = results.map(([{ name }, { report, message }]) => {
    const shown = escapeHtml(name);
    const link = report === undefined
      ? shown
      : `<a href="${encodeURIComponent(name)}/report.html">${shown}</a>`;
    return `<li>${link}${message === undefined ? "" : `: ${escapeHtml(message)}`}</li>`;
  });
  return `<section><h2>${title}</h2><ul>${items.join("")}</ul></section>\n`;
}
