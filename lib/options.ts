/**
 * Refuses options that a function does not have, and names the one that was probably meant. A leaf: any room may import
 * it.
 *
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { assertKnownOptions, type OptionNames } from "./options.ts";
 *
 * const NAMES: OptionNames<{ learningRate?: number }> = { learningRate: true };
 * const options: Record<string, number> = { lr: 1e-3 };
 * assertThrows(() => assertKnownOptions("train", options, NAMES), TypeError, '"learningRate"?');
 * ```
 *
 * @module
 */

import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { similarName } from "./similar_name.ts";

/** Every name of an options type, exactly, so that the compiler holds the list to the type. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/**
 * What other libraries call an option of ours, in lower case without underscores: the names of TRL's `SFTConfig` and
 * transformers' `TrainingArguments`, `GenerationConfig`, PEFT's `LoraConfig`, and what PyTorch and Keras call the same.
 * Where a name has several meanings here, the function's own options decide.
 */
const FOREIGN_NAMES: Readonly<Record<string, readonly string[]>> = {
  // TrainingArguments and SFTConfig
  lr: ["learningRate"],
  learningrate: ["learningRate"],
  numtrainepochs: ["epochs"],
  numepochs: ["epochs"],
  nepochs: ["epochs"],
  epoch: ["epochs"],
  maxiters: ["maxSteps"],
  numsteps: ["maxSteps"],
  perdevicetrainbatchsize: ["batchSize"],
  perdeviceevalbatchsize: ["batchSize"],
  trainbatchsize: ["batchSize"],
  gradientaccumulationsteps: ["accumulate"],
  gradaccumsteps: ["accumulate"],
  dataloaderdroplast: ["dropLast"],
  gradientcheckpointing: ["recompute"],
  maxgradnorm: ["maxGradientNorm"],
  gradclip: ["maxGradientNorm"],
  clipnorm: ["maxGradientNorm"],
  warmupratio: ["warmup"],
  warmupsteps: ["warmup"],
  lrschedulertype: ["schedule"],
  lrscheduler: ["schedule"],
  scheduler: ["schedule"],
  minlr: ["minLearningRate"],
  adambeta1: ["beta1"],
  adambeta2: ["beta2"],
  adamepsilon: ["epsilon"],
  eps: ["epsilon"],
  wd: ["weightDecay"],
  maxseqlength: ["maxLength"],
  maxlength: ["maxLength", "maxNewTokens"],
  evalsteps: ["evalEvery"],
  evaliters: ["evalIters"],
  earlystoppingpatience: ["earlyStopping", "patience"],
  earlystoppingthreshold: ["earlyStopping", "minImprovement"],
  loadbestmodelatend: ["restoreBest"],
  outputdir: ["checkpoint", "directory"],
  savesteps: ["checkpoint", "every"],
  resumefromcheckpoint: ["resume"],
  completiononlyloss: ["mask"],
  assistantonlyloss: ["mask"],
  packing: ["layout"],
  paddingfree: ["layout"],
  traindataset: ["examples", "entries"],
  evaldataset: ["validation"],
  dataseed: ["seed"],
  randomseed: ["seed"],
  randomstate: ["seed"],
  // LoraConfig
  r: ["rank", "lora"],
  rank: ["lora"],
  lorarank: ["rank", "lora"],
  alpha: ["lora"],
  loraalpha: ["alpha", "lora"],
  loradropout: ["lora", "dropout"],
  targets: ["lora"],
  targetmodules: ["targets", "lora"],
  peftconfig: ["lora"],
  // reductions of PyTorch's tensors
  dim: ["axis"],
  keepdim: ["keepDims"],
  unbiased: ["correction"],
  ddof: ["correction"],
  // GenerationConfig
  maxnewtokens: ["maxNewTokens"],
  maxtokens: ["maxNewTokens"],
  numpredict: ["maxNewTokens"],
  dosample: ["temperature"],
  temp: ["temperature"],
  eostokenid: ["eosId"],
  padtokenid: ["padId"],
  stoptokens: ["eosId"],
  // from_pretrained
  loadin4bit: ["quantize"],
  loadin8bit: ["quantize"],
  quantizationconfig: ["quantize"],
  devicemap: ["device"],
  cachedir: ["cache", "cacheDirectory"],
  localfilesonly: ["offline"],
  // train_test_split and statistics
  testsize: ["test"],
  nresamples: ["resamples"],
  confidencelevel: ["confidence"],
};

