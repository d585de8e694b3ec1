/**
 * Writes the part of Python's pickle format that PyTorch's state dicts use: an ordered dictionary of tensors, each a view
 * of a storage. `unpickle.ts` reads it.
 *
 * @module
 */

import type { StoredDtype } from "../dtype.ts";

/** The types of elements by the names of PyTorch's classes of storages. */
export const STORAGES: Readonly<Record<string, StoredDtype>> = {
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  DoubleStorage: "F64",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** A tensor of a state dict: a view of a storage. */
export interface PickledTensor {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The type of its elements. */
  readonly dtype: StoredDtype;
  /** The name of its storage. */
  readonly storage: string;
  /** Elements of the storage. */
  readonly storageSize: number;
  /** Elements of the storage before the tensor's first. */
  readonly offset: number;
  /** Elements between neighbours along each dimension. */
  readonly strides: readonly number[];
}

/**
 * Writes a state dict.
 *
 * @param tensors The tensors; two may have the same storage.
 * @returns The pickle, of protocol 2.
 */
export function pickleStateDict(tensors: readonly PickledTensor[]): Uint8Array {
  const bytes: number[] = [];
  const op = (...values: number[]) => bytes.push(...values);
  const text = (value: string) => {
    for (const byte of new TextEncoder().encode(value)) bytes.push(byte);
  };
  const global = (module: string, name: string) => {
    op(0x63); // GLOBAL
    text(`${module}\n${name}\n`);
  };
  const string = (value: string) => {
    const { length } = new TextEncoder().encode(value);
    op(0x58, length & 255, (length >> 8) & 255, (length >> 16) & 255, length >>> 24); // BINUNICODE
    text(value);
  };
  const int = (value: number) => {
    if (value < 2 ** 31) {
      op(0x4a, value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24); // BININT
      return;
    }
    op(0x8a, 8); // LONG1
    for (let rest = BigInt(value), i = 0; i < 8; i++, rest >>= 8n) op(Number(rest & 255n));
  };
  const tuple = (values: readonly number[]) => {
    op(0x28); // MARK
    values.forEach(int);
    op(0x74); // TUPLE
  };
  const orderedDict = () => {
    global("collections", "OrderedDict");
    op(0x29, 0x52); // EMPTY_TUPLE REDUCE
  };
  op(0x80, 2); // PROTO
  orderedDict();
  op(0x28); // MARK
  for (const { name, shape, dtype, storage, storageSize, offset, strides } of tensors) {
    string(name);
    global("torch._utils", "_rebuild_tensor_v2");
    op(0x28, 0x28); // MARK MARK
    string("storage");
    global("torch", Object.entries(STORAGES).find(([, type]) => type === dtype)![0]);
    string(storage);
    string("cpu");
    int(storageSize);
    op(0x74, 0x51); // TUPLE BINPERSID
    int(offset);
    tuple(shape);
    tuple(strides);
    op(0x89); // NEWFALSE: it needs no gradient
    orderedDict(); // of backward hooks
    op(0x74, 0x52); // TUPLE REDUCE
  }
  op(0x75, 0x2e); // SETITEMS STOP
  return Uint8Array.from(bytes);
}
