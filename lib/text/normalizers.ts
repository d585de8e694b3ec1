/**
 * Normalizers: how a text is rewritten before it is split, with the results of the Rust crate `tokenizers`. One row each.
 * tests/text compares with the crate.
 */
import type { Component } from "./definition.ts";
import { readPattern } from "./pattern.ts";
import { readCharacterMap } from "./precompiled.ts";
import { spellBytes } from "./token_bytes.ts";

/** Rewrites a text. */
export type Normalize = (text: string) => string;

const NORMALIZERS: Readonly<Record<string, (component: Component) => Normalize>> = {
  NFC: () => (text) => text.normalize("NFC"),
  NFD: () => (text) => text.normalize("NFD"),
  NFKC: () => (text) => text.normalize("NFKC"),
  NFKD: () => (text) => text.normalize("NFKD"),
  // Each character by itself: a Σ at the end of a word becomes σ, not ς.
  Lowercase: () => (text) => Array.from(text, (character) => character.toLowerCase()).join(""),
  Strip: ({ strip_left = true, strip_right = true }) => (text) => {
    if (strip_left) text = text.replace(/^\p{White_Space}+/u, "");
    return strip_right ? text.replace(/\p{White_Space}+$/u, "") : text;
  },
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ""),
  Prepend: ({ prepend = "" }) => (text) => text === "" ? "" : `${prepend}${text}`,
  Replace({ pattern, content = "" }) {
    const regex = readPattern(pattern);
    return (text) => text.replace(regex, () => String(content));
  },
  Precompiled: ({ precompiled_charsmap }) => readCharacterMap(precompiled_charsmap),
  ByteLevel: () => spellBytes,
};

/**
 * Builds a normalizer.
 *
 * @param components Its components in order.
 * @returns What rewrites a text.
 * @throws {TypeError} If a component is of a kind that is not reproduced exactly.
 */
export function buildNormalizer(components: readonly Component[]): Normalize {
  const steps = components.map((component) => {
    if (Object.hasOwn(NORMALIZERS, component.type)) return NORMALIZERS[component.type](component);
    throw new TypeError(
      `Cannot build the tokenizer: its normalizer is "${component.type}", expected one of ` +
        Object.keys(NORMALIZERS).map((type) => `"${type}"`).join(", "),
    );
  });
  return (text) => steps.reduce((rewritten, step) => step(rewritten), text);
}
