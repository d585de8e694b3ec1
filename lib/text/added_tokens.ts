/**
 * Added tokens: tokens that are matched literally in a text before it is split and merged. They are
 * matched as in the Rust crate `tokenizers` (`AddedVocabulary::find_matches`): the leftmost first,
 * the longest of those, without overlaps.
 */

/** A token that is matched literally; the property names are those of `tokenizer.json`. */
export interface AddedToken {
  /** Its id. */
  id: number;
  /** Its text. */
  content: string;
  /** Whether it is a control token rather than part of the text. */
  special: boolean;
  /** Whether it is matched only if no letter or digit is next to it. */
  single_word?: boolean;
  /** Whether it includes the white space before it. */
  lstrip?: boolean;
  /** Whether it includes the white space after it. */
  rstrip?: boolean;
  /** Whether it is matched in the normalized text. */
  normalized?: boolean;
}

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u;
const SPACE_BEFORE = /\p{White_Space}+$/u;
const SPACE_AFTER = /^\p{White_Space}+/u;

/** Finds added tokens. */
export class AddedTokenFinder {
  readonly #tokens = new Map<string, AddedToken>();
  readonly #firsts = new Set<number>();
  /** The lengths of tokens, longest first: a slice of each length is looked up. */
  readonly #lengths: number[];

  /**
   * @param tokens The tokens.
   * @param spell How each is written in the searched text; unchanged by default.
   */
  constructor(tokens: Iterable<AddedToken>, spell = (content: string) => content) {
    const lengths = new Set<number>();
    for (const token of tokens) {
      const content = spell(token.content);
      if (content === "") continue;
      this.#tokens.set(content, token);
      this.#firsts.add(content.charCodeAt(0));
      lengths.add(content.length);
    }
    this.#lengths = [...lengths].sort((a, b) => b - a);
  }

  /**
   * Splits a text at its added tokens.
   *
   * @param text The text.
   * @param allowed Which special tokens are matched; others are ordinary text.
   * @returns The texts between tokens, and the tokens, in order; no text is empty.
   */
  split(text: string, allowed: (token: AddedToken) => boolean): (string | AddedToken)[] {
    if (this.#tokens.size === 0) return text === "" ? [] : [text];
    const parts: (string | AddedToken)[] = [];
    let from = 0;
    for (let at = 0; at < text.length;) {
      const content = this.#firsts.has(text.charCodeAt(at)) ? this.#longest(text, at) : undefined;
      if (content === undefined) {
        at++;
        continue;
      }
      const token = this.#tokens.get(content)!;
      let [start, end] = [at, at + content.length];
      at = end;
      if (token.special && !allowed(token)) continue;
      if (
        token.single_word &&
        (WORD_BEFORE.test(text.slice(0, start)) || WORD_AFTER.test(text.slice(end)))
      ) continue;
      if (token.lstrip) {
        start -= SPACE_BEFORE.exec(text.slice(from, start))?.[0].length ?? 0;
      }
      if (token.rstrip) end += SPACE_AFTER.exec(text.slice(end))?.[0].length ?? 0;
      if (from < start) parts.push(text.slice(from, start));
      parts.push(token);
      from = end;
      at = Math.max(at, end);
    }
    if (from < text.length) parts.push(text.slice(from));
    return parts;
  }

  #longest(text: string, at: number): string | undefined {
    for (const length of this.#lengths) {
      const slice = text.slice(at, at + length);
      if (slice.length === length && this.#tokens.has(slice)) return slice;
    }
  }
}
