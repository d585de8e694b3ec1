/**
 * Records which files a network was loaded from, for saving it later.
 *
 * @module
 */

import type { ResolvedModel } from "../weights/mod.ts";
import type { Network } from "./model.ts";

const origins = new WeakMap<Network, ResolvedModel>();

/** Records the files of a network. */
export function setOrigin(network: Network, source: ResolvedModel): void {
  origins.set(network, source);
}

/**
 * The files of a network.
 *
 * @param network The network.
 * @returns The files that `loadNetwork()` read; undefined if the network was created in another
 * way.
 */
export function originOf(network: Network): ResolvedModel | undefined {
  return origins.get(network);
}
