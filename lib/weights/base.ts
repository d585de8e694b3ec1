/**
 * How an adapter, or a record of a training, names the model that it was made from.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { SHORT_NAMES } from "./names.ts";
import type { ResolvedModel } from "./resolved.ts";

/** A model as PEFT's configuration names it. */
export interface BaseName {
  /** Its name: a path in full, a repository of the hub, or a name as `resolveModel()` reads it. */
  readonly base: string;
  /** The revision of a repository on the hub, where one was asked for. */
  readonly revision?: string;
}

/**
 * Names a model as PEFT does: a path in full, so that it is found from elsewhere; a repository of the hub without a
 * prefix, and its revision apart.
 *
 * @param source The model's files.
 * @returns The name, and the revision where one was asked for.
 */
export function nameBase({ spec, source }: Pick<ResolvedModel, "spec" | "source">): BaseName {
  if (source === "directory" || source === "file") return { base: resolve(spec) };
  const onHub = /^hf:([\w.-]+\/[\w.-]+)(?:@(.+))?$/.exec(SHORT_NAMES[spec] ?? spec);
  if (!onHub) return { base: spec };
  const [, base, revision] = onHub;
  return revision === undefined ? { base } : { base, revision };
}
