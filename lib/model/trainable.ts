/**
 * Which of a model's weights are trainable: those with `requiresGrad`. No gradients are computed or
 * stored for the others, and full fine-tuning, frozen layers and adapters use the same loop.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { encodeHex } from "@std/encoding/hex";
import { isPacked, type Tensor } from "../tensor/mod.ts";
import { assertNetwork, type Network } from "./model.ts";

/**
 * Selects by name: a regular expression, or one or several parts of dotted names. `"attn"` and
 * `"h.0"` select `h.0.attn.c_attn`; `"c_att"` does not. `"first:2"` selects the first two blocks, in
 * which embeddings are not included.
 */
export type NamePattern = string | readonly string[] | RegExp;

/**
 * Whether a name is selected.
 *
 * @param name A dotted name, such as `h.0.attn.c_attn`.
 * @param pattern The selection.
 * @returns Whether it matches.
 */
export function matchesName(name: string, pattern: NamePattern): boolean {
  if (pattern instanceof RegExp) return name.search(pattern) >= 0;
  const parts = typeof pattern === "string" ? [pattern] : pattern;
  return parts.some((part) => {
    const first = firstBlocks(part);
    return first === undefined ? `.${name}.`.includes(`.${part}.`) : blockOf(name) < first;
  });
}

