/**
 * The tensors of a PEFT adapter: which belong to which weight of a network.
 *
 * @module
 */

import { dequantize, isPacked, Tensor } from "../tensor/mod.ts";
import type { TensorFile } from "../weights/tensor_file.ts";
import type { Linear } from "./linear.ts";
import type { LoraSettings } from "./lora.ts";
import type { StoredMatrix, StoredPair } from "./lora_pairs.ts";
import type { Network } from "./model.ts";
import { replaceWeight } from "./replaced_weights.ts";

/** What a file has for one weight. */
interface Parts extends StoredPair {
  /** DoRA's magnitudes, (out). */
  readonly magnitude?: StoredMatrix;
  /** The whole weight, saved beside the adapter. */
  readonly whole?: StoredMatrix;
}

/** An adapter's tensors by weights. */
export interface SortedTensors {
  /** Plain LoRA of linear layers, which is put beside them and can be trained further. */
  readonly pairs: Map<Linear, StoredPair>;
  /** All else, by the weight's name: it becomes part of the weight. */
  readonly others: Map<string, Parts>;
}

/** PEFT passes over tensors without it. */
const BEGINNING = /^base_model\.model\./;
const LORA = /^(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?$/;
const MAGNITUDE = /^(.+)\.lora_magnitude_vector(?:\.default)?(?:\.weight)?$/;
const WHOLE =
  /^(.+?)(?:\.modules_to_save(?:\.default)?|\.original_module|\.base_layer)?\.(weight|bias)$/;

/**
 * Sorts an adapter's tensors.
 *
 * @param model The base.
 * @param file The open file.
 * @param cannot The beginning of error messages.
 * @returns The tensors by weights.
 * @throws {TypeError} If one belongs to no weight of the model.
 */
export function sortTensors(model: Network, file: TensorFile, cannot: string): SortedTensors {
  const parts = new Map<string, Parts>();
  for (const name of file.tensors.keys()) {
    const stored = { shape: file.info(name).shape, read: () => file.read(name) };
    const path = name.replace(BEGINNING, "");
    if (path === name) {
      throw new TypeError(
        `${cannot}: "${name}" belongs to no weight of the model: names of tensors begin with "base_model.model."`,
      );
    }
    const put = (module: string, part: Partial<Parts>, suffix = "weight") => {
      const parameter = parameterOf(model, `${module}.${suffix}`);
      if (parameter === undefined) {
        throw new TypeError(`${cannot}: "${name}" belongs to no weight of the model`);
      }
      parts.set(parameter, { ...parts.get(parameter), ...part });
    };
    const [, adapted, , letter] = LORA.exec(path) ?? [];
    const [, measured] = MAGNITUDE.exec(path) ?? [];
    const [, module, suffix] = WHOLE.exec(path) ?? [];
    if (adapted !== undefined) put(adapted, { [letter === "A" ? "a" : "b"]: stored });
    else if (measured !== undefined) put(measured, { magnitude: stored });
    else put(module ?? path, { whole: stored }, suffix ?? "");
  }
  const pairs = new Map<Linear, StoredPair>();
  const others = new Map<string, Parts>();
  for (const [parameter, part] of parts) {
    const linear = model.linears.get(parameter.replace(/\.weight$/, ""));
    const isPlain = part.magnitude === undefined && part.whole === undefined;
    if (linear !== undefined && isPlain) pairs.set(linear, part);
    else others.set(parameter, part);
  }
  return { pairs, others };
}

/** A weight's name in the network, which may have a head only once it is replaced. */
function parameterOf(model: Network, path: string): string | undefined {
  const { head } = model.family;
  if (path === head) return head;
  const own = path.startsWith(model.prefix) ? path.slice(model.prefix.length) : path;
  return model.parameters.has(own) ? own : undefined;
}

/**
 * Makes all but plain LoRA part of the weights: saved weights take their places, and DoRA and the adapters of embeddings
 * and heads are added to them.
 *
 * @param model The base, changed in place.
 * @param others The tensors by weights.
 * @param settingsOf A weight's settings by its name.
 * @param isSaved Whether the adapter's configuration names a weight's module as trained as a whole.
 * @param cannot The beginning of error messages.
 * @throws {TypeError} If a shape differs, or a part is missing.
 */
export async function replaceByTensors(
  model: Network,
  others: ReadonlyMap<string, Parts>,
  settingsOf: (parameter: string) => LoraSettings,
  isSaved: (parameter: string) => boolean,
  cannot: string,
): Promise<void> {
  const made: [parameter: string, values: Float32Array, shape: readonly number[]][] = [];
  for (const [parameter, part] of others) {
    const base = model.parameters.get(parameter) ?? model.head;
    const { shape } = base;
    const fail = (found: readonly number[], what: string): never => {
      const isTable = /embed_tokens|lm_head|wte/.test(parameter);
      throw new TypeError(
        `${cannot}: ${what} of "${parameter}" is (${found.join(", ")}), the model has (${
          shape.join(", ")
        })` +
          (isTable ? "; resize the model's vocabulary before the adapter is added to it" : ""),
      );
    };
    const { whole, a, b, magnitude } = part;
    if (whole !== undefined && whole.shape.join() !== shape.join()) fail(whole.shape, "the shape");
    const weight = whole !== undefined ? await whole.read() : await valuesOf(base);
    if (a !== undefined || b !== undefined) {
      const linear = model.linears.get(parameter.replace(/\.weight$/, ""));
      // An embedding is a table of its inputs' rows, as GPT-2's layers are.
      const isTable = model.family.embeddings.includes(parameter);
      const isInOut = isTable || linear?.layout === "in-out";
      const [inWidth, outWidth] = isInOut ? shape : [shape[1], shape[0]];
      const settings = settingsOf(parameter);
      const { rank, alpha, rsLora } = settings;
      if (a?.shape.join() !== [rank, inWidth].join()) fail(a?.shape ?? [], "the shape of A");
      if (b?.shape.join() !== [outWidth, rank].join()) fail(b?.shape ?? [], "the shape of B");
      if (isTable && magnitude !== undefined) {
        throw new TypeError(
          `${cannot}: "${parameter}" is an embedding with DoRA, which is not supported; PEFT merges it into its model ` +
            "with merge_and_unload(), and that can be loaded",
        );
      }
      addProduct(weight, await a!.read(), await b!.read(), {
        ...{ inWidth, outWidth, rank, isInOut },
        factor: alpha / (rsLora ? Math.sqrt(rank) : rank),
      });
      if (magnitude !== undefined) {
        const magnitudes = await magnitude.read();
        if (magnitudes.length !== outWidth) fail(magnitude.shape, "the shape of the magnitudes");
        normalize(weight, magnitudes, { inWidth, outWidth, isInOut });
      }
    } else if (magnitude !== undefined) fail([], "the shape of A");
    made.push([parameter, weight, shape]);
    // Saved without being one of "modules_to_save", it is the base's own weight, and the head that it is follows.
    const isOwn = whole === undefined || a !== undefined || isSaved(parameter);
    const { embeddings: [table], head } = model.family;
    if (parameter === table && isOwn && !model.parameters.has(head) && !others.has(head)) {
      made.push([head, await valuesOf(base), shape]);
    }
  }
  // Nothing is replaced before all fits.
  for (const [parameter, values, shape] of made) {
    replaceWeight(model, parameter, Tensor.from(model.device, values, shape).keep());
  }
}

async function valuesOf(tensor: Tensor): Promise<Float32Array> {
  if (!isPacked(tensor.dtype)) return (await tensor.data()).slice();
  using wide = dequantize(tensor);
  return (await wide.data()).slice();
}

interface Layout {
  readonly inWidth: number;
  readonly outWidth: number;
  /** Whether the weight is (in, out). */
  readonly isInOut: boolean;
}

/** Adds factor · B A to a weight. */
function addProduct(
  weight: Float32Array,
  a: Float32Array,
  b: Float32Array,
  { inWidth, outWidth, rank, isInOut, factor }: Layout & { rank: number; factor: number },
): void {
  for (let out = 0; out < outWidth; out++) {
    for (let k = 0; k < rank; k++) {
      const scaled = factor * b[out * rank + k];
      for (let i = 0; i < inWidth; i++) {
        weight[isInOut ? i * outWidth + out : out * inWidth + i] += scaled * a[k * inWidth + i];
      }
    }
  }
}

/** DoRA (Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", 2024): each output's weights get the magnitude learnt for it. */
function normalize(
  weight: Float32Array,
  magnitudes: Float32Array,
  { inWidth, outWidth, isInOut }: Layout,
): void {
  for (let out = 0; out < outWidth; out++) {
    const at = (i: number) => isInOut ? i * outWidth + out : out * inWidth + i;
    let sum = 0;
    for (let i = 0; i < inWidth; i++) sum += weight[at(i)] ** 2;
    const factor = magnitudes[out] / Math.sqrt(sum);
    for (let i = 0; i < inWidth; i++) weight[at(i)] *= factor;
  }
}
