/**
 * Checkpoints of a model inside another module, whose name stands before all names of tensors.
 *
 * @module
 */

import { findTensor, type StoredTensor, type TensorFile } from "./tensor_file.ts";

/** What `torch.compile`, data parallelism and PEFT put before names. */
const WRAPPERS = ["_orig_mod.", "module.", "base_model.model."];

/**
 * Removes the name of a wrapping module from the names of tensors.
 *
 * @param file The open file.
 * @returns The same tensors by the names that the model itself has.
 * @throws {TypeError} If adapters stand among the weights, which are then not the model's own.
 */
export function unwrap(file: TensorFile): TensorFile {
  const adapter = [...file.tensors.keys()].find((name) => /\.(lora_[AB]|base_layer)\./.test(name));
  if (adapter !== undefined) {
    throw new TypeError(
      `Cannot load "${file.path}": it holds a model with an adapter beside it ("${adapter}"), expected weights ` +
        "alone: save the adapter by itself, or merge it, as PEFT does with merge_and_unload()",
    );
  }
  let before = "";
  for (let found; (found = wrapperOf(file, before)) !== undefined;) before += found;
  return before === "" ? file : new Unwrapped(file, before);
}

function wrapperOf(file: TensorFile, before: string): string | undefined {
  const names = [...file.tensors.keys()];
  if (names.length === 0) return undefined;
  const isBefore = (wrapper: string) => names.every((name) => name.startsWith(before + wrapper));
  const found = WRAPPERS.find(isBefore);
  if (found !== undefined) return found;
  // A whole model as "model" of another has its own layers as "model.model".
  const isDouble = names.some((name) => name.startsWith(`${before}model.model.`));
  return isDouble && isBefore("model.") ? "model." : undefined;
}

class Unwrapped implements TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;

  constructor(readonly file: TensorFile, readonly before: string) {
    this.tensors = new Map(
      Array.from(file.tensors, ([name, info]) => [name.slice(before.length), info]),
    );
  }

  get path(): string {
    return this.file.path;
  }

  info(name: string): StoredTensor {
    return findTensor(this, name);
  }

  async read(name: string, options?: Parameters<TensorFile["read"]>[1]): Promise<Float32Array> {
    return await this.file.read(this.before + name, options);
  }

  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return await this.file.readBytes(this.before + name);
  }

  close(): void {
    this.file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
