/**
 * The Alpaca prompt (Taori et al., 2023), word for word as in Raschka's "Build a Large Language
 * Model (From Scratch)", chapter 7: the input section is left out if there is no input.
 */

/** The parts of a prompt. */
export interface Instruction {
  /** The task. */
  instruction: string;
  /** The input of the task; empty if the instruction needs none. */
  input?: string;
}

/** A prompt format, in two parts: the `instruction` mask masks the first. */
export interface PromptFormat {
  /** The format's name. */
  readonly name: string;
  /** The prompt up to, but not including, the marker. */
  instruction(entry: Instruction): string;
  /** The marker between the instruction and the response. */
  readonly responseMarker: string;
}

/** The marker between every Alpaca instruction and the response. */
const RESPONSE_MARKER = "\n\n### Response:\n";

/**
 * The Alpaca prompt without its response marker: the "input" in a judge's prompt.
 *
 * @param entry The instruction and, possibly, an input.
 * @returns The text up to, but not including, `"

### Response:
"`.
 */
export function formatAlpacaInstruction({ instruction, input }: Instruction): string {
  return "Below is an instruction that describes a task. " +
    "Write a response that appropriately completes the request." +
    `\n\n### Instruction:\n${instruction}` +
    (input ? `\n\n### Input:\n${input}` : "");
}

/**
 * The Alpaca prompt that a model continues.
 *
 * @param entry The instruction and, possibly, an input; an empty input is left out.
 * @returns The prompt, ending with `"### Response:\n"`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatAlpaca } from "tunebook";
 *
 * const prompt = formatAlpaca({ instruction: "Name the opposite.", input: "hot" });
 * assertEquals(prompt.split("\n\n").slice(1), [
 *   "### Instruction:\nName the opposite.",
 *   "### Input:\nhot",
 *   "### Response:\n",
 * ]);
 * ```
 */
export function formatAlpaca(entry: Instruction): string {
  return formatAlpacaInstruction(entry) + RESPONSE_MARKER;
}

/** The Alpaca prompt as a {@linkcode PromptFormat}. */
export const alpaca: PromptFormat = {
  name: "alpaca",
  instruction: formatAlpacaInstruction,
  responseMarker: RESPONSE_MARKER,
};
