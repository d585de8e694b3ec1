/** Rewrites a text and splits it into the pieces that the model encodes. */
import { type Component, componentsOf, type TokenizerDefinition } from "./definition.ts";
import { buildNormalizer, type Normalize } from "./normalizers.ts";
import { buildPreTokenizer, type Cut } from "./pre_tokenizers.ts";

/** Splits texts. */
export class PieceCutter {
  /** A text in the spelling of the model's vocabulary. */
  readonly normalize: Normalize;
  readonly #cut: Cut;

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
      .filter((component) => !isNeverFound(component, normalizers));
    if (continues) {
      normalizers = normalizers.filter(({ type }) => type !== "Prepend");
      cutters = cutters.map(withoutPrefix);
    }
    this.normalize = buildNormalizer(normalizers);
    this.#cut = buildPreTokenizer(cutters);
  }

  /**
   * @param text A normalized text.
   * @param first Whether it is the first text.
   * @returns Its pieces.
   * @throws {RangeError} If a run without a break is too long for the matcher.
   */
  cut(text: string, first: boolean): string[] {
    try {
      return this.#cut(text, first);
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
 * Whether a normalizer has already replaced the text of a split, as for Gemma's splits at spaces: searching for it takes
 * time.
 */
function isNeverFound(
  { type, pattern }: Component,
  normalizers: readonly Component[],
): boolean {
  if (type !== "Split") return false;
  const text = (pattern as { String?: string } | undefined)?.String;
  return text !== undefined &&
    normalizers.some(({ type, pattern, content }) =>
      type === "Replace" && (pattern as { String?: string } | undefined)?.String === text &&
      !String(content).includes(text)
    );
}
