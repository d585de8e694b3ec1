/**
 * What splits and replacements search for in a text: a string, or one of Oniguruma's regular expressions, which
 * `@huggingface/tokenizers` translates.
 */
import { Tokenizer as Library } from "@huggingface/tokenizers";

/** A part of a text, and whether the pattern matches it. */
export interface Segment {
  readonly text: string;
  readonly isMatch: boolean;
}

/**
 * Reads a pattern.
 *
 * @param pattern `{ String: … }` or `{ Regex: … }`, as in `tokenizer.json`.
 * @returns A global regular expression with the same matches.
 * @throws {TypeError} If it is neither, or cannot be translated.
 */
export function readPattern(pattern: unknown): RegExp {
  const { String: text, Regex: source } = (pattern ?? {}) as Record<string, unknown>;
  if (typeof text === "string") return new RegExp(RegExp.escape(text), "gu");
  if (typeof source !== "string") {
    throw new TypeError(
      `Cannot build the tokenizer: a pattern is ${
        JSON.stringify(pattern) ?? "missing"
      }, expected { "String": … } or { "Regex": … }`,
    );
  }
  try {
    const library = new Library({
      normalizer: null,
      pre_tokenizer: { type: "Split", pattern, behavior: "Isolated", invert: false },
      model: { type: "BPE", vocab: {}, merges: [] },
      post_processor: null,
      decoder: null,
      added_tokens: [],
    }, {});
    return (library.pre_tokenizer as unknown as { pattern: RegExp }).pattern;
  } catch (cause) {
    throw new TypeError(
      `Cannot build the tokenizer: its pattern ${JSON.stringify(source)} cannot be translated: ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
}

/**
 * Splits a text at a pattern.
 *
 * @param text The text.
 * @param pattern A global regular expression.
 * @returns All of the text in order; no part is empty.
 */
export function segmentsOf(text: string, pattern: RegExp): Segment[] {
  const segments: Segment[] = [];
  let from = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (from < index) segments.push({ text: text.slice(from, index), isMatch: false });
    if (match !== "") segments.push({ text: match, isMatch: true });
    from = index + match.length;
  }
  if (from < text.length) segments.push({ text: text.slice(from), isMatch: false });
  return segments;
}
