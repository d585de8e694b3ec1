/**
 * How models are kept between runs of a notebook: the network by its own keeper, and what was taught beside it.
 *
 * @module
 */

import { registerKeeper } from "../keep.ts";
import type { Network } from "../model/model.ts";
import type { ResolvedModel } from "../weights/mod.ts";
import { describeFound } from "./find_model.ts";
import { Model } from "./model.ts";
import type { TaughtRecord } from "./record.ts";

/** What is kept of a model. */
interface KeptModel {
  network: Network;
  source: ResolvedModel;
  taught: TaughtRecord;
}

registerKeeper({
  kind: "whole model",
  matches: (value) => value instanceof Model,
  save(value): Promise<KeptModel> {
    const { network, source, taught } = value as Model;
    return Promise.resolve({ network, source, taught: { version: 1, ...taught } });
  },
  async restore(data) {
    const { network, source, taught } = data as KeptModel;
    return new Model(network, await describeFound(source, undefined, taught));
  },
});
