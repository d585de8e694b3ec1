/**
 * What a tokenizer of Hugging Face's kind is made from, whether it stood in a `tokenizer.json` or in
 * the metadata of a GGUF file.
 */
import type { AddedToken } from "./added_tokens.ts";

/** A part of `tokenizer.json` that `@huggingface/tokenizers` reads: a `type` and its options. */
export type Component = { type: string } & Record<string, unknown>;

/** Which pairs a byte pair encoding merges, and how early. */
export type Merges =
  /** In this order: `"left right"`, or `[left, right]` where tokens hold spaces. */
  | { kind: "listed"; pairs: readonly (string | readonly [string, string])[] }
  /**
   * Every pair of tokens that makes a token, by that token's score, the highest first: what
   * SentencePiece means, and how transformers derives merges from it (`generate_merges`).
   */
  | { kind: "scored"; scores: ArrayLike<number> };

/** How a piece of text becomes tokens. */
export type PieceModel =
  | {
    type: "BPE";
    merges: Merges;
    /** Whether a piece that is a token is taken whole, whatever the merges say. */
    ignoreMerges?: boolean;
    /** Whether a character that is no token becomes its bytes' tokens, `<0x00>` to `<0xFF>`. */
    byteFallback?: boolean;
    /** What stands for a character that is no token; such characters are left out where there is none. */
    unknownToken?: string;
    /** Whether several unknown characters become one token. */
    fuseUnknown?: boolean;
  }
  /** Another kind, as `tokenizer.json` has it. */
  | { type: "library"; model: Component };

/**
 * What a tokenizer is made from.
 *
 * @internal
 */
export interface TokenizerDefinition {
  /** The vocabulary's name. */
  name: string;
  /** The tokens by id, as the model spells them; holes are allowed. */
  tokens: readonly (string | undefined)[];
  /** Tokens that are found in a text as they stand. */
  addedTokens: readonly AddedToken[];
  /** What happens to a text before it is cut. */
  normalizer: Component | null;
  /** How a text is cut into pieces. */
  preTokenizer: Component | null;
  /** How a piece becomes tokens. */
  model: PieceModel;
  /** How tokens become text. */
  decoder: Component | null;
  /** The tokens before every text. */
  beginIds: readonly number[];
  /** The token that closes a text. */
  eosId: number;
  /** Tokens that end what a model says, beside `eosId` or with it. */
  endIds?: readonly number[];
  /** The token that begins a text, where there is one. */
  bosId?: number;
  /** The token that stands for what is no token, where there is one. */
  unknownId?: number;
  /** The token that fills short sequences, where there is one. */
  padId?: number;
  /** The chat template, where there is one. */
  chatTemplate?: string;
}

/** The components of a sequence, or the one component; none for `null`. */
export function componentsOf(component: Component | null, list: string): Component[] {
  if (component === null) return [];
  if (component.type !== "Sequence") return [component];
  return ((component[list] ?? []) as Component[]).flatMap((one) => componentsOf(one, list));
}
