// The page around the cells: one HTML file whose content policy lets nothing in or out. Scripts are
// allowed by their hashes, so that no script which a notebook smuggled in could run.

import config from "../../../deno.json" with { type: "json" };
import framesPlayer from "../../show/frames_player.js" with { type: "text" };
import clientScript from "./client.js" with { type: "text" };
import styleSheet from "./report.css" with { type: "text" };
import { escapeHtml } from "./html.ts";
import { paletteCss } from "./theme.ts";

/** The parts of a page; everything that is HTML has been made safe. */
export interface PageParts {
  /** The title as text. */
  title: string;
  /** The title as HTML, for the h1. */
  titleHtml: string;
  /** A BCP 47 language tag. */
  language: string;
  /** A style sheet that goes over the report's own; empty for none. */
  theme: string;
  /** One line under the title, as HTML. */
  about: string;
  /** The table of contents, empty if there is none. */
  contents: string;
  cells: string;
  footer: string;
  /** Whether the page has code that can be folded. */
  foldable: boolean;
  /** `<script>` elements of data types. */
  data: string;
  /** Whether the page needs Plotly. */
  plotly: boolean;
}

/**
 * Puts a page together.
 *
 * @param parts Its parts.
 * @returns The HTML file's text.
 */
export async function renderPage(parts: PageParts): Promise<string> {
  const client = scriptText(clientScript) + playFrames;
  const scripts = [client];
  if (parts.plotly) scripts.push(await plotlyScript());
  const hashes = await Promise.all(scripts.map(scriptHash));
  const policy = [
    "default-src 'none'",
    `script-src ${hashes.map((hash) => `'${hash}'`).join(" ")}`,
    "style-src 'unsafe-inline'", // Plotly styles what it draws
    "img-src data: blob:", // blob: for a chart that is saved as a picture; only our script can make one
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const contents = parts.contents === ""
    ? ""
    : `<nav class="nb-toc" aria-label="Contents"><details open><summary>Contents</summary>${parts.contents}</details></nav>\n`;
  return `<!DOCTYPE html>
<html lang="${escapeHtml(parts.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta http-equiv="x-dns-prefetch-control" content="off">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Tunebook ${config.version}">
<title>${escapeHtml(parts.title)}</title>
<link rel="icon" href="data:,">
<style>
${paletteCss()}${styleSheet}${themeText(parts.theme)}</style>
<script>${client}</script>
</head>
<body>
<a class="nb-skip" href="#nb-main">Skip to content</a>
<div class="nb-page${parts.contents === "" ? "" : " nb-has-toc"}">
<header class="nb-top">
<h1>${parts.titleHtml}</h1>
${parts.about === "" ? "" : `<p class="nb-about">${parts.about}</p>`}
<div class="nb-tools"><button type="button" class="nb-button" id="nb-theme" aria-pressed="false">Dark theme</button>${
    parts.foldable ? `<button type="button" class="nb-button" id="nb-fold">Hide code</button>` : ""
  }</div>
</header>
${contents}<main id="nb-main" tabindex="-1">
${parts.cells}</main>
<footer class="nb-foot">
${parts.footer}
</footer>
</div>
${parts.data}${parts.plotly ? `<script>${scripts[1]}</script>\n` : ""}</body>
</html>
`;
}

/** Views of many frames get their controls from the page's own script, since theirs does not pass. */
const playFrames = `(() => {
${scriptText(framesPlayer)}
addEventListener("DOMContentLoaded", () => document.querySelectorAll(".tb-frames").forEach(playFrames));
})();
`;

/** A style sheet as an HTML parser will read it. */
function themeText(css: string): string {
  if (/<\/style|<!--|\0/i.test(css)) {
    throw new SyntaxError(
      'Cannot take the theme: it contains "</style", "<!--" or a NUL character',
    );
  }
  return css;
}

let plotly: Promise<string> | undefined;

/** Plotly's cartesian bundle, read when the first report needs it. */
function plotlyScript(): Promise<string> {
  return plotly ??= import("plotly.js-cartesian-dist-min/plotly-cartesian.min.js", {
    with: { type: "text" },
  }).then((module) => scriptText(module.default as unknown as string));
}

/** A script as an HTML parser will read it, so that its hash is that of the file. */
function scriptText(source: string): string {
  const text = source.replace(/\r\n?/g, "\n");
  if (/<\/script|<!--|\0/i.test(text)) {
    throw new TypeError(
      'Cannot embed a script that contains "</script", "<!--" or a NUL character',
    );
  }
  return text;
}

async function scriptHash(script: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}
