/**
 * Finds the family of a configuration, by its `model_type`.
 *
 * @module
 */

import { ConfigReader } from "./config_reader.ts";
import type { ModelPlan } from "./families/family.ts";
import { FAMILIES, familyOfType } from "./families/mod.ts";

/**
 * Describes a model from its Hugging Face `config.json`.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @param dropout The dropout to train with.
 * @returns Its shapes, and how to create it.
 * @throws {TypeError} If its architecture is not supported, or a number is missing.
 * @throws {RangeError} If dropout is requested and the architecture has none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { planModel } from "tunebook";
 *
 * const config = {
 *   model_type: "llama", vocab_size: 32, hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1,
 *   num_attention_heads: 2, max_position_embeddings: 64,
 * };
 * assertEquals(planModel(config, "config.json").shapes.get("norm.weight"), [8]);
 * ```
 */
export function planModel(json: Record<string, unknown>, path: string, dropout = 0): ModelPlan {
  if (typeof dropout !== "number" || !(dropout >= 0 && dropout < 1)) {
    throw new RangeError(
      `Cannot load a model with dropout ${JSON.stringify(dropout)}: expected a number from 0 up ` +
        "to, but not including, 1",
    );
  }
  assertLayers(json, path, MOST_LAYERS, `than the ${MOST_LAYERS} that any model has`);
  const type = json?.model_type;
  const family = familyOfType(type);
  if (family) return family.plan(json, path, dropout);
  const known = FAMILIES.flatMap(({ modelTypes }) => modelTypes).map((name) => `"${name}"`);
  const last = known.pop();
  return new ConfigReader(json ?? {}, path).fail("model_type", `${known.join(", ")} or ${last}`);
}

/** More layers than any published model has, by far: the names of their weights alone take memory. */
const MOST_LAYERS = 2000;

/**
 * Refuses a configuration with more layers than make sense, before anything is made for them.
 *
 * @param json The configuration.
 * @param path Its file, for messages.
 * @param most The most layers.
 * @param reason Why, after "more".
 * @throws {RangeError} If it has more.
 */
export function assertLayers(
  json: Record<string, unknown>,
  path: string,
  most: number,
  reason: string,
): void {
  for (const part of [json, json?.text_config]) {
    for (const key of ["num_hidden_layers", "n_layer"]) {
      const layers = (part as Record<string, unknown> | undefined)?.[key];
      if (typeof layers === "number" && layers > most) {
        throw new RangeError(`Cannot read "${path}": ${key} is ${layers}, more ${reason}`);
      }
    }
  }
}
