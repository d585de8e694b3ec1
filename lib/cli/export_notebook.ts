// `tunebook export` for notebooks: a report from a stored notebook, or the notebook of a report.

import type { Manifest } from "../runtime/manifest.ts";
import { type Notebook, readNotebook, writeNotebook } from "../runtime/notebook.ts";
import { readReport, renderReport } from "../runtime/report/mod.ts";
import { writeFileBeside } from "../write_beside.ts";

/** Options of an export. */
export interface ExportNotebookOptions {
  /** The HTML report to write. */
  html?: string;
  /** The Markdown report to write. */
  md?: string;
  /** The notebook to write. */
  output?: string;
  /** The report's title. */
  title?: string;
  /** A style sheet in addition to the HTML report's own. */
  theme?: string;
  /** Whether code is shown. */
  code: boolean;
  /** Whether the report contains the notebook. */
  notebook: boolean;
}

/**
 * Exports a notebook to each given target.
 *
 * @param path The notebook, or a report that contains one.
 * @param options The targets, and what to show.
 */
export async function exportNotebook(path: string, options: ExportNotebookOptions): Promise<void> {
  const { html, md, output, title, code } = options;
  const { notebook, manifest } = await readEither(path);
  if (html !== undefined) {
    const theme = options.theme && await Deno.readTextFile(options.theme);
    const embedNotebook = options.notebook;
    const page = await renderReport(notebook, { manifest, title, code, theme, embedNotebook });
    await writeFileBeside(html, page);
    console.error(`Wrote ${html} (${(page.length / 1e6).toFixed(1)} MB)`);
  }
  if (md !== undefined) {
    const { writeMarkdownReport } = await import("../runtime/report/markdown_report.ts");
    await writeMarkdownReport(md, notebook, { manifest, code });
    console.error(`Wrote ${md}`);
  }
  if (output !== undefined) {
    await writeNotebook(output, notebook);
    console.error(`Wrote ${output}`);
  }
}

async function readEither(path: string): Promise<{ notebook: Notebook; manifest?: Manifest }> {
  if (!/\.html?$/i.test(path)) return { notebook: await readNotebook(path) };
  const { notebook, manifest } = await readReport(await Deno.readTextFile(path));
  if (notebook !== undefined) return { notebook, manifest };
  throw new TypeError(`Cannot export "${path}": the report was made without its notebook`);
}
