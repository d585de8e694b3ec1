/**
 * The definition of a Hugging Face tokenizer, whether it comes from a `tokenizer.json` or from the
 * metadata of a GGUF file.
 */
import type { AddedToken } from "./added_tokens.ts";

/** A part of `tokenizer.json`: a `type` and its options. */
export type Component = { type: string } & Record<string, unknown>;

/** Which pairs a byte pair encoding merges, and in which order. */
export type Merges =
  /** In this order: `"left right"`, or `[left, right]` if tokens contain spaces. */
  | { kind: "listed"; pairs: readonly (string | readonly [string, string])[] }
  /**
   * All pairs of tokens that form a token, by that token's score, highest first, as in
   * SentencePiece. transformers derives merges in the same way (`generate_merges`).
   */
  | { kind: "scored"; scores: ArrayLike<number> };

/** How a piece of text becomes tokens. */
export type PieceModel =
  | {
    type: "BPE";
    merges: Merges;
    /** Whether a piece that is a token is used directly, regardless of the merges. */
    ignoreMerges?: boolean;
    /** Whether a character without a token becomes byte tokens, `<0x00>` to `<0xFF>`. */
    byteFallback?: boolean;
    /** The token for characters without a token; if absent, such characters are dropped. */
    unknownToken?: string;
    /** Whether several unknown characters become one token. */
    fuseUnknown?: boolean;
  }
  | {
    type: "Unigram";
    /** The logarithm of each token's probability, by id. */
    scores: ArrayLike<number>;
    /** The id of the token for characters without a token. */
    unknownId?: number;
    /** Whether such characters become byte tokens. */
    byteFallback: boolean;
  }
  | {
    type: "WordLevel";
    /** The token for pieces without a token. */
    unknownToken?: string;
  };

/**
 * The definition of a tokenizer.
 *
 * @internal
 */
export interface TokenizerDefinition {
  /** The vocabulary's name. */
  name: string;
  /** The tokens by id, in the model's spelling; holes are allowed. */
  tokens: readonly (string | undefined)[];
  /** Tokens that are matched literally in a text. */
  addedTokens: readonly AddedToken[];
  /** How a text is normalized before it is split. */
  normalizer: Component | null;
  /** How a text is split into pieces. */
  preTokenizer: Component | null;
  /** How a piece becomes tokens. */
  model: PieceModel;
  /** How tokens become text. */
  decoder: Component | null;
  /** The tokens before every text. */
  beginIds: readonly number[];
  /** The token that ends a text. */
  eosId: number;
  /** All tokens that end a model's answer; `eosId` may be among them. */
  endIds?: readonly number[];
  /** The token that begins a text, if there is one. */
  bosId?: number;
  /** The token for unknown characters, if there is one. */
  unknownId?: number;
  /** The padding token, if there is one. */
  padId?: number;
  /** Special tokens by their role in the files, such as `bos_token`. */
  roles?: Readonly<Record<string, string>>;
  /** The chat template, if there is one. */
  chatTemplate?: string;
}

/** The components of a sequence, or the one component; none for `null`. */
export function componentsOf(component: Component | null, list: string): Component[] {
  if (component === null) return [];
  if (component.type !== "Sequence") return [component];
  return ((component[list] ?? []) as Component[]).flatMap((one) => componentsOf(one, list));
}
