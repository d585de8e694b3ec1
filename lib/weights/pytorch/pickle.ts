/**
 * The part of Python's pickle format that PyTorch's state dicts use: an ordered dictionary of tensors, each a view of a
 * storage. Reading calls nothing: a pickle of anything else is refused.
 *
 * @module
 */

/** A storage type by the name of its class. */
export const STORAGES = {
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
} as const;

/** A tensor of a state dict: a view of a storage. */
export interface PickledTensor {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The type of its elements. */
  readonly dtype: "F32" | "F16" | "BF16";
  /** The file of its storage, under `data/`. */
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

/** A class or function by its name, which is never called. */
class Global {
  constructor(readonly name: string) {}
}

/** What a storage's persistent id names. */
class Storage {
  constructor(readonly type: string, readonly key: string, readonly size: number) {}
}

type Tensor = Omit<PickledTensor, "name">;
const MARK = Symbol("mark");

/**
 * Reads a state dict.
 *
 * @param bytes The pickle.
 * @param path The file, for messages.
 * @returns Its tensors.
 * @throws {SyntaxError} If it holds anything but a dictionary of tensors.
 */
export function unpickleStateDict(bytes: Uint8Array, path: string): PickledTensor[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (found: string) =>
    new SyntaxError(
      `Cannot read "${path}": expected a state dict of float tensors, found ${found}`,
    );
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = 0;
  const text = (length: number) => {
    if (at + length > bytes.length) throw fail("an end within a string");
    return new TextDecoder().decode(bytes.subarray(at, at += length));
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw fail("an end within a line");
    const value = text(end - at);
    at++;
    return value;
  };
  const sinceMark = () => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw fail("no mark");
    return stack.splice(mark).slice(1);
  };
  const setItems = (items: unknown[]) => {
    const target = stack.at(-1);
    if (!(target instanceof Map)) throw fail("items of another value than a dictionary");
    for (let i = 0; i + 1 < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const call = () => {
    const args = stack.pop();
    const callee = stack.pop();
    const name = callee instanceof Global ? callee.name : "a value that is called";
    if (name === "collections.OrderedDict") return new Map();
    if (name !== "torch._utils._rebuild_tensor_v2") throw fail(name);
    const [storage, offset, shape, strides] = args as [Storage, number, number[], number[]];
    const dtype = STORAGES[(storage as Storage)?.type as keyof typeof STORAGES];
    if (!(storage instanceof Storage) || dtype === undefined) throw fail("another kind of tensor");
    const { key, size } = storage;
    return { shape, dtype, storage: key, storageSize: size, offset, strides } satisfies Tensor;
  };
  const steps: Record<number, () => void> = {
    0x80: () => at++, // PROTO
    0x63: () => stack.push(new Global(`${line()}.${line()}`)), // GLOBAL
    0x28: () => stack.push(MARK), // MARK
    0x29: () => stack.push([]), // EMPTY_TUPLE
    0x7d: () => stack.push(new Map()), // EMPTY_DICT
    0x74: () => stack.push(sinceMark()), // TUPLE
    0x85: () => stack.push(stack.splice(-1)), // TUPLE1
    0x86: () => stack.push(stack.splice(-2)), // TUPLE2
    0x87: () => stack.push(stack.splice(-3)), // TUPLE3
    0x88: () => stack.push(true), // NEWTRUE
    0x89: () => stack.push(false), // NEWFALSE
    0x4b: () => stack.push(bytes[at++]), // BININT1
    0x4d: () => stack.push(view.getUint16((at += 2) - 2, true)), // BININT2
    0x4a: () => stack.push(view.getInt32((at += 4) - 4, true)), // BININT
    0x8a: () => { // LONG1
      const length = bytes[at++];
      let value = 0n;
      for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[at + i]);
      at += length;
      stack.push(Number(value));
    },
    0x58: () => stack.push(text(view.getUint32((at += 4) - 4, true))), // BINUNICODE
    0x71: () => memo.set(bytes[at++], stack.at(-1)), // BINPUT
    0x72: () => memo.set(view.getUint32((at += 4) - 4, true), stack.at(-1)), // LONG_BINPUT
    0x68: () => stack.push(memo.get(bytes[at++])), // BINGET
    0x6a: () => stack.push(memo.get(view.getUint32((at += 4) - 4, true))), // LONG_BINGET
    0x51: () => { // BINPERSID
      const [, type, key, , size] = stack.pop() as [string, Global, string, string, number];
      if (!(type instanceof Global)) throw fail("another kind of storage");
      stack.push(new Storage(type.name.replace(/^torch\./, ""), String(key), Number(size)));
    },
    0x52: () => stack.push(call()), // REDUCE
    0x73: () => setItems(stack.splice(-2)), // SETITEM
    0x75: () => setItems(sinceMark()), // SETITEMS
    0x62: () => stack.pop(), // BUILD: the dictionary's metadata, versions of modules
  };
  for (; at < bytes.length;) {
    const code = bytes[at++];
    if (code === 0x2e) break; // STOP
    const step = steps[code];
    if (step === undefined) throw fail(`the operation 0x${code.toString(16)}`);
    step();
  }
  const [dictionary] = stack;
  if (!(dictionary instanceof Map)) throw fail("another value");
  return Array.from(dictionary, ([name, tensor]) => {
    if (typeof name !== "string" || !Array.isArray((tensor as Tensor)?.shape)) {
      throw fail(`another value as ${JSON.stringify(name)}`);
    }
    return { name, ...tensor as Tensor };
  });
}
