/**
 * Stores models between runs of a notebook: the network, its files, and its record.
 *
 * @module
 */

import { registerRestorable } from "../restorable.ts";
import type { Network } from "../model/model.ts";
import type { ResolvedModel } from "../weights/mod.ts";
import { describeFound } from "./find_model.ts";
import { Model } from "./model.ts";
import type { TaughtRecord } from "./record.ts";

/** What is written of a model. */
interface StoredParts {
  network: Network;
  source: ResolvedModel;
  taught: TaughtRecord;
}

registerRestorable({
  kind: "whole model",
  matches: (value) => value instanceof Model,
  save(value): Promise<StoredParts> {
    const { network, source, taught } = value as Model;
    return Promise.resolve({ network, source, taught: { version: 1, ...taught } });
  },
  async restore(data, _folder, existing) {
    const { network, source, taught } = data as StoredParts;
    const found = await describeFound(source, undefined, taught);
    if (!(existing instanceof Model) || existing.network !== network) {
      return new Model(network, found);
    }
    existing.adopt(found);
    return existing;
  },
});
