/**
 * Models from and to directories in Hugging Face's layout: `config.json` and safetensors.
 *
 * @module
 */

import { join } from "@std/path";
import { record } from "../provenance.ts";
import { type Device, sizeOf, Tensor } from "../tensor/mod.ts";
import {
  openSafetensors,
  type ResolvedModel,
  resolveModel,
  type ResolveOptions,
  type Safetensors,
  type WritableDtype,
  writeSafetensors,
  type WrittenFile,
} from "../weights/mod.ts";
import { writeAll, writeBeside } from "../weights/write_beside.ts";
import { Gpt2, type Gpt2Config, gpt2Shapes } from "./gpt2.ts";
import type { LanguageModel } from "./model.ts";

/** A model that was loaded, and where it came from. */
export interface LoadedModel {
  /** The model. */
  readonly model: LanguageModel;
  /** Its files. */
  readonly source: ResolvedModel;
}

/** Options of {@linkcode loadModel}. */
export interface LoadModelOptions extends ResolveOptions {
  /** Where it shall live. */
  readonly device: Device;
  /** Overrides the dropout that its configuration names; 0 by default, as fine-tuning usually has it. */
  readonly dropout?: number;
  /** Called as weights are read, with the elements done and those in all. */
  readonly onRead?: (done: number, total: number) => void;
}

/**
 * Loads a model.
 *
 * @param name A directory, `hf:owner/name`, or a short name; see `resolveModel`.
 * @param options Device, dropout, progress.
 * @returns The model and its files.
 * @throws {TypeError} If its architecture or a tensor's shape is not what is expected.
 * @throws {Deno.errors.NotFound} If it, or one of its tensors, does not exist.
 */
export async function loadModel(name: string, options: LoadModelOptions): Promise<LoadedModel> {
  const source = await resolveModel(name, options);
  if (source.kind === "gguf") {
    throw new TypeError(`Cannot load "${source.weights}": GGUF files hold no model known here`);
  }
  const config = await readGpt2Config(source.config, options.dropout ?? 0);
  using file = await openSafetensors(source.weights);
  const names = tensorNames(file, config);
  const shapes = gpt2Shapes(config);
  const total = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const parameters = new Map<string, Tensor>();
  let done = 0;
  for (const [parameter, shape] of shapes) {
    options.signal?.throwIfAborted();
    const stored = names(parameter);
    const info = file.info(stored);
    if (info.shape.length !== shape.length || info.shape.some((n, i) => n !== shape[i])) {
      throw new TypeError(
        `Cannot load "${stored}" of "${source.weights}": its shape is (${
          info.shape.join(", ")
        }), ` +
          `the configuration asks for (${shape.join(", ")})`,
      );
    }
    const values = await file.read(stored, { signal: options.signal });
    parameters.set(parameter, Tensor.from(options.device, values, shape).keep());
    done += values.length;
    options.onRead?.(done, total);
  }
  const model = new Gpt2(config, parameters);
  const { name: named, source: from, commit } = source;
  await record("model", { name: named, source: from, ...(commit && { commit }) });
  return { model, source };
}

/**
 * Reads a GPT-2's shape from a `config.json`.
 *
 * @param path The file.
 * @param dropout The dropout to train with.
 * @returns Shape and options.
 * @throws {SyntaxError} If it is not JSON.
 * @throws {TypeError} If it is another architecture or a number is missing.
 */
export async function readGpt2Config(path: string, dropout = 0): Promise<Gpt2Config> {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}" as JSON: ${(cause as Error).message}`, { cause });
  }
  return parseGpt2Config(json, path, dropout);
}

/**
 * Reads a GPT-2's shape from what a Hugging Face `config.json` says.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @param dropout The dropout to train with.
 * @returns Shape and options.
 * @throws {TypeError} If it is another architecture or a number is missing.
 */
export function parseGpt2Config(
  json: Record<string, unknown>,
  path: string,
  dropout = 0,
): Gpt2Config {
  if (json === null || typeof json !== "object" || json.model_type !== "gpt2") {
    const found = json?.model_type === undefined ? "nothing" : JSON.stringify(json.model_type);
    throw new TypeError(`Cannot load "${path}": "model_type" is ${found}, expected "gpt2"`);
  }
  const activation = json.activation_function ?? "gelu_new";
  if (activation !== "gelu_new" && activation !== "gelu_pytorch_tanh") {
    throw new TypeError(
      `Cannot load "${path}": "activation_function" is ${JSON.stringify(activation)}, ` +
        'expected "gelu_new"',
    );
  }
  const count = (key: string): number => {
    const value = json[key];
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
      throw new TypeError(
        `Cannot load "${path}": "${key}" is ${JSON.stringify(value)}, expected a positive integer`,
      );
    }
    return value;
  };
  return {
    vocabularySize: count("vocab_size"),
    contextLength: count("n_positions"),
    width: count("n_embd"),
    layers: count("n_layer"),
    heads: count("n_head"),
    feedForwardWidth: json.n_inner == null ? undefined : count("n_inner"),
    layerNormEpsilon: Number(json.layer_norm_epsilon ?? 1e-5),
    qkvBias: json.qkv_bias !== false,
    tied: json.tie_word_embeddings !== false,
    dropout,
  };
}

/** Finds a parameter's name in a file: weights of the whole model carry `transformer.`, those of the base do not. */
function tensorNames(file: Safetensors, config: Gpt2Config): (parameter: string) => string {
  const prefix = file.tensors.has("transformer.wte.weight") ? "transformer." : "";
  const head = (config.tied ?? true) ? undefined : "lm_head.weight";
  return (parameter) => parameter === head ? parameter : prefix + parameter;
}

/**
 * Saves a model in Hugging Face's layout, so that transformers and {@linkcode loadModel} read it.
 *
 * @param model The model.
 * @param directory Where to; made if it does not exist. Each file is written beside, then renamed.
 * @param options The type to store, F32 by default; metadata kept in the file.
 * @returns Length and hash of the weights' file.
 */
export async function saveModel(
  model: LanguageModel,
  directory: string,
  options: { dtype?: WritableDtype; metadata?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<WrittenFile> {
  const { dtype = "F32", metadata = {}, signal } = options;
  await Deno.mkdir(directory, { recursive: true });
  const entries = Array.from(model.parameters, ([name, tensor]) => ({
    name: name === "lm_head.weight" ? name : `transformer.${name}`,
    shape: tensor.shape,
    dtype,
    data: () => tensor.data(),
  }));
  const written = await writeSafetensors(join(directory, "model.safetensors"), entries, {
    metadata: { format: "pt", ...metadata },
    signal,
  });
  const config = { ...model.toConfig(), torch_dtype: TORCH_NAMES[dtype] };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeBeside(
    join(directory, "config.json"),
    (file) => writeAll(file, new TextEncoder().encode(text)),
  );
  return written;
}

const TORCH_NAMES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;