/** Options by which the functions of a model are known: those of `loadModel()`, `train()`, `answer()`, `save()`. */
const MODEL_OPTIONS = ["lora", "learningRate", "maxNewTokens", "merge"];

/** Options that belong to one of these functions and are often given to another. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  "loadModel()": ["lora", "quantize", "device"],
  "train()": ["learningRate", "epochs", "batchSize", "maxSteps", "warmup", "schedule"],
  "answer()": ["maxNewTokens", "temperature", "topK", "topP"],
};

/** More options than this are not all listed. */
const MOST_LISTED = 10;

/**
 * Throws where an options object has a name that the function does not know. A name whose value is undefined counts:
 * it is as much a mistake as any other.
 *
 * @param action What the function does, after "Cannot": `train`, `load a model`.
 * @param options What was given; undefined means none.
 * @param names The names that the function knows.
 * @throws {TypeError} If there is another, or if the options are not an object; the message names
 * what was probably meant.
 */
export function assertKnownOptions<Options extends object>(
  action: string,
  options: Options | undefined,
  names: OptionNames<Options>,
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const found = Array.isArray(options) ? "an array" : JSON.stringify(options) ?? typeof options;
    throw new TypeError(`Cannot ${action} with the options ${found}: expected an object`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(names, name)) throw unknownOption(action, name, Object.keys(names));
  }
}

/** The error for one unknown name. */
function unknownOption(action: string, name: string, known: readonly string[]): TypeError {
  const given = `Cannot ${action} with the option "${name}"`;
  const meant = meantBy(name, known);
  if (meant !== undefined) return new TypeError(`${given}: did you mean "${meant}"?`);
  const elsewhere = optionElsewhere(name, known);
  if (elsewhere !== undefined) return new TypeError(`${given}: did you mean ${elsewhere}?`);
  return new TypeError(`${given}: ${describeKnown(name, known)}`);
}

/** The options to choose from, those that are spelled most alike first where there are many. */
function describeKnown(name: string, known: readonly string[]): string {
  const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
  if (known.length === 0) return "it takes none";
  if (known.length === 1) return `expected ${quoted(known)}`;
  if (known.length <= MOST_LISTED) return `expected one of ${quoted(known)}`;
  const distance = (option: string) =>
    levenshteinDistance(name.toLowerCase(), option.toLowerCase());
  const nearest = known.toSorted((a, b) => distance(a) - distance(b)).slice(0, MOST_LISTED - 1);
  return `expected one of ${quoted(nearest)} or ${known.length - nearest.length} others`;
}

/** The known option that a name stands for elsewhere, or the one that is spelled most alike. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const plain = simplify(name);
  const alike = known.find((option) => simplify(option) === plain);
  if (alike !== undefined) return alike;
  const translated = foreignNames(plain).find((option) => known.includes(option));
  if (translated !== undefined || known.length === 0) return translated;
  // The name of another function's option is not a misspelling.
  if (optionElsewhere(name, known) !== undefined) return undefined;
  return similarName(name, known);
}

/** The option of another function that a name stands for, where this function is one of {@linkcode ELSEWHERE}'s kind. */
function optionElsewhere(name: string, known: readonly string[]): string | undefined {
  if (!MODEL_OPTIONS.some((option) => known.includes(option))) return undefined;
  const plain = simplify(name);
  const foreign = foreignNames(plain);
  for (const [place, options] of Object.entries(ELSEWHERE)) {
    const meant = options.find((option) => simplify(option) === plain || foreign.includes(option));
    if (meant !== undefined && !known.includes(meant)) return `the option "${meant}" of ${place}`;
  }
  return undefined;
}

function foreignNames(plain: string): readonly string[] {
  return Object.hasOwn(FOREIGN_NAMES, plain) ? FOREIGN_NAMES[plain] : [];
}

const simplify = (name: string) => name.replaceAll("_", "").toLowerCase();
