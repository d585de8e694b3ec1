/**
 * Weights of a network that an adapter has replaced, with what was there before, so that removing the adapter gives the
 * base back.
 *
 * @module
 */

import type { Tensor } from "../tensor/mod.ts";
import type { Network } from "./model.ts";

/** Per network the weights before they were replaced; undefined for a head of its own that the base lacks. */
const originals = new WeakMap<Network, Map<string, Tensor | undefined>>();

/**
 * Replaces a weight. A network whose output head is the token embedding gets a head of its own if that is replaced.
 *
 * @param model The network, changed in place.
 * @param parameter The weight's name.
 * @param tensor What takes its place; it does not learn.
 */
export function replaceWeight(model: Network, parameter: string, tensor: Tensor): void {
  const known = originals.get(model) ?? new Map<string, Tensor | undefined>();
  originals.set(model, known);
  const before = model.parameters.get(parameter);
  if (known.has(parameter)) before?.dispose();
  else known.set(parameter, before);
  tensor.requiresGrad = false;
  model.parameters.set(parameter, tensor);
}

/**
 * The names of replaced weights.
 *
 * @param model The network.
 * @returns Their names, in order.
 */
export function replacedWeights(model: Network): string[] {
  return [...originals.get(model)?.keys() ?? []];
}

/**
 * Puts the weights back that were there before.
 *
 * @param model The network, changed in place.
 */
export function restoreWeights(model: Network): void {
  for (const [parameter, before] of originals.get(model) ?? []) {
    model.parameters.get(parameter)?.dispose();
    if (before === undefined) model.parameters.delete(parameter);
    else model.parameters.set(parameter, before);
  }
  originals.delete(model);
}

/**
 * Keeps replaced weights for good.
 *
 * @param model The network.
 * @returns How many there are.
 */
export function adoptWeights(model: Network): number {
  const known = originals.get(model);
  for (const before of known?.values() ?? []) before?.dispose();
  originals.delete(model);
  return known?.size ?? 0;
}

/**
 * A network's configuration, in which a head of its own counts.
 *
 * @param model The network.
 * @returns Its `config.json`.
 */
export function configOf(model: Network): Record<string, unknown> {
  const config = model.toConfig();
  return model.parameters.has(model.family.head)
    ? { ...config, tie_word_embeddings: false }
    : config;
}
