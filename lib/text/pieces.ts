/**
 * From a text to the pieces that are merged: the normalizers and pre-tokenizers of
 * `@huggingface/tokenizers`, with its differences from the Rust crate that wrote the configurations
 * taken out. tests/text holds this to the crate's own tokens.
 */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { type Component, componentsOf, type TokenizerDefinition } from "./definition.ts";

/** How GPT-2 cuts a text, as the crate's `ByteLevel` writes it (Oniguruma). */
const GPT2_SPLIT =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Cuts texts. */
export class PieceCutter {
  readonly #normalizer: Library["normalizer"];
  readonly #preTokenizer: Library["pre_tokenizer"];

  /**
   * @param definition Normalizer and pre-tokenizer.
   * @param continues Whether texts go on from others, so that no space is put before them.
   * @throws {TypeError} If a component is of a kind that cannot be followed exactly.
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
    } catch (cause) { // a component that it does not know, or a pattern that it cannot translate
      throw new TypeError(`Cannot build the tokenizer: ${(cause as Error).message}`, { cause });
    }
  }

  /** A text as the model's vocabulary spells it. */
  normalize(text: string): string {
    return this.#normalizer === null ? text : this.#normalizer.normalize(text);
  }

  /**
   * @param text A normalized text.
   * @param first Whether nothing stands before it.
   * @returns Its pieces.
   * @throws {RangeError} If a run without a break is too long for the matcher.
   */
  cut(text: string, first: boolean): string[] {
    if (this.#preTokenizer === null) return [text];
    try {
      return this.#preTokenizer.pre_tokenize(text, { section_index: first ? 0 : 1 });
    } catch (error) {
      // V8's matcher runs out of stack on runs of some millions of signs outside the basic plane
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(
        `Cannot encode a text of ${text.length} characters: it holds too long a run without a break`,
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
 * The components that do in the library what one does in the crate: the library's own `ByteLevel`
 * cuts by JavaScript's `\s`, which lacks U+0085 and has U+FEFF, and its `Digits` knows ASCII's only;
 * `Split` translates Oniguruma's patterns exactly, but merges no piece with its neighbour.
 */
function correct(component: Component, normalizers: readonly Component[]): Component[] {
  switch (component.type) {
    case "ByteLevel":
      // with a space before each text the pattern must come after it, which only the library's does
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

/** Whether a split's text is one that a normalizer has replaced, as Gemma's splits at spaces do. */
function isNeverFound({ pattern }: Component, normalizers: readonly Component[]): boolean {
  const text = (pattern as { String?: string } | undefined)?.String;
  return text !== undefined &&
    normalizers.some(({ type, pattern, content }) =>
      type === "Replace" && (pattern as { String?: string }).String === text &&
      !String(content).includes(text)
    );
}
