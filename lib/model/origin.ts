/**
 * Which files a network was loaded from, for whoever saves what was made of it.
 *
 * @module
 */

import type { ResolvedModel } from "../weights/mod.ts";
import type { Network } from "./model.ts";

const origins = new WeakMap<Network, ResolvedModel>();

/** Remembers where a network comes from. */
export function setOrigin(network: Network, source: ResolvedModel): void {
  origins.set(network, source);
}

/**
 * Where a network comes from.
 *
 * @param network The network.
 * @returns The files that `loadNetwork()` read; undefined where it was made otherwise.
 */
export function originOf(network: Network): ResolvedModel | undefined {
  return origins.get(network);
}
