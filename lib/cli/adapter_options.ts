// Options of adapters and packed weights: what learns beside a model, and how the model itself is kept.

import { resolve } from "@std/path";
import { InvalidArgumentError, Option } from "commander";
import { addLora, type NamePattern, type Network, type Quantization } from "../model/mod.ts";
import { isAdapter, readAdapterConfig } from "../model/lora_files.ts";
import { isFullyTrainable } from "../model/trainable.ts";
import { QUANTIZATIONS } from "../model/quantize.ts";
import { type ResolvedModel, SHORT_NAMES } from "../weights/mod.ts";
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
 * Adds the adapters that were asked for.
 *
 * @param model The model, changed in place.
 * @param options The command's.
 * @throws {TypeError} If options of adapters are given without a rank, or nothing would learn.
 */
export function adaptForCommand(
  model: Network,
  options: AdapterOptions & { seed: number },
): void {
  const { loraRank: rank, loraAlpha: alpha, loraDropout: dropout, loraTargets: targets } = options;
  const { rsLora, quantize, merge, seed } = options;
  if (rank !== undefined) {
    addLora(model, { rank, dropout, rsLora, seed, ...(alpha !== undefined && { alpha }), targets });
    return;
  }
  const given = alpha !== undefined || dropout !== undefined || targets !== undefined || rsLora;
  if (given) throw new TypeError("Cannot adapt the model: options of LoRA go with --lora-rank");
  const adapted = [...model.linears.values()].some(({ adapter }) => adapter);
  if (merge && !adapted) {
    throw new TypeError("Cannot merge: there is no adapter without --lora-rank");
  }
  if (quantize && !adapted && !isFullyTrainable(model)) {
    throw new TypeError("Cannot train packed weights: give --lora-rank for adapters beside them");
  }
}

/**
 * Says which model an adapter is for, where a directory holds an adapter.
 *
 * @param name A model's name, or an adapter's directory.
 * @param adapter An adapter's directory that was given beside the model's name.
 * @returns The model's name, and the adapter's directory if there is one.
 * @throws {TypeError} If the adapter does not say.
 */
export async function findBase(
  name: string,
  adapter?: string,
): Promise<{ base: string; adapter?: string }> {
  if (adapter !== undefined || !await isAdapter(name)) return { base: name, adapter };
  const { base, revision } = await readAdapterConfig(name);
  if (base === undefined) {
    throw new TypeError(
      `Cannot load the adapter "${name}": it does not say for which model it is; ` +
        "give that model, and the adapter as --adapter",
    );
  }
  // PEFT names models of the hub without a prefix.
  const onHub = /^[\w.-]+\/[\w.-]+$/.test(base) && !await exists(base);
  const at = revision === undefined ? "" : `@${revision}`;
  return { base: onHub ? `hf:${base}${at}` : base, adapter: name };
}

/**
 * How an adapter's configuration names its base: a path in full, so that it is found from elsewhere; a repository of the
 * hub as PEFT does, and its revision apart.
 *
 * @param source The base's files.
 * @returns The name, and the revision where one was asked for.
 */
export function nameBase({ spec, source }: ResolvedModel): { base: string; revision?: string } {
  if (source === "directory" || source === "file") return { base: resolve(spec) };
  const onHub = /^hf:([\w.-]+\/[\w.-]+)(?:@(.+))?$/.exec(SHORT_NAMES[spec] ?? spec);
  return onHub ? { base: onHub[1], revision: onHub[2] } : { base: spec };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
