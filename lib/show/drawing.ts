// Wraps a drawing so that it is visible wherever a notebook is opened, trusted or not.

import { escapeHtml } from "./theme.ts";

// JupyterLab strips `<style>` and `<svg>` from untrusted cells, but leaves the labels as loose
// text. So the drawing is hidden by default, and a picture of it, which JupyterLab keeps, is shown;
// it is grey because it cannot know the page's colour. The style reverses this only if the SVG is
// still there, because trusted and untrusted cells share a page and its styles.
const style = "<style>.tb-figure .tb-still:has(>svg){display:block!important;overflow-x:auto}" +
  ".tb-figure:has(>.tb-still>svg)>.tb-picture,.tb-figure.tb-drawn .tb-still{display:none!important}" +
  // A drawing for phones takes the place of the one before it.
  "@media screen and (max-width:500px){.tb-still>svg:has(+.tb-narrow){display:none!important}" +
  ".tb-still>.tb-narrow{display:block!important}}" +
  "</style>";

const pictureColor = "#7d7d7d";

/**
 * Wraps a drawing.
 *
 * @param draw Draws the SVG, in the given colour or in the page's own.
 * @param alt The text alternative.
 * @param options HTML before and after the drawing, and its maximum width in pixels.
 * @returns HTML that fetches nothing and needs no script.
 */
export function drawingHtml(
  draw: (color?: string) => string,
  alt: string,
  options: { before?: string; after?: string; maxWidth?: number } = {},
): string {
  const { before = "", after = "", maxWidth = 768 } = options;
  return `<div class="tb-figure">${style}${before}` +
    `<div class="tb-still" style="display:none" tabindex="0">${draw()}</div>` + // it can scroll
    `<img class="tb-picture" alt="${
      escapeHtml(alt)
    }" style="width:100%;max-width:${maxWidth}px" src="${
      pictureUrl(draw(pictureColor))
    }">${after}</div>`;
}

/** A data URL without base64, which is shorter and keeps the notebook legible. */
function pictureUrl(svg: string): string {
  const encoded = svg.replaceAll('"', "'").replace(
    /[%#<>&?{}|\\^`\n\r]|[^\x20-\x7e]+/g,
    (part) => encodeURIComponent(part),
  );
  return `data:image/svg+xml,${encoded}`;
}
