// SVG as a file of its own. In a page an `<svg>` needs no namespace and may name characters as HTML
// does; as an image it is XML.

/** Names of characters that HTML has and XML has not, as far as drawings use them. */
const CHARACTERS: Record<string, string> = {
  nbsp: "\u00a0",
  ndash: "–",
  mdash: "—",
  minus: "−",
  times: "×",
  middot: "·",
  hellip: "…",
  deg: "°",
  plusmn: "±",
  micro: "µ",
};

/**
 * Makes an SVG element a document that can be shown as an image.
 *
 * @param svg The element, as a page may hold it.
 * @returns The element with the namespaces that it uses declared.
 */
export function standaloneSvg(svg: string): string {
  const opening = /<svg\b[^>]*>/i.exec(svg)?.[0];
  if (opening === undefined) return svg;
  const missing = [
    /\sxmlns\s*=/.test(opening) ? "" : ' xmlns="http://www.w3.org/2000/svg"',
    !/\sxlink:/.test(svg) || /\sxmlns:xlink\s*=/.test(opening)
      ? ""
      : ' xmlns:xlink="http://www.w3.org/1999/xlink"',
  ].join("");
  const declared = missing === ""
    ? svg
    : svg.replace(opening, () => opening.replace(/^<svg/i, `<svg${missing}`));
  return declared.replace(
    /&(\w+);/g,
    (entity, name: string) => Object.hasOwn(CHARACTERS, name) ? CHARACTERS[name] : entity,
  );
}
