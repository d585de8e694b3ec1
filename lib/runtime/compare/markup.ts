// Compares two pieces of HTML or SVG with a tolerance for numbers: text by words and numbers,
// drawings by positions, everything else (colours, classes, pictures) exactly except for numbers.

import type { OutputTolerance } from "./tolerance.ts";
import { compareText, isNearText } from "./text.ts";

/** A name is looked for where one begins, so that a long one takes no longer than it has letters. */
const ATTRIBUTE = /(?<![\w:-])([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

/** Attributes with positions, whose tolerance is relative to the drawing's size. */
const GEOMETRY = new Set(
  "d points x y x1 y1 x2 y2 cx cy r rx ry width height viewbox transform".split(" "),
);

/**
 * Compares HTML or SVG.
 *
 * @param old The markup that there was.
 * @param now The markup that there is.
 * @param tolerance How near numbers must be.
 * @returns The first difference; undefined if they are the same.
 */
export function compareMarkup(
  old: string,
  now: string,
  { relative }: OutputTolerance,
): string | undefined {
  if (old === now) return undefined;
  const whole = () => compareText(old, now, 0);
  if (relative === 0) return whole();
  const [a, b] = [piecesOf(old), piecesOf(now)];
  if (a.length !== b.length) return whole();
  const scale = drawingSize(a);
  for (const [i, piece] of a.entries()) {
    const other = b[i];
    if (piece === other) continue;
    const tags = piece.length > 1 && piece[0] === "<" && other[0] === "<";
    if (tags ? !isNearTag(piece, other, relative, scale) : !isNearText(piece, other, relative)) {
      return compareText(piece, other, 0);
    }
  }
}

/** Tags, and the text between them. */
function piecesOf(markup: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < markup.length;) {
    const tag = markup[at] === "<";
    const next = markup.indexOf(tag ? ">" : "<", at + 1);
    // What no tag follows, or an open tag at the end, is one piece.
    const end = next < 0 ? markup.length : tag ? next + 1 : next;
    pieces.push(markup.slice(at, end));
    at = end;
  }
  return pieces;
}

function isNearTag(old: string, now: string, relative: number, scale: number): boolean {
  const names = (tag: string) => tag.replace(ATTRIBUTE, "$1=");
  if (names(old) !== names(now)) return false;
  const [a, b] = [attributesOf(old), attributesOf(now)];
  return a.every(([name, value], i) => {
    const other = b[i][1];
    if (value === other) return true;
    // Digits in a picture's bytes or in a URL are not numbers.
    if (/^(?:href|src|xlink:href|id|class)$/.test(name)) {
      const [was, is] = [svgOf(value), svgOf(other)];
      return was !== undefined && is !== undefined &&
        compareMarkup(was, is, { relative }) === undefined;
    }
    return isNearText(value, other, relative, GEOMETRY.has(name) ? scale : 0);
  });
}

/** A drawing that is held in an address. */
function svgOf(address: string): string | undefined {
  if (!/^data:image\/svg\+xml[;,]/i.test(address)) return undefined;
  try {
    const data = address.slice(address.indexOf(",") + 1);
    return /;base64,/i.test(address)
      ? new TextDecoder().decode(Uint8Array.fromBase64(data))
      : decodeURIComponent(data);
  } catch {
    return undefined;
  }
}

function attributesOf(tag: string): [string, string][] {
  return [...tag.matchAll(ATTRIBUTE)].map((
    [, name, ...values],
  ) => [name.toLowerCase(), values.find((value) => value !== undefined) ?? ""]);
}

/**
 * How large drawings are in their own units: points are near by it, not by their distance from a corner. Of
 * several drawings the smallest counts.
 */
function drawingSize(pieces: readonly string[]): number {
  let smallest = Infinity;
  for (const piece of pieces) {
    if (!/^<svg\b/i.test(piece)) continue;
    const attributes = new Map(attributesOf(piece));
    const numbers = (name: string) =>
      attributes.get(name)?.match(/\d+(?:\.\d+)?/g)?.map(Number) ?? [];
    const [, , ...box] = numbers("viewbox");
    const sides = box.length === 2 ? box : [...numbers("width"), ...numbers("height")];
    if (sides.length > 0) smallest = Math.min(smallest, Math.max(...sides));
  }
  return smallest === Infinity ? 0 : Math.min(smallest, 10_000);
}
