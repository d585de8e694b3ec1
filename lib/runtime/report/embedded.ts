// What a report carries besides the page: the notebook and the manifest, and reading them again.

import { formatNotebook, type Notebook, parseNotebook } from "../notebook.ts";
import type { Manifest } from "../manifest.ts";
import { embeddedJson, escapeHtml } from "./html.ts";

const NOTEBOOK_TYPE = "application/x-ipynb+json+gzip+base64";

/** A notebook of more bytes than this is no notebook of ours. */
const MAX_NOTEBOOK = 1 << 30;

/** What a report carries. */
export interface EmbeddedReport {
  /** The notebook with its outputs; undefined where the report was made without. */
  notebook?: Notebook;
  /** How it was run; undefined where that was not known. */
  manifest?: Manifest;
}

/**
 * Writes the data that a report carries.
 *
 * The notebook is compressed, since its figures and pictures are in the page once already.
 *
 * @param notebook The notebook; undefined leaves it out.
 * @param manifest The manifest; undefined leaves it out.
 * @returns `<script>` elements of data types, which browsers do not run.
 */
export async function embedData(notebook?: Notebook, manifest?: Manifest): Promise<string> {
  let html = "";
  if (manifest !== undefined) {
    html += `<script type="application/json" id="nb-manifest">${embeddedJson(manifest)}</script>\n`;
  }
  if (notebook !== undefined) {
    const name = manifest?.notebook?.name ?? "notebook.ipynb";
    const bytes = await pipe(
      new TextEncoder().encode(formatNotebook(notebook)),
      new CompressionStream("gzip"),
    );
    html +=
      `<script type="${NOTEBOOK_TYPE}" id="nb-notebook" data-name="${escapeHtml(String(name))}">` +
      `${bytes.toBase64()}</script>\n`;
  }
  return html;
}

/**
 * Reads what a report carries.
 *
 * @param html The text of a report that {@linkcode renderReport} made.
 * @returns The notebook and the manifest, as far as the report has them.
 * @throws {SyntaxError} If the text is no report, or what it carries is damaged.
 */
export async function readReport(html: string): Promise<EmbeddedReport> {
  if (!html.includes('<meta name="generator" content="Tunebook">')) {
    throw new SyntaxError("Cannot read the report: it is no report of Tunebook's");
  }
  const report: EmbeddedReport = {};
  const manifest = /<script type="application\/json" id="nb-manifest">([^<]*)<\/script>/.exec(html);
  if (manifest !== null) {
    try {
      report.manifest = asManifest(JSON.parse(manifest[1]));
    } catch (cause) {
      throw new SyntaxError("Cannot read the report: its manifest is damaged", { cause });
    }
  }
  const start = html.indexOf(`<script type="${NOTEBOOK_TYPE}" id="nb-notebook"`);
  if (start >= 0) {
    const from = html.indexOf(">", start) + 1;
    const base64 = html.slice(from, html.indexOf("</script>", from));
    let text: string;
    try {
      const bytes = await pipe(Uint8Array.fromBase64(base64), new DecompressionStream("gzip"));
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new SyntaxError("Cannot read the report: its notebook is damaged", { cause });
    }
    report.notebook = parseNotebook(text, "the report's notebook");
  }
  return report;
}

/**
 * Takes a manifest from a file of anyone's, such as the one that the runner leaves in a notebook's
 * metadata.
 *
 * @param value Any JSON value.
 * @returns A manifest whose parts have the right shape, wrong parts left out; undefined if it is none.
 */
export function asManifest(value: unknown): Manifest | undefined {
  if (!isRecord(value) || typeof value.tunebook !== "string") return undefined;
  const records = (list: unknown) => Array.isArray(list) ? list.filter(isRecord) : [];
  return {
    ...value,
    notebook: isRecord(value.notebook) ? value.notebook : {},
    parameters: isRecord(value.parameters) ? value.parameters : {},
    provenance: records(value.provenance),
    cells: records(value.cells),
  } as unknown as Manifest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function pipe(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of new Blob([bytes]).stream().pipeThrough(through)) {
    length += chunk.length;
    // A few bytes may unpack to a great many.
    if (length > MAX_NOTEBOOK) throw new RangeError("The notebook is larger than 1 GiB");
    chunks.push(chunk);
  }
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
