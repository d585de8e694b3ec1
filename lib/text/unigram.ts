/**
 * Unigram language models (Kudo, "Subword Regularization", 2018), with the tokens of the Rust crate `tokenizers`
 * (`models/unigram`): of all ways to write a piece as tokens the one with the highest sum of scores.
 */

/** A vocabulary with a score for each token: the logarithm of its probability. */
export interface UnigramVocabulary {
  /** The tokens by id. */
  readonly tokens: readonly (string | undefined)[];
  /** Their scores; −∞ for tokens that are in no text. */
  readonly scores: ArrayLike<number>;
  /** The token for characters without a token; without one such characters are refused. */
  readonly unknownId?: number;
  /** Whether these become byte tokens, `<0x00>` to `<0xFF>`, where all of them are there. */
  readonly byteFallback: boolean;
}

/** A character without a token costs this more than the worst token. */
const UNKNOWN_PENALTY = 10;

/** Finds the best tokens of a piece. */
export class UnigramModel {
  readonly #ids = new Map<string, number>();
  readonly #longest: number = 1;
  readonly #unknownScore: number;
  readonly #vocabulary: UnigramVocabulary;

  /** @param vocabulary Tokens and scores. */
  constructor(vocabulary: UnigramVocabulary) {
    this.#vocabulary = vocabulary;
    let least = Infinity;
    for (let id = 0; id < vocabulary.tokens.length; id++) {
      const token = vocabulary.tokens[id];
      if (token === undefined || vocabulary.scores[id] === -Infinity) continue;
      this.#ids.set(token, id);
      this.#longest = Math.max(this.#longest, token.length);
      least = Math.min(least, vocabulary.scores[id]);
    }
    this.#unknownScore = least - UNKNOWN_PENALTY;
  }

  /**
   * Encodes a piece.
   *
   * @param piece The piece.
   * @returns Its tokens.
   * @throws {TypeError} If it has a character without a token, and the vocabulary has no token for that.
   */
  encode(piece: string): number[] {
    const ids: number[] = [];
    let unknown = "";
    const flush = () => {
      if (unknown !== "") ids.push(...this.#unknown(unknown));
      unknown = "";
    };
    for (const part of this.#best(piece)) {
      const id = this.#ids.get(part);
      // Neighbours without a token are one.
      if (id === undefined || id === this.#vocabulary.unknownId) unknown += part;
      else {
        flush();
        ids.push(id);
      }
    }
    flush();
    return ids;
  }

  #unknown(text: string): number[] {
    const own = this.#ids.get(text);
    if (own !== undefined) return [own];
    if (this.#vocabulary.byteFallback) {
      const bytes = Array.from(
        new TextEncoder().encode(text),
        (byte) => this.#ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
      );
      if (bytes.every((id) => id !== undefined)) return bytes;
    }
    const { unknownId } = this.#vocabulary;
    if (unknownId !== undefined) return [unknownId];
    throw new TypeError(
      `Cannot encode ${
        JSON.stringify(text)
      }: the vocabulary has no token for it, and none for what is unknown`,
    );
  }

  /** The parts of the best way, from left to right. */
  #best(piece: string): string[] {
    // best[i]: the highest sum of scores up to i, and where its last part begins
    const best = new Float64Array(piece.length + 1);
    const from = new Int32Array(piece.length + 1).fill(-1);
    for (let start = 0; start < piece.length;) {
      const width = piece.codePointAt(start)! > 0xffff ? 2 : 1;
      let hasOne = false;
      for (let end = start + width; end <= piece.length && end - start <= this.#longest;) {
        const id = this.#ids.get(piece.slice(start, end));
        if (id !== undefined) {
          const sum = best[start] + this.#vocabulary.scores[id];
          if (from[end] < 0 || sum > best[end]) [best[end], from[end]] = [sum, start];
          hasOne ||= end === start + width;
        }
        if (end === piece.length) break;
        end += piece.codePointAt(end)! > 0xffff ? 2 : 1;
      }
      if (!hasOne) {
        const end = start + width;
        const sum = best[start] + this.#unknownScore;
        if (from[end] < 0 || sum > best[end]) [best[end], from[end]] = [sum, start];
      }
      start += width;
    }
    const parts: string[] = [];
    for (let end = piece.length; end > 0; end = from[end]) parts.push(piece.slice(from[end], end));
    return parts.reverse();
  }
}
