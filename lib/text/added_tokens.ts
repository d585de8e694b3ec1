/**
 * Added tokens: those that are found in a text as they stand, before the text is cut and merged.
 * Found as the Rust crate `tokenizers` finds them (`AddedVocabulary::find_matches`): the leftmost,
 * the longest of those, and no overlaps.
 */

/** A token that is found as it stands, in the names of `tokenizer.json`. */
export interface AddedToken {
  /** Its id. */
  id: number;
  /** Its text. */
  content: string;
  /** Whether it controls the model, rather than being part of what is said. */
  special: boolean;
  /** Whether it is found only where no letter or digit stands beside it. */
  single_word?: boolean;
  /** Whether it takes the white space before it. */
  lstrip?: boolean;
  /** Whether it takes the white space after it. */
  rstrip?: boolean;
  /** Whether it is looked for in the normalized text. */
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
  /** The lengths of tokens, the longest first: a slice of each is looked up. */
  readonly #lengths: number[];

  /**
   * @param tokens The tokens.
   * @param spell How each looks in the text that is searched; as it is unless given.
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
   * Cuts a text at its added tokens.
   *
   * @param text The text.
   * @param allowed Which special tokens are looked for; others are ordinary text.
   * @returns What stands between tokens as text, and tokens, in order; no text is empty.
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
