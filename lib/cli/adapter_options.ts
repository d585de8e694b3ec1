// Options of adapters and packed weights: what learns beside a model, and how the model itself is kept.

import { InvalidArgumentError, Option } from "commander";
import type { LoraOptions, NamePattern, Quantization } from "../model/mod.ts";
import { isFullyTrainable } from "../model/trainable.ts";
import { QUANTIZATIONS } from "../model/quantize.ts";
import type { Model } from "../pipeline/mod.ts";
import { readCount, readRate } from "./arguments.ts";

/** What {@linkcode adapterOptions} give. */
export interface AdapterOptions {
  loraRank?: number;
  loraAlpha?: number;
  loraDropout?: number;
  loraTargets?: NamePattern;
  rsLora: boolean;
  merge: boolean;
  quantize?: Quantization;
}

/** The options of training, for the subcommand to add. */
export function adapterOptions(): Option[] {
  const option = (flags: string, description: string) => new Option(flags, description);
  return [
    option("--lora-rank <n>", "train LoRA adapters of this rank instead of all weights")
      .argParser(readCount),
    option("--lora-alpha <x>", "what adapters learn counts alpha / rank times (default: 2 · rank)")
      .argParser(readRate),
    option("--lora-dropout <p>", "probability of dropping elements of adapters' inputs")
      .argParser(readRate),
    option(
      "--lora-targets <names>",
      "layers to adapt, such as q_proj,v_proj, or /expression/ (default: all linear layers)",
    ).argParser(readNames),
    option("--rs-lora", "divide by the rank's root instead").default(false),
    option("--merge", "add what adapters learnt to the weights, and save a whole model")
      .default(false),
    quantizeOption(),
  ];
}

/** The option that keeps weights in less memory. */
export function quantizeOption(): Option {
  return new Option(
    "--quantize <how>",
    "keep weights in less memory, where only adapters learn: nf4 and nf4_double pack linear " +
      "layers in four bits, f16 and bf16 in sixteen, keep leaves matrices as the file stores them, such as a " +
      "GGUF file's blocks",
  ).choices(QUANTIZATIONS);
}

/** The option that puts an adapter beside a model. */
export function adapterOption(): Option {
  return new Option("--adapter <dir>", "a LoRA adapter for the model, as train or PEFT saved it");
}

function readNames(text: string): NamePattern {
  const expression = /^\/(.+)\/$/.exec(text);
  if (!expression) return text.split(",").map((name) => name.trim());
  try {
    return new RegExp(expression[1]);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/**
 * The adapters that were asked for.
 *
 * @param options The command's.
 * @returns Their settings; undefined without a rank.
 * @throws {TypeError} If options of adapters are given without a rank.
 */
export function readLora(options: AdapterOptions & { seed: number }): LoraOptions | undefined {
  const { loraRank: rank, loraAlpha: alpha, loraDropout: dropout, loraTargets: targets } = options;
  const { rsLora, seed } = options;
  if (rank !== undefined) {
    return {
      rank,
      rsLora,
      seed,
      ...(dropout !== undefined && { dropout }),
      ...(alpha !== undefined && { alpha }),
      ...(targets !== undefined && { targets }),
    };
  }
  const given = alpha !== undefined || dropout !== undefined || targets !== undefined || rsLora;
  if (given) throw new TypeError("Cannot adapt the model: options of LoRA go with --lora-rank");
}

/**
 * Checks that something learns, and that there is what is to be merged.
 *
 * @param model The model, with its adapters.
 * @param options The command's.
 * @throws {TypeError} If it is not so.
 */
export function assertAdapted(
  { network, adapter }: Model,
  { merge, quantize }: AdapterOptions,
): void {
  if (merge && !adapter) {
    throw new TypeError("Cannot merge: there is no adapter without --lora-rank");
  }
  if (quantize && !adapter && !isFullyTrainable(network)) {
    throw new TypeError("Cannot train packed weights: give --lora-rank for adapters beside them");
  }
}
