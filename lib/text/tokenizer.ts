/**
 * The interface of all tokenizers, and the decoder that prints text while tokens arrive.
 */

import { kindOf } from "../kind_of.ts";
import type { TokenizerDefinition } from "./definition.ts";

/** Options of {@linkcode Tokenizer.encode}. */
export interface EncodeOptions {
  /**
   * Which special tokens the text may contain: names such as `"<|endoftext|>"`, or `"all"`. A name
   * that is not allowed is encoded as ordinary text.
   *
   * @default {[]}
   */
  allowedSpecial?: "all" | Iterable<string>;
  /**
   * A character that is removed after special tokens have been matched. Inside the name of an
   * allowed special token, it makes the name ordinary text.
   */
  shield?: string;
}

/** Turns text into tokens (integers that a model reads) and back. */
export interface Tokenizer {
  /** The vocabulary's name, for example `"gpt2"`. */
  readonly name: string;
  /** How many tokens there are; ids go from 0 to one less. */
  readonly vocabSize: number;
  /** The token that ends a text. */
  readonly eosId: number;
  /**
   * All tokens that end a model's answer: `eosId`, and others that the model's files name, such as
   * the end of a turn.
   */
  readonly endIds: readonly number[];
  /**
   * The tokens that a model expects before every text and that `encode` does not add: none, or the
   * token that begins a text.
   */
  readonly beginIds: readonly number[];
  /** The special tokens, by name. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Its definition, if it came from a `tokenizer.json` or a GGUF file. */
  readonly definition?: TokenizerDefinition;
  /**
   * Encodes a text.
   *
   * @param text Any string; lone surrogates are read as U+FFFD.
   * @param options Which special tokens the text may contain.
   * @returns The text's token ids.
   * @throws {RangeError} If an allowed special token is not one of this vocabulary.
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * Encodes consecutive texts separately, so that no token spans two. A vocabulary that puts a
   * space before every text puts it only before the first.
   *
   * @param parts The texts.
   * @param options Which special tokens they may contain.
   * @returns Each text's token ids.
   * @throws {RangeError} If an allowed special token is not one of this vocabulary.
   */
  encodeParts(parts: readonly string[], options?: EncodeOptions): number[][];
  /**
   * Decodes tokens.
   *
   * @param ids Token ids.
   * @returns Their text; bytes that are not UTF-8 become U+FFFD. An id without a token, which models with more rows than
   * tokens may give, is shown as such: `⟨405⟩`.
   * @throws {RangeError} If an id is not a whole number from 0 on.
   */
  decode(ids: Iterable<number>): string;
  /**
   * Gives the bytes of a token.
   *
   * @param id A token id.
   * @returns The token's bytes; a token may hold only part of a character. For an id without a token those of its number
   * in brackets.
   * @throws {RangeError} If the id is not a whole number from 0 on.
   */
  bytes(id: number): Uint8Array<ArrayBuffer>;
}

/**
 * Decodes tokens one by one for printing. It holds back the bytes of a character until it is
 * complete, so that an emoji of three tokens is printed once.
 *
 * @example Printing while tokens arrive
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { TokenDecoder } from "tunebook/text";
 *
 * const tokenizer = gpt2Tokenizer();
 * const decoder = new TokenDecoder(tokenizer);
 * const printed = tokenizer.encode("Hi 🌊").map((id) => decoder.push(id));
 * assertEquals(printed.join("") + decoder.end(), "Hi 🌊");
 * ```
 */
export class TokenDecoder {
  readonly #tokenizer: Pick<Tokenizer, "bytes">;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * Makes a decoder.
   *
   * @param tokenizer The vocabulary that the tokens belong to.
   */
  constructor(tokenizer: Pick<Tokenizer, "bytes">) {
    this.#tokenizer = tokenizer;
  }

  /**
   * Takes the next token.
   *
   * @param id The next token.
   * @returns The text that it completes, possibly empty.
   * @throws {RangeError} If the id is not a whole number from 0 on.
   */
  push(id: number): string {
    return this.#decoder.decode(this.#tokenizer.bytes(id), { stream: true });
  }

  /**
   * Ends the text.
   *
   * @returns The rest after the last token: U+FFFD for an incomplete character, otherwise an empty
   * string.
   */
  end(): string {
    return this.#decoder.decode();
  }
}

/** Visible characters for invisible ones. */
const VISIBLE: Record<string, string> = { " ": "␣", "\n": "⏎", "\r": "␍", "\t": "⇥" };

/**
 * A token's text for display: spaces, line ends and tabs as `␣`, `⏎`, `␍` and `⇥`, other invisible
 * characters as `\u{…}`, and incomplete characters as bytes such as `\xF0\x9F`.
 *
 * @param tokenizer The vocabulary that the token belongs to.
 * @param id The token.
 * @returns Printable text, never empty.
 * @throws {RangeError} If the id is not a whole number from 0 on.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { printableToken } from "./tokenizer.ts";
 *
 * assertEquals(printableToken(gpt2Tokenizer(), 995), "␣world");
 * ```
 */
export function printableToken(tokenizer: Pick<Tokenizer, "bytes">, id: number): string {
  const bytes = tokenizer.bytes(id);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("");
  }
  return text.replace(
    /[\p{White_Space}\p{C}]/gu,
    (c) => VISIBLE[c] ?? `\\u{${c.codePointAt(0)!.toString(16).toUpperCase()}}`,
  );
}

/**
 * Shows an id that has no token.
 *
 * @param id The id.
 * @param name The vocabulary's name, for errors.
 * @returns Such as `⟨405⟩`.
 * @throws {RangeError} If it is not a whole number from 0 on.
 */
export function withoutToken(id: number, name: string): string {
  if (Number.isInteger(id) && id >= 0) return `⟨${id}⟩`;
  throw new RangeError(`Cannot decode token ${id} of "${name}": expected a whole number from 0 on`);
}

/**
 * Counts the ids without a token in a text that was decoded.
 *
 * @param text The text.
 * @returns How many there are.
 */
export function countWithoutToken(text: string): number {
  return text.match(/⟨\d+⟩/g)?.length ?? 0;
}

/**
 * Refuses what is not a text.
 *
 * @param text What is to be encoded.
 * @throws {TypeError} If it is not a string.
 */
export function assertText(text: string): void {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot encode ${kindOf(text)}: expected a string`);
  }
}
