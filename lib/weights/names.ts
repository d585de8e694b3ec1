/**
 * Short names of models, and the names that fine-tuned checkpoints get.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { resolve } from "@std/path/resolve";

/** Short names and their meanings, in the syntax of `resolveModel()`. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  "gpt2": "hf:openai-community/gpt2",
  "gpt2-medium": "hf:openai-community/gpt2-medium",
  "gpt2-large": "hf:openai-community/gpt2-large",
  "gpt2-xl": "hf:openai-community/gpt2-xl",
  "smollm2-135m-instruct": "hf:HuggingFaceTB/SmolLM2-135M-Instruct",
  "tinyllama-1.1b": "hf:TinyLlama/TinyLlama-1.1B-Chat-v1.0",
  "mistral-7b-instruct": "hf:mistralai/Mistral-7B-Instruct-v0.3",
  "gemma-2b-it": "hf:google/gemma-2b-it",
  "gemma-3-270m": "hf:google/gemma-3-270m",
};

/** The name of the model that comes with Tunebook. */
export const EMBEDDED_NAME = "nano";

// The numbers of parameters that people append to GPT-2's names.
const SIZED: Readonly<Record<string, string>> = {
  "gpt2": "gpt2-small124M",
  "gpt2-medium": "gpt2-medium355M",
  "gpt2-large": "gpt2-large774M",
  "gpt2-xl": "gpt2-xl1558M",
};

/**
 * The name for a fine-tuned model: the model's name, GPT-2's with its size, and `-sft`.
 *
 * @param name A model's name as in `ResolvedModel.name`, or a directory's path
 * @returns A name for a directory or file
 *
 * @example
 * ```ts ignore
 * checkpointName("gpt2-medium"); // "gpt2-medium355M-sft"
 * checkpointName("runs/tiny"); // "tiny-sft"
 * ```
 */
export function checkpointName(name: string): string {
  const base = basename(resolve(name)).replaceAll("/", "") || "model"; // a root has no name
  return `${Object.hasOwn(SIZED, base) ? SIZED[base] : base}-sft`;
}
