/**
 * The metadata of a model's shape in a GGUF file, for writing: the keys that llama.cpp and Ollama
 * read.
 *
 * @module
 */

import type { GgufMetadata, GgufWritable } from "../weights/mod.ts";
import { ConfigReader } from "./config_reader.ts";
import { familyOfGguf, GGUF_ARCHITECTURES } from "./families/mod.ts";

/**
 * Converts a model's shape to GGUF metadata: the inverse of `ggufToConfig()`.
 *
 * @param architecture The model's architecture.
 * @param config The model's `config.json`, from `toConfig()`.
 * @returns The keys of the architecture, in order.
 * @throws {TypeError} If GGUF has no keys for the architecture, or for a part of its configuration.
 */
export function configToGguf(
  architecture: string,
  config: Record<string, unknown>,
): GgufMetadata {
  const family = familyOfGguf(architecture);
  if (!family) {
    const known = GGUF_ARCHITECTURES.map((name) => `"${name}"`).join(", ");
    throw new TypeError(
      `Cannot write a model of the architecture "${architecture}" as GGUF: known are ${known}`,
    );
  }
  const keys = family.gguf.writeKeys(new ConfigReader(config, "config.json"));
  const metadata: Record<string, GgufWritable> = {};
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined) metadata[`${architecture}.${key}`] = value;
  }
  return metadata;
}
