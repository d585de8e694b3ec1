/**
 * What Tunebook knows of a family of models: one file here and one row in `mod.ts`.
 *
 * @module
 */

import type { Tensor } from "../../tensor/mod.ts";
import type { DecoderConfig } from "../decoder.ts";
import type { Network } from "../model.ts";
import { watchSettings } from "./passed_over.ts";
import type { FamilyTraits } from "./traits.ts";

/** A model's description from its configuration, before its weights are read. */
export interface ModelPlan {
  /** The family it belongs to. */
  readonly family: FamilyTraits;
  /** Its architecture, as {@linkcode Network.architecture} has it. */
  readonly architecture: string;
  /** V: tokens. */
  readonly vocabularySize: number;
  /** The longest sequence. */
  readonly contextLength: number;
  /** C: width of the residual stream. */
  readonly width: number;
  /** Number of blocks. */
  readonly layers: number;
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Names and shapes of all weights, in the order of the computation. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /**
   * Possible prefixes of weights' names in Hugging Face files, in search order; the first is used
   * for writing.
   */
  readonly prefixes: readonly string[];
  /**
   * Keys of the configuration that change the numbers of other families' models, but not of this one's, as in transformers.
   */
  readonly passedOver: readonly string[];
  /** Creates the model from a tensor for each of the shapes. */
  readonly build: (parameters: ReadonlyMap<string, Tensor>) => Network;
  /**
   * Completes the `config.json` to the form in which the model writes it: with omitted defaults, and
   * with current key names.
   */
  readonly completeConfig: () => Record<string, unknown>;
}

/** A family of models. */
export interface Family extends FamilyTraits {
  /**
   * Describes a model from its `config.json`.
   *
   * @param json The file's object.
   * @param path The file, for messages.
   * @param dropout The dropout to train with.
   * @returns Its shapes, and how to create it.
   */
  readonly plan: (json: Record<string, unknown>, path: string, dropout: number) => ModelPlan;
}

/** A family's own part of {@linkcode Family}, in terms of its configuration. */
export interface FamilyDefinition<C extends DecoderConfig> extends FamilyTraits {
  /** Reads a `config.json`. */
  readonly readConfig: (json: Record<string, unknown>, path: string, dropout: number) => C;
  /** Writes a `config.json`: the inverse. */
  readonly writeConfig: (config: C) => Record<string, unknown>;
  /** Names and shapes of all weights, in the order of the computation. */
  readonly shapesOf: (config: C) => ReadonlyMap<string, readonly number[]>;
  /** Creates the network of given weights. */
  readonly build: (config: C, parameters: ReadonlyMap<string, Tensor>) => Network;
  /** Whether its own layers have dropout; adapters of all families have. False by default. */
  readonly hasDropout?: boolean;
}

/**
 * Makes a family of its parts.
 *
 * @param definition The parts.
 * @returns The family.
 */
export function defineFamily<C extends DecoderConfig>(definition: FamilyDefinition<C>): Family {
  const { readConfig, writeConfig, shapesOf, build, hasDropout = false, ...rest } = definition;
  const family: Family = {
    ...rest,
    plan(json, path, dropout) {
      const { watched, passedOver } = watchSettings(json);
      const config = readConfig(watched, path, dropout);
      if (dropout > 0 && !hasDropout) {
        throw new RangeError(
          `Cannot load "${path}" with dropout ${dropout}: only GPT-2 has dropout, others have it in adapters`,
        );
      }
      const { vocabularySize, contextLength, width, layers, heads, kvHeads = heads } = config;
      return {
        family,
        architecture: family.gguf.architecture,
        ...{ vocabularySize, contextLength, width, layers, heads, kvHeads },
        shapes: shapesOf(config),
        prefixes: family.prefixes,
        passedOver: passedOver(),
        build: (parameters) => build(config, parameters),
        completeConfig: () => writeConfig(config),
      };
    },
  };
  return family;
}
