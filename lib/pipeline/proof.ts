/**
 * Whether what was exported is the model: prompts are replayed through the file that was written, and logits, the prompts'
 * tokens and the closing token are compared with those of the model in memory.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { closingTokensOf } from "../dataset/encode.ts";
import { encodePrompt, type EntryFormat } from "../dataset/mod.ts";
import { growForest } from "../forest.ts";
import { planModel } from "../model/architectures.ts";
import { loadNetwork } from "../model/files.ts";
import { mergedCopy } from "../model/lora.ts";
import { attendWithin, logitsOf, type Network } from "../model/mod.ts";
import { onnxGraphOf } from "../model/onnx/export.ts";
import { openStoredModel } from "../model/stored_weights.ts";
import { noGrad, scope } from "../tensor/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import {
  type NamedTensor,
  readStateDict,
  type ResolvedModel,
  resolveModel,
  type StateDictEntry,
} from "../weights/mod.ts";
import { readOnnxWeights } from "../weights/onnx/read.ts";
import { allValues } from "../weights/write_tensors.ts";
import { describeFound } from "./find_model.ts";
import { replayOnnx } from "./onnx_replay.ts";

/** The result of replaying prompts through an export. */
export interface ExportProof {
  /** What was read back: all logits of the prompts, or every weight. */
  readonly compared: "logits" | "weights";
  /** How many prompts, or weights. */
  readonly count: number;
  /** The largest difference, relative to the largest magnitude. */
  readonly difference: number;
  /** The largest difference that is allowed, by the type that was written. */
  readonly tolerance: number;
  /** The program that computed the logits, with its version; absent where it is Tunebook. */
  readonly program?: string;
}

/** How far results may be from those of the model in memory, which has float32: by the type that was written. */
const TOLERANCES = { F32: 1e-4, F16: 1e-2, BF16: 5e-2, Q8_0: 5e-2 } as const;

/** What is replayed. Without inputs, for which the templates of other programs have no place. */
const PROMPTS = [
  "Name a fruit.",
  "What does “naïve” mean? 🌊",
  "Write 1,000 as a word.\nThen stop.",
]
  .map((instruction) => ({ instruction, input: "", output: "" }));

/** What was exported. */
export interface Proving {
  /** The model in memory; without it the weights of its files are compared. */
  readonly network?: Network;
  /** Its files. */
  readonly source: ResolvedModel;
  readonly tokenizer: Tokenizer;
  /** How the model is asked. */
  readonly format: EntryFormat;
}

/**
 * Loads what was written and compares it.
 *
 * @param model The model in memory.
 * @param path The folder or GGUF file.
 * @param type The type that was written.
 * @returns The comparison.
 * @throws {Error} If what was written is another model; the message says in what.
 */
export async function proveModel(
  { network, source: original, tokenizer, format }: Proving,
  path: string,
  type: keyof typeof TOLERANCES,
): Promise<ExportProof> {
  const source = await resolveModel(path);
  const fail = failure(path);
  const prompts = await proveText({ tokenizer, format }, source, fail);
  if (network === undefined) return await proveWeights(original, source, type, fail);
  const { network: again } = await loadNetwork(source.spec, { device: network.device });
  try {
    using merged = mergedCopy(network);
    const expected = await logitsOfAll(merged.network, prompts);
    return compareLogits(await logitsOfAll(again, prompts), expected, {
      count: prompts.length,
      tolerance: TOLERANCES[type],
      fail,
    });
  } finally {
    for (const tensor of again.parameters.values()) tensor.dispose();
  }
}

/**
 * Reads an ONNX file's weights back and compares each; where this machine has onnxruntime, it also runs the prompts, with and
 * without past keys and values.
 *
 * @param model The model in memory.
 * @param path The file, with configuration and tokenizer beside it.
 * @param type The type that was written.
 * @returns The comparison: of logits, where they could be computed.
 * @throws {Error} If what was written is another model; the message says in what.
 */