/** The number in `"first:2"`; undefined for other parts. */
function firstBlocks(part: string): number | undefined {
  const [, count] = /^first:(\d+)$/.exec(part) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** The index of the block that a name belongs to; infinite outside of blocks. */
function blockOf(name: string): number {
  return Number(/(?:^|\.)(\d+)\./.exec(name)?.[1] ?? Infinity);
}

/**
 * The parts of a pattern that select nothing, so that a misspelt name among others is found.
 *
 * @param pattern The selection.
 * @param names What it selects from.
 * @returns These parts; undefined if each part selects something.
 */
export function unmatchedParts(
  pattern: NamePattern,
  names: readonly string[],
): NamePattern | undefined {
  const selects = (part: string | RegExp) => names.some((name) => matchesName(name, part));
  if (pattern instanceof RegExp) return selects(pattern) ? undefined : pattern;
  const parts = [pattern].flat();
  const missing = parts.filter((part) => !selects(part));
  return parts.length > 0 && missing.length === 0 ? undefined : missing;
}

/**
 * Checks that a model has as many blocks as a pattern such as `"first:2"` selects.
 *
 * @param pattern The selection.
 * @param layers How many blocks the model has.
 * @throws {RangeError} If it has fewer.
 */
export function assertBlocks(pattern: NamePattern, layers: number): void {
  if (pattern instanceof RegExp) return;
  for (const part of [pattern].flat()) {
    if ((firstBlocks(part) ?? 0) <= layers) continue;
    throw new RangeError(
      `Cannot select the blocks ${JSON.stringify(part)}: the model has ${layers}`,
    );
  }
}

/**
 * Freezes weights: training no longer changes them.
 *
 * @param model The model, changed in place.
 * @param pattern Which of its weights, by their names in {@linkcode Network.parameters}; all by default.
 * @returns The number of newly frozen weights.
 * @throws {RangeError} If a part of the pattern names no weight, or the model has fewer blocks.
 *
 * @example Training the last block only
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { freeze, Gpt2, pick, trainableParameters } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const model = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 2, heads: 2,
 * });
 * freeze(model, ["wte", "wpe", "first:1", "ln_f"]);
 * assertEquals([...trainableParameters(model).keys()][0], "h.1.ln_1.weight");
 * device.close();
 * ```
 */
export function freeze(model: Network, pattern: NamePattern = /(?:)/): number {
  return setTrainable(model, pattern, false);
}

/**
 * Makes weights trainable again, except packed ones, which cannot be trained.
 *
 * @param model The model, changed in place.
 * @param pattern Which of its weights; all by default.
 * @returns The number of newly trainable weights.
 * @throws {RangeError} If a part of the pattern names no weight.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { freeze, Gpt2, pick, trainableParameters } from "tunebook";
 * import { unfreeze } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * freeze(network);
 * unfreeze(network, "ln_f");
 * assertEquals([...trainableParameters(network).keys()], ["ln_f.weight", "ln_f.bias"]);
 * device.close();
 * ```
 */
export function unfreeze(model: Network, pattern: NamePattern = /(?:)/): number {
  return setTrainable(model, pattern, true);
}

function setTrainable(model: Network, pattern: NamePattern, trainable: boolean): number {
  assertNetwork(trainable ? "unfreeze weights" : "freeze weights", model);
  assertBlocks(pattern, model.layers);
  const names = [...model.parameters.keys()];
  const missing = unmatchedParts(pattern, names);
  if (missing !== undefined) {
    throw new RangeError(
      `Cannot ${trainable ? "unfreeze" : "freeze"} weights named ${describePattern(missing)}: ` +
        `the model has none; it has weights such as "${names.at(-1)}"`,
    );
  }
  const chosen = [...model.parameters].filter(([name]) => matchesName(name, pattern));
  let changed = 0;
  for (const [, tensor] of chosen) {
    if (tensor.requiresGrad === trainable || isPacked(tensor.dtype)) continue;
    tensor.requiresGrad = trainable;
    tensor.grad?.dispose();
    tensor.grad = undefined;
    changed++;
  }
  return changed;
}

/**
 * Formats a pattern for a message.
 *
 * @param pattern The pattern.
 * @returns Such as `"attn", "mlp"`, or `/attn/`.
 */
export function describePattern(pattern: NamePattern): string {
  if (pattern instanceof RegExp) return String(pattern);
  const parts = [pattern].flat();
  const named = parts.map((part) => JSON.stringify(part)).join(", ");
  const isGlob = parts.some((part) => part.includes("*"));
  return isGlob ? `${named} ("*" is not a wildcard: write an expression, such as /c_.*/)` : named;
}

/**
 * All trainable tensors: weights of the model and of its adapters with `requiresGrad`.
 *
 * @param model The model.
 * @returns Tensors by name, such as `h.0.attn.c_attn.lora_A.weight`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { freeze, Gpt2, pick, trainableParameters } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const all = trainableParameters(network).size;
 * const frozen = freeze(network, "wte");
 * assertEquals(trainableParameters(network).size, all - frozen);
 * device.close();
 * ```
 */
export function trainableParameters(model: Network): Map<string, Tensor> {
  assertNetwork("find the weights that learn", model);
  const trainable = new Map<string, Tensor>();
  for (const [name, tensor] of allParameters(model)) {
    if (tensor.requiresGrad) trainable.set(name, tensor);
  }
  return trainable;
}

/**
 * Whether all weights are trainable and there are no adapters: full fine-tuning, whose result is
 * the model itself.
 *
 * @param model The model.
 * @returns Whether a checkpoint must hold all of it.
 */
export function isFullyTrainable(model: Network): boolean {
  return [...model.parameters.values()].every(({ requiresGrad }) => requiresGrad) &&
    ![...model.linears.values()].some(({ adapter }) => adapter);
}

/**
 * Identifies the parts of a model that a checkpoint does not contain.
 *
 * @param model The model.
 * @returns Undefined if all weights are trainable. Otherwise a hash of the frozen weights, and the
 * adapters' settings.
 */
export async function describeFrozen(model: Network): Promise<Record<string, unknown>> {
  if (isFullyTrainable(model)) return {};
  const adapters = [...model.linears.values()].map(({ adapter }) => adapter?.settings);
  const given = adapters.filter((one) => one !== undefined);
  const settings = new Map(given.map((one) => [JSON.stringify(one), one]));
  return {
    learns: [...trainableParameters(model).keys()],
    base: await hashFrozen(model),
    ...(settings.size > 0 && { adapters: [...settings.values()] }),
  };
}

/** SHA-256 over the names and bits of all frozen tensors, in order. */
async function hashFrozen(model: Network): Promise<string> {
  const lines: string[] = [];
  for (const [name, tensor] of allParameters(model)) {
    if (tensor.requiresGrad) continue;
    lines.push(`${name} ${await hashTensor(tensor)}`);
  }
  const text = new TextEncoder().encode(lines.join("\n"));
  return encodeHex(await crypto.subtle.digest("SHA-256", text));
}

/** Bytes that are read at a time: an embedding as a whole would take as much memory again. */
const HASHED_BYTES = 16 * 2 ** 20;

async function hashTensor({ device, buffer, byteLength }: Tensor): Promise<string> {
  const length = Math.ceil(byteLength / 4) * 4;
  const hash = createHash("sha256");
  for (let start = 0; start < length; start += HASHED_BYTES) {
    const bytes = await device.read(buffer, start, Math.min(HASHED_BYTES, length - start));
    hash.update(new Uint8Array(bytes));
    bytes.transfer(0); // gives its memory back before garbage is collected
  }
  return hash.digest("hex");
}

function* allParameters(model: Network): Iterable<[string, Tensor]> {
  yield* model.parameters;
  for (const { name, adapter } of model.linears.values()) {
    for (const [part, tensor] of adapter?.parameters ?? []) yield [`${name}.${part}`, tensor];
  }
}
