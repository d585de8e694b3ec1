/**
 * Judges' replies as they are written: a bare number, or one with its scale, in bold, with a label, after thinking aloud.
 *
 * @module
 */

/** What scores are possible. */
export interface ScoreScale {
  /** The lowest score. */
  readonly least: number;
  /** The highest. */
  readonly most: number;
}

/** The scale of Raschka's chapter 7. */
export const PERCENT_SCALE: ScoreScale = { least: 0, most: 100 };

/** A score, and the part of the reply that was read as it. */
export interface ReadScore {
  readonly score: number;
  readonly understood: string;
}

const NUMBER = String.raw`(-?\d+(?:\.\d+)?)`;
/** A number, possibly in brackets, with its scale or without. */
const SCORE = String.raw`(?:\[\[|\[|\()?${NUMBER}(?:\]\]|\]|\))?(?:\s*(?:\/|out of|of)\s*(\d+))?`;
const WHOLE = new RegExp(String.raw`^${SCORE}\s*(?:%|points?)?\s*[.!]?$`, "i");
const LABEL = String
  .raw`\b(?:score|rating|grade|verdict)\b["']?(?:\s+(?:is|of|would be))?\s*[:=]?\s*["']?`;

/** Where else a score can be, the surest place first. */
const PLACES: readonly RegExp[] = [
  /\[\[(-?\d+(?:\.\d+)?)\]\]/g,
  new RegExp(LABEL + SCORE, "gi"),
  new RegExp(String.raw`(?<![\d./])${NUMBER}\s*(?:\/|out of)\s*(\d+)`, "gi"),
];

/**
 * What a model said after thinking aloud.
 *
 * @param reply The reply.
 * @returns What is behind the last `</think>`; nothing where the thinking did not end.
 */
export function withoutThinking(reply: string): string {
  const end = reply.lastIndexOf("</think>");
  if (end >= 0) return reply.slice(end + "</think>".length).trim();
  return reply.trimStart().startsWith("<think>") ? "" : reply.trim();
}

/**
 * Finds the score in a reply. Where several places name different scores, or the scale is another one, there is none.
 *
 * @param reply The reply.
 * @param scale The lowest and the highest score; scores are whole numbers.
 * @returns The score, and what was read as it; undefined if there is none.
 */
export function readScore(reply: string, scale: ScoreScale = PERCENT_SCALE): ReadScore | undefined {
  const text = withoutThinking(reply).replace(/[*_`]+/g, "").trim();
  const whole = readMatch(WHOLE.exec(text), scale);
  if (whole !== undefined) return whole;
  for (const place of PLACES) {
    const matches = [...text.matchAll(place)];
    if (matches.length === 0) continue;
    const scores = matches.map((match) => readMatch(match, scale));
    const same = scores.every((one) => one?.score === scores[0]?.score);
    return same ? scores.at(-1) : undefined;
  }
  // A score on a line of its own, with an explanation below or above it
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const alone = lines.map((line) => readMatch(WHOLE.exec(line), scale))
    .filter((one) => one !== undefined);
  return alone.length === 1 ? alone[0] : undefined;
}

function readMatch(match: RegExpMatchArray | null, scale: ScoreScale): ReadScore | undefined {
  if (match === null) return undefined;
  const [understood, number, most] = match;
  const score = Number(number);
  const fits = Number.isInteger(score) && score >= scale.least && score <= scale.most &&
    (most === undefined || Number(most) === scale.most);
  return fits ? { score, understood: understood.trim() } : undefined;
}