export async function proveOnnx(
  { network, tokenizer, format }: Proving & { readonly network: Network },
  path: string,
  type: "F32" | "F16",
): Promise<ExportProof> {
  const fail = failure(path);
  const source = await describeFolder(path);
  const prompts = await proveText({ tokenizer, format }, source, fail);
  using merged = mergedCopy(network);
  const { weights, constants } = onnxGraphOf(merged.network, type);
  const numbers = constants.flatMap(({ data, ...rest }) =>
    data instanceof Float32Array ? [{ ...rest, data }] : []
  );
  const entries = [...weights, ...numbers];
  const proof = await compareWeights(entries, readOnnxWeights(path), { type, fail });
  const { kvHeads: heads, keyWidth } = network;
  const replayed = await replayOnnx(path, prompts, { heads, width: keyWidth / heads })
    .catch((error) => {
      throw fail(error.message);
    });
  if (replayed === undefined) return proof;
  let at = 0;
  let difference = 0;
  const tolerance = TOLERANCES[type];
  for (const prompt of prompts) {
    const logits = await logitsOfAll(merged.network, [prompt]);
    // Then those of the second half again, computed after the first's keys and values.
    const half = logits.subarray((prompt.length >> 1) * network.vocabularySize);
    for (const expected of [logits, half]) {
      const found = replayed.logits.subarray(at, at + expected.length);
      const compared = compareLogits(found, expected, { count: 1, tolerance, fail });
      difference = Math.max(difference, compared.difference);
      at += expected.length;
    }
  }
  const program = `onnxruntime ${replayed.version}`;
  return { compared: "logits", count: prompts.length, difference, tolerance, program };
}

/** The folder of an ONNX file, whose configuration and tokenizer are as another model's. */
async function describeFolder(weights: string): Promise<ResolvedModel> {
  const directory = dirname(weights);
  return {
    kind: "directory",
    spec: directory,
    source: "directory",
    name: basename(directory),
    directory,
    config: join(directory, "config.json"),
    weights,
    files: await Array.fromAsync(Deno.readDir(directory), ({ name }) => name),
  };
}

type Fail = (what: string) => Error;

const failure = (path: string): Fail => (what) =>
  new Error(`Cannot call the export to "${path}" good: ${what}; it is not to be used`);

/** Compares prompts' tokens and the closing token with those that a reader of the export finds; gives the prompts. */
async function proveText(
  { tokenizer, format }: Pick<Proving, "tokenizer" | "format">,
  source: ResolvedModel,
  fail: Fail,
): Promise<number[][]> {
  const found = await describeFound(source, undefined);
  const prompts = PROMPTS.map((entry) => encodePrompt(entry, tokenizer, format));
  for (const [i, entry] of PROMPTS.entries()) {
    const again = encodePrompt(entry, found.tokenizer, found.format);
    if (again.join() !== prompts[i].join()) {
      throw fail(
        `the prompt of "${entry.instruction}" is ${
          JSON.stringify(found.tokenizer.decode(again))
        } ` +
          `there, expected ${JSON.stringify(tokenizer.decode(prompts[i]))}`,
      );
    }
  }
  const [closing] = closingTokensOf(format, tokenizer);
  const [written] = closingTokensOf(found.format, found.tokenizer);
  if (written !== closing) {
    throw fail(`its answers end at token ${written}, expected ${closing}`);
  }
  return prompts;
}

function compareLogits(
  logits: Float32Array,
  expected: Float32Array,
  { count, tolerance, fail }: { count: number; tolerance: number; fail: Fail },
): ExportProof {
  const difference = relativeDifference(logits, expected);
  if (!(difference <= tolerance)) {
    throw fail(
      `its logits differ by ${difference.toExponential(1)}, expected at most ${tolerance}`,
    );
  }
  return { compared: "logits", count, difference, tolerance };
}

