/**
 * Decoders: how tokens become text, with the results of the Rust crate `tokenizers`. One row each; tests/text compares
 * with the crate. Each turns a list of texts into another, and the last list is joined.
 */
import { type Component, componentsOf } from "./definition.ts";
import { readPattern } from "./pattern.ts";
import { bytesOf, fallbackByte } from "./token_bytes.ts";

type Step = (texts: readonly string[]) => string[];

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

const DECODERS: Readonly<Record<string, (component: Component) => Step>> = {
  ByteLevel: () => (texts) => {
    const bytes: number[] = [];
    for (const text of texts) for (const byte of bytesOf(text)) bytes.push(byte);
    return [lenient.decode(Uint8Array.from(bytes))];
  },
  Replace({ pattern, content = "" }) {
    const regex = readPattern(pattern);
    return (texts) => texts.map((text) => text.replace(regex, () => String(content)));
  },
  ByteFallback: () => (texts) => {
    const result: string[] = [];
    let bytes: number[] = [];
    const flush = () => {
      // Bytes that are not UTF-8 become one U+FFFD each.
      try {
        if (bytes.length > 0) result.push(strict.decode(Uint8Array.from(bytes)));
      } catch {
        for (const _ of bytes) result.push("\ufffd");
      }
      bytes = [];
    };
    for (const text of texts) {
      const byte = fallbackByte(text);
      if (byte !== undefined) {
        bytes.push(byte);
        continue;
      }
      flush();
      result.push(text);
    }
    flush();
    return result;
  },
  Fuse: () => (texts) => [texts.join("")],
  Strip: ({ content = " ", start = 0, stop = 0 }) => (texts) =>
    texts.map((text) => {
      const characters = Array.from(text);
      let [from, to] = [0, characters.length];
      while (from < Number(start) && characters[from] === content) from++;
      while (characters.length - to < Number(stop) && to > from && characters[to - 1] === content) {
        to--;
      }
      return characters.slice(from, to).join("");
    }),
  Metaspace({ replacement = "▁", prepend_scheme, add_prefix_space }) {
    const never = prepend_scheme === "never" ||
      (prepend_scheme === undefined && add_prefix_space === false);
    return (texts) =>
      texts.map((text, i) => text.replaceAll(String(replacement), i === 0 && !never ? "" : " "));
  },
};

/** Turns tokens into text. */
export class TokenJoiner {
  /** Whether tokens are written in GPT-2's alphabet of bytes. */
  readonly isByteLevel: boolean;
  readonly #steps: readonly Step[];
  readonly #eachToken: readonly Step[];
  readonly #fallsBack: boolean;
  readonly #spaces: boolean;

  /**
   * @param decoder The decoder; without one, tokens are words, with a space between them.
   * @throws {TypeError} If a component is of a kind that is not reproduced exactly.
   */
  constructor(decoder: Component | null) {
    const components = componentsOf(decoder, "decoders");
    const unknown = components.find(({ type }) => !Object.hasOwn(DECODERS, type));
    if (unknown !== undefined) {
      throw new TypeError(
        `Cannot build the tokenizer: its decoder is "${unknown.type}", expected one of ` +
          Object.keys(DECODERS).map((type) => `"${type}"`).join(", "),
      );
    }
    const steps = components.map((component) => DECODERS[component.type](component));
    const types = components.map(({ type }) => type);
    const whole = types.findIndex((type) => type === "Fuse" || type === "ByteLevel");
    this.#steps = steps;
    this.#eachToken = steps.slice(0, whole < 0 ? steps.length : whole)
      .filter((_, i) => types[i] !== "ByteFallback");
    this.isByteLevel = types.includes("ByteLevel");
    this.#fallsBack = types.includes("ByteFallback");
    this.#spaces = decoder === null;
  }

  /**
   * The text of consecutive tokens.
   *
   * @param tokens The tokens, as the vocabulary spells them.
   * @returns Their text.
   */
  join(tokens: readonly string[]): string {
    if (this.#spaces) return tokens.join(" ");
    return this.#steps.reduce<readonly string[]>((texts, step) => step(texts), tokens).join("");
  }

  /**
   * The bytes that a token adds to a text which has begun.
   *
   * @param token The token, as the vocabulary spells it.
   * @returns Its bytes, which may be part of a character.
   */
  bytes(token: string): Uint8Array<ArrayBuffer> {
    if (this.#spaces) return new TextEncoder().encode(` ${token}`);
    const byte = this.#fallsBack ? fallbackByte(token) : undefined;
    if (byte !== undefined) return Uint8Array.of(byte);
    // Not the first of a text, whose space some decoders take off.
    const [, text] = this.#eachToken.reduce<readonly string[]>((texts, step) => step(texts), [
      "",
      token,
    ]);
    return this.isByteLevel ? bytesOf(text) : new TextEncoder().encode(text);
  }
}
