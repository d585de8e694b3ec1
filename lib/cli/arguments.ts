// How subcommands read their options: numbers that are checked, and the device.

import { InvalidArgumentError, Option } from "commander";
import { DEFAULT_SPLIT, parseSplit } from "../dataset/split.ts";

/** Reads a positive integer. */
export function readCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError("Expected a whole number of 1 or more.");
  }
  return value;
}

/** Reads an integer of 0 or more. */
export function readWhole(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new InvalidArgumentError("Expected a whole number of 0 or more.");
  }
  return value;
}

/** Reads a number of 0 or more. */
export function readRate(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("Expected a number of 0 or more.");
  }
  return value;
}

/** The option that names the model. */
export function modelOption(): Option {
  return new Option(
    "--model <name>",
    "nano, gpt2-medium, smollm2-135m-instruct, hf:owner/name, ollama:name, a directory, or a GGUF file",
  ).makeOptionMandatory();
}

/** The option that chooses the device. */
export function deviceOption(): Option {
  return new Option("--device <name>", "where to compute; auto takes a GPU if there is one")
    .choices(["auto", "cpu", "webgpu"]);
}

/** The option that chooses which tokens count. */
export function maskOption(): Option {
  return new Option(
    "--mask <name>",
    "which tokens count: prompt = the response and the closing token; instruction = from " +
      '"### Response:" on; none = every token',
  ).choices(["none", "instruction", "prompt"]).default("prompt");
}

/** The option that divides a file. */
export function splitOption(): Option {
  return new Option(
    "--split <train,test,validation>",
    "fractions, taken from the file in this order; 1,0,0 trains on all of it, without evaluation",
  ).argParser(readSplit).default([...DEFAULT_SPLIT], "0.85,0.10,0.05");
}

function readSplit(text: string): [number, number, number] {
  try {
    return parseSplit(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** The option for machines. */
export function jsonOption(): Option {
  return new Option(
    "--json",
    "print one JSON document on standard output, and nothing else there",
  ).default(false);
}
