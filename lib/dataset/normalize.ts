/**
 * Texts in one form: characters, whitespace, punctuation, case and steps.
 *
 * @module
 */

/**
 * A step of normalisation:
 *
 * - `unicode`: composed characters (NFC), without invisible ones, with plain spaces;
 * - `punctuation`: straight quotes, three dots, a hyphen for other hyphens, no spaces before commas and full stops, and one mark
 *   where the same is repeated;
 * - `whitespace`: line feeds, no spaces at the ends of lines, one space between words, at most one blank line;
 * - `case`: sentences instead of text in capitals, and a capital where a text begins;
 * - `steps`: numbered lines, one action each.
 */
export type Normalization = "unicode" | "punctuation" | "whitespace" | "case" | "steps";

/** The values of {@linkcode Normalization}, in the order in which they are applied. */
export const NORMALIZATIONS: readonly Normalization[] = [
  "unicode",
  "punctuation",
  "whitespace",
  "case",
  "steps",
];

/** What each step does to prose. */
const STEPS: Readonly<Record<Normalization, (text: string) => string>> = {
  unicode: (text) =>
    text.normalize("NFC")
      // A joiner has a meaning between letters of some scripts, and inside of emoji.
      .replace(/[\u200B\u2060\uFEFF\u00AD]|[\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "")
      .replace(/[\u00A0\u2000-\u200A\u202F\u205F\u3000]/g, " ")
      // deno-lint-ignore no-control-regex
      .replace(/[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]/g, ""),
  punctuation: (text) =>
    text.replace(/[“”„‟«»]/g, '"')
      .replace(/[‘’‚‛]/g, "'")
      .replace(/…/g, "...")
      .replace(/[‐‑]/g, "-")
      .replace(/([!?,;])\1+/g, "$1")
      .replace(/(?<=[\p{L}\p{N}"')]) +(?=[,;:!?](?:\s|$)|\.(?:\s|$))/gu, ""),
  whitespace: (text) =>
    text.replace(/\r\n?|[\u2028\u2029]/g, "\n")
      .replace(/[ \t]+$/gm, "")
      // Lines that are indented by four spaces or a tab may be code.
      .replace(/^(?! {4}|\t).*$/gm, (line) => line.replace(/(?<=\S)[ \t]+/g, " "))
      .replace(/\n{3,}/g, "\n\n")
      .replace(/^\n+|\s+$/g, ""),
  case: (text) => capitalizeFirst(isShouted(text) ? toSentences(text) : text),
  steps: numberSteps,
};

/**
 * Normalizes a text. Code between fences of three backticks is left as it is, and so are steps and case in a text with such
 * code. `case` is for prose: it takes the first word of a line of code for that of a sentence.
 *
 * @param text The text.
 * @param steps The steps.
 * @returns The text after all of them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { normalizeText } from "tunebook/data";
 *
 * assertEquals(
 *   normalizeText("Step 1: Open the app. Step 2: Press  “Pay” .", ["punctuation", "whitespace", "steps"]),
 *   '1. Open the app.\n2. Press "Pay".',
 * );
 * ```
 */
export function normalizeText(text: string, steps: readonly Normalization[]): string {
  return NORMALIZATIONS.filter((step) => steps.includes(step)).reduce(normalizeBy, text);
}

/**
 * Applies one step to what is not code.
 *
 * @param text The text.
 * @param step The step.
 * @returns The text after it.
 */
export function normalizeBy(text: string, step: Normalization): string {
  if (!text.includes("```")) return STEPS[step](text);
  if (step === "steps" || step === "case") return text;
  // Space beside a fence is kept, because each piece is normalized by itself.
  return text.split(/(```[\s\S]*?(?:```|$))/).map((part) => {
    if (part.startsWith("```")) return part;
    const [before] = /^\s*/.exec(part)!;
    const [after] = /\s*$/.exec(part.slice(before.length))!;
    return before + STEPS[step](part.slice(before.length, part.length - after.length)) + after;
  }).join("");
}

/** Whether a text is written in capitals: at least three words, nearly all letters. */
function isShouted(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  return (text.match(/\p{L}{2,}/gu)?.length ?? 0) >= 3 && capitals >= 0.9 * letters;
}

function toSentences(text: string): string {
  return text.toLowerCase()
    .replace(/(?<=[.!?]\s+)\p{Ll}/gu, (letter) => letter.toUpperCase())
    .replace(/\bi\b(?=$|[\s'’])/g, "I");
}

/** A capital for the first letter, unless the first word has capitals inside, such as iPhone, or is an address. */
function capitalizeFirst(text: string): string {
  return text.replace(
    /^(\s*["'(]?)(\p{Ll})(?=(\p{Ll}*)(?:[\s,.!?;]|:(?!\/)|$))/u,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}

/** "Step 1:", "1)", "(1)", "1." or a bullet at the beginning of a line, or after a sentence on the same line. */
const MARKER = /(?:^|(?<=[.!?;:]\s+))(?:step\s+(\d{1,2})\s*[:.)-]|\(?(\d{1,2})[.)])\s+/gim;
const BULLET = /^[ \t]*[-*•‣]\s+(?=\S)/gm;

/** Numbered lines, if the text numbers its steps from 1 on, or has only bullets from its first one on. */
function numberSteps(text: string): string {
  const markers = [...text.matchAll(MARKER)];
  const numbers = markers.map(([, step, number]) => Number(step ?? number));
  if (markers.length >= 2 && numbers.every((number, i) => number === i + 1)) {
    return writeSteps(text, markers.map(({ 0: marker, index }) => [index, marker.length]));
  }
  const bullets = [...text.matchAll(BULLET)];
  if (bullets.length < 2 || markers.length > 0) return text;
  const list = text.slice(bullets[0]!.index).trimEnd();
  // Prose between or after bullets belongs to no step.
  if (list.split("\n").some((line) => line.trim() !== "" && !/^[ \t]*[-*•‣]\s/.test(line))) {
    return text;
  }
  return writeSteps(text, bullets.map(({ 0: bullet, index }) => [index, bullet.length]));
}

/** Puts each step on a line of its own, after what comes before the first. */
function writeSteps(
  text: string,
  marks: readonly (readonly [start: number, length: number])[],
): string {
  const steps = marks.map(([start, length], i) => {
    const step = text.slice(start + length, marks[i + 1]?.[0]).trim().replace(/[;,]$/, ".");
    return `${i + 1}. ${capitalizeFirst(step)}`;
  });
  const before = text.slice(0, marks[0]![0]).trim();
  return [...(before === "" ? [] : [before]), ...steps].join("\n");
}
