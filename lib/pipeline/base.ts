/**
 * Which model an adapter belongs to.
 *
 * @module
 */

import { isAdapter, readAdapterConfig } from "../model/lora_files.ts";

/** A model, and the adapter that goes beside it if there is one. */
export interface FoundBase {
  /** The model's name, as `resolveModel()` reads it. */
  readonly base: string;
  /** The adapter's directory. */
  readonly adapter?: string;
}

/**
 * Tells an adapter's directory from a model's name, and finds the model that the adapter was made for.
 *
 * @param name A model's name, or an adapter's directory.
 * @param adapter An adapter's directory that was given beside the model's name.
 * @returns The model's name, and the adapter's directory if there is one.
 * @throws {TypeError} If the adapter does not name its model.
 */
export async function findBase(name: string, adapter?: string): Promise<FoundBase> {
  if (adapter !== undefined || !await isAdapter(name)) return { base: name, adapter };
  const { base, revision } = await readAdapterConfig(name);
  if (base === undefined) {
    throw new TypeError(
      `Cannot load the adapter "${name}": it does not name its model; load that model, with this ` +
        'directory as "adapter"',
    );
  }
  // PEFT names models of the hub without a prefix.
  const onHub = /^[\w.-]+\/[\w.-]+$/.test(base) && !await exists(base);
  const at = revision === undefined ? "" : `@${revision}`;
  return { base: onHub ? `hf:${base}${at}` : base, adapter: name };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
