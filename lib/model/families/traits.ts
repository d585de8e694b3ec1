/**
 * What files and other programs know a family of models by; its networks are in `family.ts`.
 *
 * @module
 */

import type { ConfigReader } from "../config_reader.ts";
import type { GgufForm } from "../gguf_forms.ts";
import type { GgufKeys } from "../gguf_keys.ts";
import type { GgufReader } from "../gguf_reader.ts";

/** How a family is stored in GGUF files. */
export interface GgufFamily {
  /** `general.architecture` of the file. */
  readonly architecture: string;
  /**
   * Names of modules there by their names here, without the block's: `"self_attn.q_proj"` is
   * `"attn_q"`.
   */
  readonly names: Readonly<Record<string, string>>;
  /**
   * How a tensor there differs; not at all by default.
   *
   * @param module The module's name here, without the block's.
   * @param part Which of its tensors.
   * @param heads Of the queries, and of keys and values.
   * @returns The form.
   * @internal
   */
  readonly formOf?: (
    module: string,
    part: "weight" | "bias",
    heads: { readonly heads: number; readonly kvHeads: number },
  ) => GgufForm;
  /**
   * Reads a configuration, without special tokens and whether the head is tied, which every file
   * tells alike.
   *
   * @internal
   */
  readonly readConfig: (
    reader: GgufReader,
  ) => Record<string, unknown> | Promise<Record<string, unknown>>;
  /**
   * Writes a configuration of `toConfig()` as keys, without the architecture before them; throws a
   * TypeError where readers of such files would compute something else.
   *
   * @internal
   */
  readonly writeKeys: (reader: ConfigReader) => GgufKeys;
  /**
   * Tensors that a file holds beside the model's, computed from the configuration.
   *
   * @internal
   */
  readonly writeTensors?: (reader: ConfigReader) => Readonly<Record<string, Float32Array>>;
  /** Whether readers ask for an output head where it is the token embedding. */
  readonly needsHead?: boolean;
  /** Modules of every block, by their names there, for which readers ask for a bias. */
  readonly needsBiases?: readonly string[];
  /** Whether Ollama takes an adapter beside the model. True by default. */
  readonly takesAdapters?: boolean;
  /**
   * Where readers of GGUF files compute differently.
   *
   * @param config The model's `config.json`.
   * @returns Sentences for the user.
   */
  readonly notices?: (config: Readonly<Record<string, unknown>>) => string[];
}

/** What files and other programs know a family of models by. */
export interface FamilyTraits {
  /** Its name for people: `"Gemma 3"`. */
  readonly title: string;
  /** Values of `model_type` in a `config.json`. */
  readonly modelTypes: readonly string[];
  /**
   * Possible prefixes of weights' names in Hugging Face files, except the output head's, in search
   * order; the first is used for writing.
   */
  readonly prefixes: readonly string[];
  /** Names of the embeddings, token embedding first. */
  readonly embeddings: readonly string[];
  /** The name of the output head where it is not the token embedding; it has no prefix. */
  readonly head: string;
  /** How it is stored in GGUF files. */
  readonly gguf: GgufFamily;
}

/**
 * Whether a weight is the matrix of a linear layer, which can be adapted and packed: embeddings and
 * the output head are not.
 *
 * @param family The model's family.
 * @param parameter The weight's name.
 * @param shape Its shape.
 * @returns Whether it is.
 */
export function isLinearWeight(
  { embeddings, head }: FamilyTraits,
  parameter: string,
  shape: readonly number[],
): boolean {
  return shape.length === 2 && parameter.endsWith(".weight") && parameter !== head &&
    !embeddings.includes(parameter);
}
