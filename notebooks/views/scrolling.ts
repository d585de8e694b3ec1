// Drawings that would be too small to read on a narrow page.

/**
 * Puts HTML into a box that scrolls sideways, with the keyboard too.
 *
 * @param html The HTML.
 * @returns The box.
 */
export function scrolling(html: string): string {
  return `<div style="overflow-x:auto" tabindex="0">${html}</div>`;
}