/** Compares the weights of two files, one at a time, so that models larger than memory can be compared. */
async function proveWeights(
  original: ResolvedModel,
  written: ResolvedModel,
  type: keyof typeof TOLERANCES,
  fail: Fail,
): Promise<ExportProof> {
  using from = await openStoredModel(original);
  using to = await openStoredModel(written);
  const fromPlan = planModel(from.config, from.path);
  const toPlan = planModel(to.config, to.path);
  const tolerance = TOLERANCES[type];
  let difference = 0;
  let count = 0;
  for (const [name, shape] of fromPlan.shapes) {
    if (toPlan.shapes.get(name)?.join() !== shape.join()) throw fail(`it has another "${name}"`);
    const expected = await from.find(fromPlan, name).values();
    const apart = relativeDifference(await to.find(toPlan, name).values(), expected);
    if (!(apart <= tolerance)) throw fail(`"${name}" differs by ${apart.toExponential(1)}`);
    difference = Math.max(difference, apart);
    count += expected.length;
  }
  return { compared: "weights", count, difference, tolerance };
}

/**
 * Reads a state dict back and compares each weight.
 *
 * @param entries What was to be written.
 * @param path The file.
 * @param type The type that was written.
 * @returns The comparison.
 * @throws {Error} If a weight is missing or another one.
 */
export async function proveStateDict(
  entries: readonly StateDictEntry[],
  path: string,
  type: "F32" | "F16" | "BF16",
): Promise<ExportProof> {
  return await compareWeights(entries, readStateDict(path), { type, fail: failure(path) });
}

/** A weight of a file. */
interface WrittenWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

async function compareWeights(
  entries: readonly (NamedTensor & { readonly aliases?: readonly string[] })[],
  written: AsyncIterable<WrittenWeight>,
  { type, fail }: { type: "F32" | "F16" | "BF16"; fail: Fail },
): Promise<ExportProof> {
  const expected = new Map(
    entries.flatMap((entry) => [entry.name, ...entry.aliases ?? []].map((name) => [name, entry])),
  );
  // One rounding to the type, relative to the tensor's largest value.
  const tolerance = { F32: 0, F16: 2 ** -11, BF16: 2 ** -8 }[type];
  let difference = 0;
  let count = 0;
  for await (const { name, shape, data } of written) {
    const entry = expected.get(name);
    if (entry === undefined) throw fail(`it has "${name}", which the model has not`);
    expected.delete(name);
    const values = await allValues(entry);
    if (shape.join() !== entry.shape.join()) {
      throw fail(`"${name}" has the shape (${shape.join(", ")})`);
    }
    const apart = relativeDifference(data, values);
    if (!(apart <= tolerance)) throw fail(`"${name}" differs by ${apart.toExponential(1)}`);
    difference = Math.max(difference, apart);
    if (name === entry.name) count += data.length; // another name of the same weight adds none
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw fail(`it has no "${missing}"`);
  return { compared: "weights", count, difference, tolerance };
}

/**
 * The logits of all tokens of several prompts.
 *
 * @param network The model.
 * @param prompts The prompts' tokens.
 * @returns (T, V) of the prompts' forest.
 */
export async function logitsOfAll(
  network: Network,
  prompts: readonly (readonly number[])[],
): Promise<Float32Array> {
  const forest = growForest(prompts);
  using logits = scope(() =>
    noGrad(() => logitsOf(network, network.hidden({ ...forest, attend: attendWithin(forest) })))
  );
  return await logits.data();
}

/** The largest difference, relative to the largest magnitude; infinite where either is not a number. */
function relativeDifference(values: Float32Array, expected: Float32Array): number {
  if (values.length !== expected.length) return Infinity;
  let largest = 0, difference = 0;
  for (let i = 0; i < values.length; i++) {
    const apart = Math.abs(values[i] - expected[i]);
    if (Number.isNaN(apart)) return Infinity;
    if (apart > difference) difference = apart;
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference === 0 ? 0 : difference / largest;
}
