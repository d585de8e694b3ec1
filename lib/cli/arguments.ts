// Options that subcommands share, and parsers of numbers.

import { InvalidArgumentError, Option } from "commander";
import { SFT_DEFAULTS } from "../train/defaults.ts";
import { MASKS } from "../text/mask.ts";

/**
 * Makes a parser of a numeric option.
 *
 * @param expected What the option takes, for the message: `"a whole number of 1 or more"`.
 * @param fits Whether a number is allowed.
 * @returns Parses an argument, or throws commander's error for wrong ones.
 */
function numberReader(expected: string, fits: (value: number) => boolean) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || !fits(value)) {
      throw new InvalidArgumentError(`Expected ${expected}.`);
    }
    return value;
  };
}

type NumberReader = (text: string) => number;

/** Parses a positive integer. */
export const readCount: NumberReader = numberReader(
  "a whole number of 1 or more",
  (value) => Number.isSafeInteger(value) && value >= 1,
);

/** Parses an integer of 0 or more. */
export const readWhole: NumberReader = numberReader(
  "a whole number of 0 or more",
  (value) => Number.isSafeInteger(value) && value >= 0,
);

/** Parses a number of 0 or more. */
export const readRate: NumberReader = numberReader("a number of 0 or more", (value) => value >= 0);

/** Parses a number above 0. */
export const readPositive: NumberReader = numberReader("a number above 0", (value) => value > 0);

/** Parses a number. */
export const readNumber: NumberReader = numberReader("a number", () => true);

/** Parses a number of seconds above 0. */
export const readSeconds: NumberReader = numberReader(
  "a number of seconds above 0",
  (value) => value > 0,
);

/** Parses a share: above 0 and up to 1. */
export const readShare: NumberReader = numberReader(
  "a number above 0 and up to 1",
  (value) => value > 0 && value <= 1,
);

/** Parses a probability of dropping something: from 0 up to, but not including, 1. */
export const readDropout: NumberReader = numberReader(
  "a number from 0 up to, but not including, 1",
  (value) => value >= 0 && value < 1,
);

/** Parses a number of warm-up steps, or a fraction of all steps. */
export const readWarmup: NumberReader = numberReader(
  "a whole number of steps, or a fraction below 1",
  (value) => value >= 0 && (value < 1 || Number.isInteger(value)),
);

/** The option that names the model. */
export function modelOption(): Option {
  return new Option(
    "--model <name>",
    "nano, gpt2-medium, smollm2-135m-instruct, hf:owner/name, ollama:name, a directory, or a GGUF file",
  ).makeOptionMandatory();
}

/** The option that chooses the device. */
export function deviceOption(): Option {
  return new Option("--device <name>", "where to compute; auto uses a GPU if there is one")
    .choices(["auto", "cpu", "webgpu"]);
}

/** The option that chooses which tokens count. */
export function maskOption(): Option {
  return new Option(
    "--mask <name>",
    "which tokens count: prompt = the response and the end token; instruction = from " +
      '"### Response:" on; none = every token',
  ).choices(MASKS).default(SFT_DEFAULTS.mask);
}

/** The option for machine-readable output. */
export function jsonOption(): Option {
  return new Option(
    "--json",
    "print one JSON document on standard output, and nothing else there",
  ).default(false);
}
