// Options for adapters and packed weights.

import { InvalidArgumentError, Option } from "commander";
import { freeze, type LoraOptions, type NamePattern, type Quantization } from "../model/mod.ts";
import { isFullyTrainable } from "../model/trainable.ts";
import { QUANTIZATIONS } from "../model/quantize.ts";
import type { Model } from "../pipeline/mod.ts";
import { readCount, readRate } from "./arguments.ts";

/** The values of {@linkcode adapterOptions}. */
export interface AdapterOptions {
  loraRank?: number;
  loraAlpha?: number;
  loraDropout?: number;
  loraTargets?: NamePattern;
  freeze?: NamePattern;
  rsLora: boolean;
  merge: boolean;
  quantize?: Quantization;
}

/** The options of the subcommand `train`. */
export function adapterOptions(): Option[] {
  const option = (flags: string, description: string) => new Option(flags, description);
  return [
    option("--lora-rank <n>", "train LoRA adapters of this rank instead of all weights")
      .argParser(readCount),
    option(
      "--lora-alpha <x>",
      "the adapters' outputs are multiplied by alpha / rank (default: 2 · rank)",
    )
      .argParser(readRate),
    option("--lora-dropout <p>", "dropout probability of the adapters' inputs")
      .argParser(readRate),
    option(
      "--lora-targets <names>",
      "layers to adapt, such as q_proj,v_proj, first:8, or /expression/ (default: all linear layers)",
    ).argParser(readNames),
    option("--rs-lora", "divide by the square root of the rank instead").default(false),
    option("--merge", "merge the adapters into the weights and save the whole model")
      .default(false),
    quantizeOption(),
    option(
      "--freeze <names>",
      "weights that are not trained, such as wte,wpe,first:8, or /expression/; first:8 is the first eight blocks",
    ).argParser(readNames),
  ];
}

/** The option that stores weights in less memory. */
export function quantizeOption(): Option {
  return new Option(
    "--quantize <how>",
    "store frozen weights in less memory when training adapters: nf4 and nf4_double pack linear " +
      "layers in four bits, f16 and bf16 in sixteen; stored uses the type of the file, such as a " +
      "GGUF file's blocks",
  ).choices(QUANTIZATIONS);
}

/** The option that adds an adapter to a model. */
export function adapterOption(): Option {
  return new Option("--adapter <dir>", "a LoRA adapter for the model, saved by train or PEFT");
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
 * The requested adapters.
 *
 * @param options The command's options.
 * @returns Their settings; undefined without a rank.
 * @throws {TypeError} If other adapter options are given without a rank.
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
  if (given) throw new TypeError("Cannot adapt the model: LoRA options need --lora-rank");
}

/**
 * Freezes weights as asked, and says how many are left.
 *
 * @param model The model, changed in place.
 * @param options The command's options.
 * @throws {TypeError} If adapters are asked for too, for which all weights are frozen.
 * @throws {RangeError} If no weight has such a name, or none is left.
 */
export function freezeAsAsked(
  { network }: Model,
  { freeze: pattern, loraRank }: Pick<AdapterOptions, "freeze" | "loraRank">,
): void {
  if (pattern === undefined) return;
  assertFreezable({ freeze: pattern, loraRank });
  freeze(network, pattern);
  const all = [...network.parameters.values()];
  const left = all.filter(({ requiresGrad }) => requiresGrad);
  if (left.length === 0) {
    throw new RangeError("Cannot train: --freeze leaves no weights");
  }
  const millions = (tensors: readonly { size: number }[]) =>
    (tensors.reduce((sum, { size }) => sum + size, 0) / 1e6).toFixed(1);
  console.error(`Frozen: ${millions(left)} of ${millions(all)} million weights are trained`);
}

/**
 * Checks that weights are not frozen beside adapters.
 *
 * @param options The command's options.
 * @throws {TypeError} If they are.
 */
export function assertFreezable(
  { freeze, loraRank }: Pick<AdapterOptions, "freeze" | "loraRank">,
): void {
  if (freeze === undefined || loraRank === undefined) return;
  throw new TypeError(
    "Cannot freeze weights beside adapters: --lora-rank freezes all of them; --lora-targets says which layers learn",
  );
}

/**
 * Checks that there are trainable weights, and adapters to merge.
 *
 * @param model The model, with its adapters.
 * @param options The command's options.
 * @throws {TypeError} If there are none.
 */
export function assertAdapted(
  { network, adapter }: Model,
  { merge, quantize }: AdapterOptions,
): void {
  if (merge && !adapter) {
    throw new TypeError("Cannot merge: there is no adapter without --lora-rank");
  }
  if (quantize && !adapter && !isFullyTrainable(network)) {
    throw new TypeError("Cannot train packed weights: give --lora-rank to train adapters");
  }
}
