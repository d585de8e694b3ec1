/**
 * The description of the model for clients.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Model } from "../pipeline/mod.ts";
import type { ServedModel } from "./api.ts";

/** What the server adds. */
interface Serving {
  readonly name: string;
  readonly template: string;
  readonly contextLength: number;
  readonly temperature: number;
  readonly maxNewTokens: number;
}

/**
 * Describes a model to clients.
 *
 * @param model The model.
 * @param serving Its name and limits.
 * @returns Its description.
 */
export function describeServed(model: Model, serving: Serving): ServedModel {
  const { network, source, taught, adapter } = model;
  const { name, template, contextLength, temperature, maxNewTokens } = serving;
  const parameters = [...network.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  const [, width] = network.head.shape;
  const description = {
    spec: source.spec,
    config: network.toConfig(),
    template,
    taught,
    adapter: adapter?.settings,
  };
  return {
    name,
    family: network.architecture,
    parameters,
    bytes: 4 * parameters,
    digest: createHash("sha256").update(JSON.stringify(description)).digest("hex"),
    since: new Date(),
    template,
    contextLength,
    width,
    defaults: { temperature, maxNewTokens },
  };
}
