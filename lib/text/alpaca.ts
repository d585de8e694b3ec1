/**
 * The Alpaca prompt (Taori et al., 2023), word for word as in Raschka's "Build a Large Language
 * Model (From Scratch)", chapter 7: the input section is left out where there is no input.
 */

/** What a prompt is written from. */
export interface Instruction {
  /** The task. */
  instruction: string;
  /** What the task is about; empty where the instruction says it all. */
  input?: string;
}

/** How a prompt is written, in the two parts between which the `instruction` mask draws its line. */
export interface PromptFormat {
  /** The format's name. */
  readonly name: string;
  /** The prompt up to, not including, the marker. */
  instruction(entry: Instruction): string;
  /** What follows the instruction and comes right before the response. */
  readonly responseMarker: string;
}

/** What follows every Alpaca instruction and comes right before the response. */
const RESPONSE_MARKER = "\n\n### Response:\n";

/**
 * The Alpaca prompt without its response marker: what the judge is shown as the "input".
 *
 * @param entry The instruction and, possibly, an input.
 * @returns The text up to, not including, `"\n\n### Response:\n"`.
 */
export function formatAlpacaInstruction({ instruction, input }: Instruction): string {
  return "Below is an instruction that describes a task. " +
    "Write a response that appropriately completes the request." +
    `\n\n### Instruction:\n${instruction}` +
    (input ? `\n\n### Input:\n${input}` : "");
}

/**
 * The Alpaca prompt that a model is asked to continue.
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
