/**
 * Byte-level byte pair encoding (Sennrich et al., 2016; over bytes as in GPT-2, Radford et al.,
 * 2019), for any vocabulary of that kind, with exactly tiktoken's tokens.
 *
 * The vocabularies come from libraries, but not the merging: npm's gpt-tokenizer, js-tiktoken and
 * tiktoken take quadratic time on a long word (12 s for 100,000 letters without a space, 0.5 s
 * here), and gpt-tokenizer and js-tiktoken differ from tiktoken for the characters for which
 * JavaScript's `\s` does (U+0085, U+FEFF). tests/text compares with tiktoken's own tokens.
 */
import { mergePairs } from "./merge.ts";
import { assertText, type EncodeOptions, type Tokenizer, withoutToken } from "./tokenizer.ts";

/**
 * How GPT-2 splits a text before merging: contractions, words, numbers and other characters, each
 * with an optional space before it, and white space. `\p{White_Space}` replaces the published
 * pattern's `\s`, because JavaScript's `\s` lacks U+0085 and includes U+FEFF.
 */
export const GPT2_PATTERN =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The vocabulary of a {@linkcode BytePairTokenizer}. */
export interface BytePairVocabulary {
  /** The vocabulary's name. */
  name: string;
  /**
   * The tokens by id, each as text or, if its bytes are not UTF-8, as bytes. Tokens of earlier
   * merges have lower ids. Holes are allowed.
   */
  tokens: readonly (string | readonly number[])[];
  /** The special tokens: name to id. */
  specialTokens: ReadonlyMap<string, number>;
  /** The token that ends a text. */
  eosId: number;
  /** How a text is split before merging; global, and it must match every character. */
  pattern: RegExp;
}

/** The number of pieces whose tokens are cached: a corpus consists of few different words. */
const CACHE_SIZE = 20_000;
const CACHED_LENGTH = 64;

/** A byte-level byte pair encoding tokenizer. */
export class BytePairTokenizer implements Tokenizer {
  readonly name: string;
  readonly vocabSize: number;
  readonly eosId: number;
  readonly endIds: readonly number[];
  readonly beginIds: readonly number[] = [];
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #pattern: RegExp;
  /** The tokens' bytes, as strings with one character per byte, which hash and slice fast. */
  readonly #byteStrings: (string | undefined)[];
  readonly #ranks: Map<string, number>;
  readonly #cache = new Map<string, number[]>();

  /** @param vocabulary The tokens, and how to split a text. */
  constructor(vocabulary: BytePairVocabulary) {
    this.name = vocabulary.name;
    this.eosId = vocabulary.eosId;
    this.endIds = [vocabulary.eosId];
    this.specialTokens = vocabulary.specialTokens;
    this.#pattern = vocabulary.pattern;
    this.#byteStrings = Array.from(
      vocabulary.tokens,
      (token) => token === undefined ? undefined : toByteString(token),
    );
    this.#ranks = new Map();
    for (const [id, bytes] of this.#byteStrings.entries()) {
      if (bytes !== undefined) this.#ranks.set(bytes, id);
    }
    for (const [name, id] of this.specialTokens) this.#byteStrings[id] = toByteString(name);
    this.vocabSize = this.#byteStrings.length;
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    assertText(text);
    const ids: number[] = [];
    const wellFormed = text.toWellFormed();
    const allowed = this.#allowed(options.allowedSpecial);
    const { shield = "" } = options;
    const ordinary = (part: string) => shield === "" ? part : part.replaceAll(shield, "");
    if (allowed.length === 0) {
      this.#encodeOrdinary(ordinary(wellFormed), ids);
      return ids;
    }
    // the longest name first, so that a name does not hide a longer one that begins with it
    const names = allowed.toSorted((a, b) => b.length - a.length).map((name) =>
      RegExp.escape(name)
    );
    for (const part of wellFormed.split(new RegExp(`(${names.join("|")})`))) {
      const id = allowed.includes(part) ? this.specialTokens.get(part) : undefined;
      if (id === undefined) this.#encodeOrdinary(ordinary(part), ids);
      else ids.push(id);
    }
    return ids;
  }

  encodeParts(parts: readonly string[], options: EncodeOptions = {}): number[][] {
    return parts.map((part) => this.encode(part, options));
  }

  decode(ids: Iterable<number>): string {
    let byteString = "";
    for (const id of ids) byteString += this.#byteString(id);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(toBytes(byteString));
  }

  bytes(id: number): Uint8Array<ArrayBuffer> {
    return toBytes(this.#byteString(id));
  }

  #byteString(id: number): string {
    return this.#byteStrings[id] ?? toByteString(withoutToken(id, this.name));
  }

  #allowed(allowedSpecial: EncodeOptions["allowedSpecial"] = []): string[] {
    const names = [...(allowedSpecial === "all" ? this.specialTokens.keys() : allowedSpecial)];
    for (const name of names) {
      if (!this.specialTokens.has(name)) {
        throw new RangeError(
          `Cannot allow the special token "${name}": "${this.name}" has ` +
            [...this.specialTokens.keys()].map((known) => `"${known}"`).join(", "),
        );
      }
    }
    return names;
  }

  #encodeOrdinary(text: string, ids: number[]): void {
    try {
      for (const [piece] of text.matchAll(this.#pattern)) {
        for (const id of this.#encodePiece(piece)) ids.push(id);
      }
    } catch (error) {
      // V8's regular expressions overflow the stack on runs of millions of characters outside the
      // BMP
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(
        `Cannot encode a text of ${text.length} characters: it has a run without a break that is too long`,
        { cause: error },
      );
    }
  }

  #encodePiece(piece: string): readonly number[] {
    const cached = this.#cache.get(piece);
    if (cached) return cached;
    const bytes = toByteString(piece);
    const whole = this.#ranks.get(bytes);
    const ids = whole === undefined ? mergeBytes(bytes, this.#ranks) : [whole];
    if (piece.length <= CACHED_LENGTH) {
      if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
      this.#cache.set(piece, ids);
    }
    return ids;
  }
}

/**
 * Merges a piece's bytes: first the pair that forms the token of lowest rank.
 *
 * @param bytes The piece, one character per byte.
 * @param ranks The rank, which is the id, of every token.
 * @returns The tokens' ids.
 */
function mergeBytes(bytes: string, ranks: ReadonlyMap<string, number>): number[] {
  const bounds = Array.from({ length: bytes.length + 1 }, (_, i) => i);
  const merged = mergePairs(bounds, (start, _middle, end) => ranks.get(bytes.slice(start, end)));
  return merged.slice(1).map((end, i) => ranks.get(bytes.slice(merged[i], end))!);
}

const utf8 = new TextEncoder();

/** A text's UTF-8 bytes, or the given bytes, as a string with one character per byte. */
function toByteString(token: string | readonly number[]): string {
  // most tokens are ASCII, which needs no conversion
  // deno-lint-ignore no-control-regex
  if (typeof token === "string" && /^[\x00-\x7f]*$/.test(token)) return token;
  let bytes = "";
  for (const byte of typeof token === "string" ? utf8.encode(token) : token) {
    bytes += String.fromCharCode(byte);
  }
  return bytes;
}

/** The bytes of a string with one character per byte. */
function toBytes(byteString: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteString.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = byteString.charCodeAt(i);
  return bytes;
}
