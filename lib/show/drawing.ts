// Wraps a drawing so that it shows wherever a notebook is opened, trusted or not.

import { escapeHtml } from "./theme.ts";

// JupyterLab strips `<style>` and `<svg>` from cells that it does not trust, but leaves the labels as
// loose text. So by itself the drawing is hidden, and a picture of it, which JupyterLab keeps, stands
// in; it cannot know the page's colour, so it is grey. The style turns that round only where the SVG
// has survived: trusted and other cells share a page, and with it the styles.
const style = "<style>.tb-figure .tb-still:has(>svg){display:block!important;overflow-x:auto}" +
  ".tb-figure:has(>.tb-still>svg)>.tb-picture,.tb-figure.tb-drawn .tb-still{display:none!important}" +
  "</style>";

const pictureColor = "#7d7d7d";

/**
 * Wraps a drawing.
 *
 * @param draw Draws the SVG, in the given colour or in the page's own.
 * @param alt The text alternative.
 * @param options HTML before and after the drawing, and how wide it may get, in pixels.
 * @returns HTML that fetches nothing and needs no script.
 */
export function drawingHtml(
  draw: (color?: string) => string,
  alt: string,
  options: { before?: string; after?: string; maxWidth?: number } = {},
): string {
  const { before = "", after = "", maxWidth = 768 } = options;
  return `<div class="tb-figure">${style}${before}` +
    `<div class="tb-still" style="display:none">${draw()}</div>` +
    `<img class="tb-picture" alt="${
      escapeHtml(alt)
    }" style="width:100%;max-width:${maxWidth}px" src="${
      pictureUrl(draw(pictureColor))
    }">${after}</div>`;
}

/** A data URL that needs no base64: shorter, and the notebook stays legible. */
function pictureUrl(svg: string): string {
  const encoded = svg.replaceAll('"', "'").replace(
    /[%#<>&?{}|\\^`\n\r]|[^\x20-\x7e]+/g,
    (part) => encodeURIComponent(part),
  );
  return `data:image/svg+xml,${encoded}`;
}
