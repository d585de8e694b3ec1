// The footer: how the report was made, so that somebody can make it again and check it.

import type { Manifest, ProvenanceEntry } from "../manifest.ts";
import { cellAnchor, formatSeconds } from "./cells.ts";
import { escapeHtml } from "./html.ts";

/** Longest value that the footer shows; the manifest in the page has all of it. */
const MAX_VALUE = 400;

/**
 * Renders how a report was made.
 *
 * @param manifest The run's manifest; undefined if the notebook was exported without a run.
 * @param hasNotebook Whether the page carries the notebook.
 * @returns The inside of the page's footer.
 */
export function renderProvenance(manifest: Manifest | undefined, hasNotebook: boolean): string {
  const save = hasNotebook
    ? `<button type="button" id="nb-save" class="nb-button">Save the notebook</button>`
    : "";
  if (manifest === undefined) {
    return `<h2 id="nb-how">How this was made</h2><p>Exported from a notebook with the outputs ` +
      `that it held; nothing was recorded of the run.</p>${save}`;
  }
  const total = manifest.cells.reduce((sum, cell) => sum + (Number(cell.seconds) || 0), 0);
  const facts: [string, string][] = [
    ["Notebook", value(manifest.notebook.name)],
    ["SHA-256 of its code and text", hash(manifest.notebook.sha256)],
    ["Started", time(manifest.startedAt)],
    ["Took", escapeHtml(formatSeconds(total))],
    [
      "Versions",
      [
        `Tunebook ${value(manifest.tunebook)}`,
        `Deno ${value(manifest.deno)}`,
        `V8 ${value(manifest.v8)}`,
        `TypeScript ${value(manifest.typescript)}`,
      ].join(" · "),
    ],
    ["System", `${value(manifest.os)} · ${value(manifest.cores)} logical processors`],
  ];
  const parameters = Object.entries(manifest.parameters);
  return `<h2 id="nb-how">How this was made</h2>` +
    list(facts) +
    `<h3>Parameters</h3>${
      parameters.length === 0
        ? "<p>None were set.</p>"
        : list(parameters.map(([name, set]) => [name, code(set)]))
    }` +
    modules(manifest.modules) +
    recorded(manifest.provenance) +
    times(manifest) + save;
}

function modules(hashes: Manifest["modules"]): string {
  const entries = typeof hashes === "object" && hashes !== null ? Object.entries(hashes) : [];
  if (entries.length === 0) return "";
  return `<h3>Local modules</h3>${list(entries.map(([path, sha256]) => [path, hash(sha256)]))}`;
}

function recorded(entries: readonly ProvenanceEntry[]): string {
  if (entries.length === 0) return "";
  const rows = entries.map(({ kind, ...facts }) =>
    `<tr><th scope="row">${escapeHtml(clip(String(kind)))}</th><td>${
      Object.entries(facts).map(([name, fact]) =>
        `<span class="nb-fact"><span class="nb-name">${escapeHtml(clip(name))}</span> ${
          typeof fact === "string" && /^[0-9a-f]{32,}$/.test(fact) ? hash(fact) : value(fact)
        }</span>`
      ).join("")
    }</td></tr>`
  ).join("");
  return `<h3>Recorded while it ran</h3><div class="table-scroll"><table class="nb-facts"><thead>` +
    `<tr><th scope="col">About</th><th scope="col">Facts</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function times(manifest: Manifest): string {
  const { cells } = manifest;
  if (cells.length === 0) return "";
  const longest = cells.reduce((most, cell) => Math.max(most, Number(cell.seconds) || 0), 1e-9);
  const rows = cells.map((cell, index) => {
    const seconds = Number(cell.seconds) || 0;
    const share = Math.max(1, Math.round(100 * seconds / longest));
    return `<tr><td>${index + 1}</td><td><a href="#cell-${cellAnchor(cell.id)}">${
      cell.executionCount === null || cell.executionCount === undefined
        ? "did not start"
        : `[${value(cell.executionCount)}]`
    }</a></td><td class="nb-number">${escapeHtml(formatSeconds(seconds))}${
      cell.restored === true ? ", from the cache" : ""
    }</td>` +
      `<td class="nb-bar" aria-hidden="true"><span style="width:${share}%"></span></td></tr>`;
  }).join("");
  return `<details class="nb-times"><summary>Order and time of ${cells.length} cells</summary>` +
    `<table><thead><tr><th scope="col">Order</th><th scope="col">Cell</th>` +
    `<th scope="col" colspan="2">Time</th></tr></thead><tbody>${rows}</tbody></table></details>`;
}

function list(facts: readonly (readonly [string, string])[]): string {
  return `<dl>${
    facts.map(([name, html]) => `<dt>${escapeHtml(clip(name))}</dt><dd>${html}</dd>`).join("")
  }</dl>`;
}

function time(startedAt: string): string {
  const date = new Date(startedAt);
  if (Number.isNaN(date.getTime())) return value(startedAt);
  const iso = date.toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

function hash(text: unknown): string {
  return `<code class="nb-hash">${value(text)}</code>`;
}

function code(json: unknown): string {
  return `<code>${escapeHtml(clip(JSON.stringify(json) ?? "undefined"))}</code>`;
}

function value(fact: unknown): string {
  if (fact === undefined || fact === null) return "not recorded";
  return escapeHtml(clip(typeof fact === "object" ? JSON.stringify(fact) : String(fact)));
}

function clip(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
