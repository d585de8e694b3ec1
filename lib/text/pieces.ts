/**
 * Splits a text into the pieces that are merged: the normalizers and pre-tokenizers of
 * `@huggingface/tokenizers`, corrected where they differ from the Rust crate. tests/text compares
 * with the crate's own tokens.
 */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { type Component, componentsOf, type TokenizerDefinition } from "./definition.ts";

/** How GPT-2 splits a text, in the pattern of the crate's `ByteLevel` (Oniguruma). */
const GPT2_SPLIT =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Splits texts. */
export class PieceCutter {
  readonly #normalizer: Library["normalizer"];
  readonly #preTokenizer: Library["pre_tokenizer"];

  /**
   * @param definition Normalizer and pre-tokenizer.
   * @param continues Whether texts continue others, so that no space is put before them.
   * @throws {TypeError} If a component is of a kind that cannot be reproduced exactly.
   */
  constructor(
    definition: Pick<TokenizerDefinition, "normalizer" | "preTokenizer">,
    continues = false,
  ) {
    let normalizers = componentsOf(definition.normalizer, "normalizers");
    let cutters = componentsOf(definition.preTokenizer, "pretokenizers")
      .flatMap((component) => correct(component, normalizers));
    if (continues) {
      normalizers = normalizers.filter(({ type }) => type !== "Prepend");
      cutters = cutters.map(withoutPrefix);
    }
    try {
      const library = new Library({
        normalizer: sequence(normalizers, "normalizers"),
        pre_tokenizer: sequence(cutters, "pretokenizers"),
        model: { type: "BPE", vocab: {}, merges: [] },
        post_processor: null,
        decoder: null,
        added_tokens: [],
      }, {});
      this.#normalizer = library.normalizer;
      this.#preTokenizer = library.pre_tokenizer;
    } catch (cause) { // an unknown component, or a pattern that the library cannot translate
      throw new TypeError(`Cannot build the tokenizer: ${(cause as Error).message}`, { cause });
    }
  }

  /** A text in the spelling of the model's vocabulary. */
  normalize(text: string): string {
    return this.#normalizer === null ? text : this.#normalizer.normalize(text);
  }

  /**
   * @param text A normalized text.
   * @param first Whether it is the first text.
   * @returns Its pieces.
   * @throws {RangeError} If a run without a break is too long for the matcher.
   */
  cut(text: string, first: boolean): string[] {
    if (this.#preTokenizer === null) return [text];
    try {
      return this.#preTokenizer.pre_tokenize(text, { section_index: first ? 0 : 1 });
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
}

function sequence(components: Component[], list: string): Component | null {
  return components.length === 0 ? null : { type: "Sequence", [list]: components };
}

function withoutPrefix(component: Component): Component {
  switch (component.type) {
    case "Metaspace":
      return { ...component, prepend_scheme: "never" };
    case "ByteLevel":
      return { ...component, add_prefix_space: false };
    default:
      return component;
  }
}

/**
 * Components of the library with the effect of a component of the crate. The library's own
 * `ByteLevel` splits by JavaScript's `\s`, which lacks U+0085 and includes U+FEFF, and its `Digits`
 * knows only ASCII digits. Its `Split` translates Oniguruma's patterns exactly, but does not merge
 * a piece with its neighbour.
 */
function correct(component: Component, normalizers: readonly Component[]): Component[] {
  switch (component.type) {
    case "ByteLevel":
      // if a space is put before each text, the pattern must apply after it, which only the
      // library's component does
      if (component.use_regex === false || component.add_prefix_space === true) return [component];
      return [split(GPT2_SPLIT), { ...component, use_regex: false }];
    case "Digits":
      return [split(component.individual_digits ? "\\p{N}" : "\\p{N}+")];
    case "Split": {
      if (isNeverFound(component, normalizers)) return [];
      const behavior = String(component.behavior ?? "Isolated");
      if (!/^(isolated|removed)$/i.test(behavior)) {
        throw new TypeError(
          `Cannot build the tokenizer: its "Split" has the behavior "${behavior}", ` +
            'expected "Isolated" or "Removed"',
        );
      }
      return [component];
    }
    default:
      return [component];
  }
}

function split(pattern: string): Component {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/**
 * Whether a normalizer has already replaced the text of a split, as for Gemma's splits at spaces.
 */
function isNeverFound({ pattern }: Component, normalizers: readonly Component[]): boolean {
  const text = (pattern as { String?: string } | undefined)?.String;
  return text !== undefined &&
    normalizers.some(({ type, pattern, content }) =>
      type === "Replace" && (pattern as { String?: string }).String === text &&
      !String(content).includes(text)
    );
}
