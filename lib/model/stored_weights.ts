/**
 * A model's stored weights, in safetensors, PyTorch's state dicts or a GGUF file, by the model's names.
 *
 * @module
 */

import { type Gguf, openGguf } from "../weights/gguf/read.ts";
import type { ResolvedModel } from "../weights/resolved.ts";
import { openWeights } from "../weights/open.ts";
import { widenQuantized } from "../weights/quantized/mod.ts";
import type { TensorFile } from "../weights/tensor_file.ts";
import { unwrap } from "../weights/wrapped.ts";
import type { ModelPlan } from "./families/family.ts";
import { familyOfType } from "./families/mod.ts";
import { type FamilyTraits, isLinearWeight } from "./families/traits.ts";
import { ggufToConfig } from "./gguf_config.ts";
import { fromGgufForm, type GgufForm, ggufShape, rowOrder } from "./gguf_forms.ts";
import { ggufPlace } from "./gguf_names.ts";

/**
 * A stored weight.
 *
 * @internal
 */
export interface StoredWeight {
  /** The parameter's name. */
  readonly parameter: string;
  /** The name of the tensor in the file. */
  readonly tensor: string;
  /** The parameter's shape. */
  readonly shape: readonly number[];
  /** The type it is stored in: `"F32"`, `"BF16"`, `"Q4_K"`, … */
  readonly type: string;
  /** Whether it is the matrix of a linear layer. */
  readonly isLinear: boolean;
  /** Whether {@linkcode StoredWeight.bytes} is (out, in) while the parameter is (in, out). */
  readonly transposed: boolean;
  /**
   * Reads the weight.
   *
   * @returns The parameter's values as float32, in row-major order.
   */
  values(): Promise<Float32Array>;
  /**
   * Reads a matrix in its stored type, without converting blocks.
   *
   * @returns Its bytes, with rows in the order of the parameter's rows (or columns, if it is
   * transposed).
   */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * The open files of a model.
 *
 * @internal
 */
export interface StoredModel extends Disposable {
  /** Its `config.json`, or the equivalent for a GGUF file. */
  readonly config: Record<string, unknown>;
  /** The file that it comes from, for messages. */
  readonly path: string;
  /** How many tensors there are. */
  readonly tensors: number;
  /** Tensors that are not part of any weight, by those that are. */
  readonly unusedBeside: (used: ReadonlySet<string>) => string[];
  /**
   * Finds a weight.
   *
   * @param plan The model.
   * @param parameter The weight's name.
   * @param signal Stops the reading.
   * @returns Its description, and how to read it.
   * @throws {TypeError} If its shape differs from the configuration.
   * @throws {RangeError} If there is no such tensor.
   */
  find(plan: ModelPlan, parameter: string, signal?: AbortSignal): StoredWeight;
}

/**
 * Opens a model's files.
 *
 * @param source The model's files.
 * @returns Configuration and weights; close them after use, or declare them with `using`.
 * @throws {SyntaxError} If a file is damaged.
 * @throws {TypeError} If a GGUF file does not hold a supported model.
 */
export async function openStoredModel(source: ResolvedModel): Promise<StoredModel> {
  if (source.kind === "directory") {
    const config = await readJson(source.config);
    const file = await openWeights(source.weights);
    try {
      const wide = await widenQuantized(unwrap(file), config);
      return new DirectoryModel(
        wide,
        await withOwnHead(wide, config, source.config),
        source.config,
      );
    } catch (error) {
      file.close();
      throw error;
    }
  }
  const file = await openGguf(source.weights);
  try {
    return new GgufModel(file, await ggufToConfig(file));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Configurations are small; a file of this size is something else. */
const MOST_JSON = 16 * 2 ** 20;

/**
 * Reads a JSON file that holds an object.
 *
 * @param path The file.
 * @returns The object.
 * @throws {SyntaxError} If it is not JSON or not an object.
 */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  const { size } = await Deno.stat(path);
  if (size > MOST_JSON) {
    throw new SyntaxError(`Cannot read "${path}": it has ${size} bytes, more than ${MOST_JSON}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`Cannot read "${path}" as JSON: ${cause.message}`, { cause });
  }
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new SyntaxError(`Cannot read "${path}": it is not a JSON object`);
  }
  return json as Record<string, unknown>;
}

/**
 * The configuration, without a tied head where the file holds another one, as merging an adapter
 * with a trained head leaves. As transformers does, the file is believed.
 */
async function withOwnHead(
  file: TensorFile,
  config: Record<string, unknown>,
  path: string,
): Promise<Record<string, unknown>> {
  const family = familyOfType(config.model_type);
  const head = family && headsOf(family).find((name) => file.tensors.has(name));
  if (!family || head === undefined) return config;
  const plan = family.plan(config, path, 0);
  if (plan.shapes.has(family.head)) return config;
  const names = family.prefixes.map((prefix) => `${prefix}${family.embeddings[0]}`);
  const embedding = names.find((name) => file.tensors.has(name));
  if (embedding === undefined || await isSame(file, embedding, head)) return config;
  const text = config.text_config as Record<string, unknown> | undefined;
  return {
    ...config,
    tie_word_embeddings: false,
    ...(text && { text_config: { ...text, tie_word_embeddings: false } }),
  };
}

/** Names that an output head has in files. */
function headsOf({ head }: FamilyTraits): string[] {
  return [head, `language_model.${head}`];
}

/** Rows that are compared at a time. */
const COMPARED_ROWS = 1024;

async function isSame(file: TensorFile, one: string, two: string): Promise<boolean> {
  const [a, b] = [file.info(one), file.info(two)];
  if (a.shape.join() !== b.shape.join()) return false;
  const [place, other] = [a.byteOffsets?.[0], b.byteOffsets?.[0]];
  if (place !== undefined && place === other && a.file === b.file) return true;
  for (let first = 0; first < a.shape[0]; first += COMPARED_ROWS) {
    const rows: [number, number] = [first, Math.min(first + COMPARED_ROWS, a.shape[0])];
    const [left, right] = [await file.read(one, { rows }), await file.read(two, { rows })];
    if (left.some((value, i) => value !== right[i])) return false;
  }
  return true;
}

/** Buffers that earlier versions of transformers saved, and the part of a Gemma 3 that sees. */
const NOT_WEIGHTS =
  /\.(inv_freq|masked_bias|attn\.bias|attention\.bias)$|(^|\.)(vision_tower|multi_modal_projector)\./;

/** Whether a tensor describes how a weight is packed. */
function isPart(name: string, used: ReadonlySet<string>): boolean {
  const [, weight] = /^(.+\.weight)\.[\w.]+$/.exec(name) ?? [];
  const [, module] =
    /^(.+)\.(SCB|weight_format|weight_scale|weight_scale_inv|input_scale)$/.exec(name) ?? [];
  return used.has(weight ?? `${module}.weight`);
}

class DirectoryModel implements StoredModel {
  constructor(
    readonly file: TensorFile,
    readonly config: Record<string, unknown>,
    readonly path: string,
  ) {}

  get tensors(): number {
    return this.file.tensors.size;
  }

  unusedBeside(used: ReadonlySet<string>): string[] {
    const heads: readonly string[] = headsOf(familyOfType(this.config.model_type)!);
    return [...this.file.tensors.keys()].filter((name) =>
      !used.has(name) && !heads.includes(name) && !NOT_WEIGHTS.test(name) && !isPart(name, used)
    );
  }

  find(plan: ModelPlan, parameter: string, signal?: AbortSignal): StoredWeight {
    const { file } = this;
    const shape = plan.shapes.get(parameter)!;
    const candidates = plan.prefixes.map((prefix) => `${prefix}${parameter}`);
    // The head is outside the prefix of the model, and of two that are tied a file may hold either.
    if (parameter === plan.family.head) candidates.unshift(...headsOf(plan.family));
    else if (parameter === plan.family.embeddings[0] && !plan.shapes.has(plan.family.head)) {
      candidates.push(...headsOf(plan.family));
    }
    const name = candidates.find((name) => file.tensors.has(name)) ?? candidates[0];
    const info = file.info(name);
    const isLinear = isLinearWeight(plan.family, parameter, shape);
    // bitsandbytes packs GPT-2's layers as (out, in), as GGUF files hold them.
    const { form } = ggufPlace(parameter, plan);
    const transposed = info.isBlocked === true && isLinear && form.kind === "transposed";
    assertStoredShape(file.path, name, info.shape, transposed ? ggufShape(shape, form) : shape);
    return {
      parameter,
      tensor: name,
      shape,
      type: info.dtype,
      isLinear,
      transposed,
      values: async () => {
        const values = await file.read(name, { signal });
        return transposed ? fromGgufForm(values, shape, form) : values;
      },
      bytes: () => file.readBytes(name),
    };
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

class GgufModel implements StoredModel {
  constructor(readonly file: Gguf, readonly config: Record<string, unknown>) {}

  get path(): string {
    return this.file.path;
  }

  get tensors(): number {
    return this.file.tensors.size;
  }

  unusedBeside(used: ReadonlySet<string>): string[] {
    return [...this.file.tensors.keys()].filter((name) =>
      !used.has(name) && name !== "output.weight" && !/^(rope_|v\.|mm\.)/.test(name)
    );
  }

  find(plan: ModelPlan, parameter: string, signal?: AbortSignal): StoredWeight {
    const { file } = this;
    const shape = plan.shapes.get(parameter)!;
    const { name, form } = ggufPlace(parameter, plan);
    const info = file.info(name);
    assertStoredShape(file.path, name, info.shape, ggufShape(shape, form));
    return {
      parameter,
      tensor: name,
      shape,
      type: info.type,
      isLinear: isLinearWeight(plan.family, parameter, shape),
      transposed: form.kind === "transposed",
      values: async () => fromGgufForm(await file.read(name, { signal }), shape, form),
      bytes: async () => reorderRows(await file.readBytes(name), shape[0], form),
    };
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

/** Rows of blocks, in the parameter's order. */
function reorderRows(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  form: GgufForm,
): Uint8Array<ArrayBuffer> {
  const order = rowOrder(rows, form);
  if (!order) return bytes;
  const rowBytes = bytes.length / rows;
  const result = new Uint8Array(bytes.length);
  order.forEach((row, i) =>
    result.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), i * rowBytes)
  );
  return result;
}

function assertStoredShape(
  path: string,
  name: string,
  stored: readonly number[],
  expected: readonly number[],
): void {
  if (stored.length === expected.length && stored.every((n, i) => n === expected[i])) return;
  throw new TypeError(
    `Cannot load "${name}" of "${path}": its shape is (${stored.join(", ")}), ` +
      `the configuration asks for (${expected.join(", ")})`,
  );
}
