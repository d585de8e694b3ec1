// `tunebook doctor --gpu`: whether a GPU computes what the CPU computes, and how fast, as text and as a page to send.

import { checkGpu } from "../../pipeline/gpu_report/check_gpu.ts";
import type { GpuPartResult, GpuReport } from "../../pipeline/gpu_report/report.ts";
import { table } from "../../show/table.ts";
import { escapeHtml } from "../../show/theme.ts";
import { writeFileBeside } from "../../write_beside.ts";

/** How the check of a GPU is shown. */
export interface GpuOptions {
  /** The page to write. */
  html?: string;
  /** Whether a JSON document is printed. */
  json: boolean;
}

/** Checks the GPU, prints what was found, and writes the page. */
export async function examineGpu({ html, json }: GpuOptions): Promise<void> {
  const report = await checkGpu({ onPart: (title) => console.error(`${title} …`) });
  if (json) console.log(JSON.stringify(report, null, 2));
  else console.log(textOf(report));
  if (html !== undefined) {
    await writeGpuPage(html, report);
    console.error(`Wrote ${html}`);
  }
}

function textOf(report: GpuReport): string {
  const parts = report.parts.map((part) =>
    [
      `\n${part.title} (${part.seconds} s)`,
      ...part.rows.length > 0 ? [tableOf(part).text] : [],
      ...part.notes,
      ...part.failure ? [`NOT COMPLETE: ${part.failure}`] : [],
    ].join("\n")
  );
  return [`${report.adapter}: ${verdictOf(report)}`, ...parts].join("\n");
}

/** The outcome in a sentence. */
function verdictOf({ parts, seconds }: GpuReport): string {
  const operations = parts.find(({ name }) => name === "operations")!.rows;
  const agree = operations.filter(({ verdict }) => verdict === "agrees").length;
  const failed = parts.filter(({ failure }) => failure !== undefined);
  const complete = failed.length === 0
    ? "all parts are complete"
    : `not complete: ${failed.map(({ title }) => title.toLowerCase()).join("; ")}`;
  return `${agree} of ${operations.length} operations agree with the CPU; ${complete} (${
    Math.round(seconds)
  } s)`;
}

function tableOf({ rows }: GpuPartResult) {
  return table(rows, { maxRows: rows.length });
}

/** Writes the page. */
async function writeGpuPage(path: string, report: GpuReport): Promise<void> {
  const { renderStaticPage } = await import("../../grade/page.ts");
  const sections = report.parts.map((part) =>
    [
      `<h2>${escapeHtml(part.title)}</h2>`,
      ...part.failure ? [`<p><strong>Not complete.</strong> ${escapeHtml(part.failure)}</p>`] : [],
      ...part.notes.map((note) => `<p>${escapeHtml(note)}</p>`),
      ...part.rows.length > 0 ? [tableOf(part).bundle["text/html"]!] : [],
    ].join("\n")
  );
  const page = renderStaticPage({
    title: `WebGPU on ${report.adapter}`,
    about: `${escapeHtml(report.system)} · ${escapeHtml(verdictOf(report))}`,
    body: sections.join("\n"),
  });
  await writeFileBeside(path, page);
}
