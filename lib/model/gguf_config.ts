/**
 * Converts a GGUF file's metadata to the Hugging Face `config.json` of the same model.
 *
 * Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @module
 */

import type { Gguf } from "../weights/mod.ts";
import { familyOfGguf, GGUF_ARCHITECTURES } from "./families/mod.ts";
import { GgufReader } from "./gguf_reader.ts";

/**
 * Reads a configuration.
 *
 * @param file The open file.
 * @returns The object of a `config.json`.
 * @throws {TypeError} If the architecture is not supported, metadata are missing, or something in
 * them is not supported.
 */
export async function ggufToConfig(file: Gguf): Promise<Record<string, unknown>> {
  const reader = new GgufReader(file);
  const { architecture } = reader;
  const family = familyOfGguf(architecture);
  if (!family) {
    const known = GGUF_ARCHITECTURES.map((name) => `"${name}"`).join(", ");
    throw new TypeError(
      `Cannot load "${file.path}": its architecture is ${JSON.stringify(architecture)}, ` +
        `known are ${known}`,
    );
  }
  if (file.metadata.get(`${architecture}.attention.causal`) === false) {
    throw new TypeError(
      `Cannot load "${file.path}": its tokens see those that follow, as in a model of embeddings, expected one that ` +
        "writes text",
    );
  }
  return {
    tie_word_embeddings: await isTied(file),
    ...reader.specialTokens(),
    ...await family.gguf.readConfig(reader),
  };
}

/**
 * Whether the head is the token embedding: it is absent or, for GPT-2, where it is required, has
 * the same blocks.
 */
async function isTied(file: Gguf): Promise<boolean> {
  const [embedding, head] = ["token_embd.weight", "output.weight"];
  const info = file.tensors.get(head);
  if (!info) return true;
  const { type, shape } = file.info(embedding);
  if (type !== info.type || shape.join() !== info.shape.join()) return false;
  const firstRow = { rows: [0, 1] as [number, number] };
  const [a, b] = [await file.read(embedding, firstRow), await file.read(head, firstRow)];
  if (a.some((value, i) => value !== b[i])) return false;
  const [blocks, others] = [await file.readBytes(embedding), await file.readBytes(head)];
  return blocks.every((byte, i) => byte === others[i]);
}
