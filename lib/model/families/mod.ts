/**
 * The families of models that are supported: a row each.
 *
 * @module
 */

import type { Family } from "./family.ts";
import { gemma, gemma3 } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gpt2 } from "./gpt2.ts";
import { gptNeox } from "./gpt_neox.ts";
import { granite } from "./granite.ts";
import { llama, mistral } from "./llama.ts";
import { olmo2 } from "./olmo2.ts";
import { phi3 } from "./phi3.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { smollm3 } from "./smollm3.ts";
import { starcoder2 } from "./starcoder2.ts";

/** All families. Of those with the same GGUF architecture the first reads its files. */
export const FAMILIES: readonly Family[] = [
  gpt2,
  llama,
  mistral,
  gemma,
  gemma2,
  gemma3,
  qwen2,
  qwen3,
  phi3,
  smollm3,
  olmo2,
  granite,
  gptNeox,
  starcoder2,
];

const BY_TYPE = new Map(
  FAMILIES.flatMap((family) => family.modelTypes.map((type) => [type, family])),
);

const BY_ARCHITECTURE = new Map(
  FAMILIES.toReversed().map((family) => [family.gguf.architecture, family]),
);

/** Architectures of GGUF files that are known. */
export const GGUF_ARCHITECTURES: readonly string[] = [
  ...new Set(FAMILIES.map(({ gguf }) => gguf.architecture)),
];

/**
 * Finds the family of a `config.json`.
 *
 * @param type Its `model_type`.
 * @returns The family; undefined if it is not supported.
 */
export function familyOfType(type: unknown): Family | undefined {
  return BY_TYPE.get(type as string);
}

/**
 * Finds the family that reads and writes an architecture's GGUF files.
 *
 * @param architecture The file's `general.architecture`.
 * @returns The family; undefined if it is not supported.
 */
export function familyOfGguf(architecture: unknown): Family | undefined {
  return BY_ARCHITECTURE.get(architecture as string);
}
