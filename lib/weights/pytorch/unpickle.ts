/**
 * Reads pickles of PyTorch's state dicts: dictionaries of tensors, each a view of a storage. Nothing is called: what a pickle
 * names is compared with a short list, and anything else is refused by its name.
 *
 * @module
 */

import type { StoredDtype } from "../dtype.ts";
import { quote } from "../json.ts";
import { type PickledTensor, STORAGES } from "./pickle.ts";

/** Types that newer tensors name beside a storage of bytes. */
const DTYPES: Readonly<Record<string, StoredDtype>> = {
  "torch.float32": "F32",
  "torch.float16": "F16",
  "torch.bfloat16": "BF16",
  "torch.float64": "F64",
  "torch.int64": "I64",
  "torch.int32": "I32",
  "torch.int16": "I16",
  "torch.int8": "I8",
  "torch.uint8": "U8",
  "torch.uint16": "U16",
  "torch.uint32": "U32",
  "torch.uint64": "U64",
  "torch.bool": "BOOL",
  "torch.float8_e4m3fn": "F8_E4M3",
  "torch.float8_e5m2": "F8_E5M2",
};

/** Operations that are refused, by Python's names, where they make or call objects. */
const REFUSED: Readonly<Record<number, string>> = {
  0x50: "PERSID",
  0x69: "INST",
  0x6f: "OBJ",
  0x81: "NEWOBJ",
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
  0x92: "NEWOBJ_EX",
};

/** A class or function by its name, which is never called. */
class Global {
  constructor(readonly name: string) {}
}

/** What a storage's persistent id names. */
class Storage {
  constructor(readonly type: string, readonly key: string, readonly size: number) {}
}

/** A tensor's view of a storage. */
class View {
  constructor(readonly tensor: Omit<PickledTensor, "name">) {}
}

const MARK = Symbol("mark");

/** A pickle that was read. */
export interface Unpickled {
  /** Its value. */
  readonly value: unknown;
  /** The place of the first byte after it. */
  readonly end: number;
}

/**
 * Reads a pickle of plain values and tensors.
 *
 * @param bytes The bytes that hold it.
 * @param path The file, for messages.
 * @param start Where it begins.
 * @returns Its value, of maps, lists, strings, numbers and tensors, and where it ends.
 * @throws {SyntaxError} If it holds anything else, or is damaged.
 */
export function unpickle(bytes: Uint8Array, path: string, start = 0): Unpickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (found: string): never => {
    throw new SyntaxError(
      `Cannot read "${path}": expected a dictionary of tensors, found ${found}`,
    );
  };
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = start;
  /** Takes the next bytes; gives the place of the first. */
  const take = (length: number): number => {
    if (at + length > bytes.length) fail("its end within a value");
    return (at += length) - length;
  };
  const uint8 = () => bytes[take(1)];
  const uint32 = () => view.getUint32(take(4), true);
  const uint64 = () => Number(view.getBigUint64(take(8), true));
  const text = (length: number) => {
    const from = take(length);
    return new TextDecoder().decode(bytes.subarray(from, from + length));
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    if (end < 0) fail("its end within a name");
    const value = text(end - at);
    at++;
    return value;
  };
  const pop = (): unknown => {
    const value = stack.pop();
    if (value === undefined || value === MARK) fail("an operation without a value");
    return value;
  };
  const popSeveral = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();
  const sinceMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) fail("no mark");
    return stack.splice(mark).slice(1);
  };
  const setItems = (items: unknown[]) => {
    const target = stack.at(-1);
    if (!(target instanceof Map)) return fail("items of another value than a dictionary");
    if (items.length % 2 === 1) fail("a key without a value");
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const append = (items: unknown[]) => {
    const target = stack.at(-1);
    if (!Array.isArray(target)) return fail("elements of another value than a list");
    for (const item of items) target.push(item);
  };
  const remembered = (id: number) => {
    if (!memo.has(id)) fail("a value that it does not hold");
    return memo.get(id);
  };
  const call = () => {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof Global)) return fail("a call of a value");
    if (!Array.isArray(args)) return fail(`a call of ${quote(callee.name)} without arguments`);
    return called(callee.name, args);
  };
  const called = (name: string, args: unknown[]): unknown => {
    if (name === "collections.OrderedDict" && args.length === 0) return new Map();
    if (name === "torch.Size" && Array.isArray(args[0])) return args[0];
    if (name === "torch._utils._rebuild_tensor_v2" || name === "torch._utils._rebuild_tensor") {
      return viewOf(args);
    }
    if (name === "torch._utils._rebuild_tensor_v3" && args[6] instanceof Global) {
      return viewOf(args, args[6].name);
    }
    const isParameter = /^torch\._utils\._rebuild_parameter(_with_state)?$/.test(name);
    if (isParameter && args[0] instanceof View) return args[0];
    if (name === "torch._tensor._rebuild_from_type_v2") {
      const [maker, type, inner] = args;
      const isPlain = type instanceof Global &&
        /^torch\.(Tensor|nn\.parameter\.Parameter)$/.test(type.name);
      const isTensor = maker instanceof Global && /^torch\._utils\._rebuild_/.test(maker.name);
      if (isPlain && isTensor && Array.isArray(inner)) return called(maker.name, inner);
      if (type instanceof Global) return fail(quote(type.name));
    }
    return fail(`a call of ${quote(name)}`);
  };
  const viewOf = ([storage, offset, shape, strides]: unknown[], type?: string): View => {
    if (!(storage instanceof Storage)) return fail("a tensor without a storage");
    const dtype = type === undefined ? STORAGES[storage.type] : DTYPES[type];
    if (dtype === undefined) return fail(`a tensor of ${quote(type ?? storage.type)}`);
    const areCounts = [[offset], shape, strides].every((list) =>
      Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0)
    );
    if (!areCounts || (shape as number[]).length !== (strides as number[]).length) {
      return fail("a tensor without a shape");
    }
    return new View({
      shape: shape as number[],
      dtype,
      storage: storage.key,
      storageSize: storage.size,
      offset: offset as number,
      strides: strides as number[],
    });
  };
  const storageOf = (id: unknown): Storage => {
    const [kind, type, key, , size] = Array.isArray(id) ? id : [];
    const isKnown = kind === "storage" && type instanceof Global && typeof key === "string" &&
      Number.isSafeInteger(size) && size >= 0;
    if (!isKnown) return fail("another kind of storage");
    return new Storage(type.name.replace(/^torch\.(storage\.)?/, ""), key, size);
  };
  const steps: Record<number, () => unknown> = {
    0x80: () => void uint8(), // PROTO
    0x95: () => void uint64(), // FRAME
    0x63: () => stack.push(new Global(`${line()}.${line()}`)), // GLOBAL
    0x93: () => { // STACK_GLOBAL
      const [module, name] = popSeveral(2);
      stack.push(new Global(`${module}.${name}`));
    },
    0x28: () => stack.push(MARK), // MARK
    0x30: () => void pop(), // POP
    0x4e: () => stack.push(null), // NONE
    0x88: () => stack.push(true), // NEWTRUE
    0x89: () => stack.push(false), // NEWFALSE
    0x29: () => stack.push([]), // EMPTY_TUPLE
    0x5d: () => stack.push([]), // EMPTY_LIST
    0x7d: () => stack.push(new Map()), // EMPTY_DICT
    0x74: () => stack.push(sinceMark()), // TUPLE
    0x85: () => stack.push(popSeveral(1)), // TUPLE1
    0x86: () => stack.push(popSeveral(2)), // TUPLE2
    0x87: () => stack.push(popSeveral(3)), // TUPLE3
    0x61: () => append([pop()]), // APPEND
    0x65: () => append(sinceMark()), // APPENDS
    0x73: () => setItems(popSeveral(2)), // SETITEM
    0x75: () => setItems(sinceMark()), // SETITEMS
    0x4b: () => stack.push(uint8()), // BININT1
    0x4d: () => stack.push(view.getUint16(take(2), true)), // BININT2
    0x4a: () => stack.push(view.getInt32(take(4), true)), // BININT
    0x47: () => stack.push(view.getFloat64(take(8), false)), // BINFLOAT
    0x8a: () => { // LONG1
      const length = uint8();
      const from = take(length);
      let value = 0n;
      for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[from + i]);
      stack.push(Number(BigInt.asIntN(8 * length, value)));
    },
    0x58: () => stack.push(text(uint32())), // BINUNICODE
    0x8c: () => stack.push(text(uint8())), // SHORT_BINUNICODE
    0x8d: () => stack.push(text(uint64())), // BINUNICODE8
    0x71: () => memo.set(uint8(), stack.at(-1)), // BINPUT
    0x72: () => memo.set(uint32(), stack.at(-1)), // LONG_BINPUT
    0x94: () => memo.set(memo.size, stack.at(-1)), // MEMOIZE
    0x68: () => stack.push(remembered(uint8())), // BINGET
    0x6a: () => stack.push(remembered(uint32())), // LONG_BINGET
    0x51: () => stack.push(storageOf(pop())), // BINPERSID
    0x52: () => stack.push(call()), // REDUCE
    0x62: () => { // BUILD: a dictionary's metadata, the versions of its modules
      pop();
      if (!(stack.at(-1) instanceof Map)) fail("attributes of another value than a dictionary");
    },
  };
  for (;;) {
    const code = uint8();
    if (code === 0x2e) return { value: pop(), end: at }; // STOP
    const step = steps[code];
    if (step === undefined) {
      fail(`the operation ${REFUSED[code] ?? `0x${code.toString(16).padStart(2, "0")}`}`);
    }
    step();
  }
}

/**
 * The tensors of a state dict.
 *
 * @param value What {@linkcode unpickle} gave.
 * @param path The file, for messages.
 * @returns Its tensors, in its order.
 * @throws {SyntaxError} If it is not a dictionary of tensors.
 */
export function tensorsOf(value: unknown, path: string): PickledTensor[] {
  const fail = (found: string) =>
    new SyntaxError(`Cannot read "${path}": expected a dictionary of tensors, found ${found}`);
  if (!(value instanceof Map)) throw fail("another value");
  return Array.from(value, ([name, tensor]) => {
    if (typeof name !== "string") throw fail("a name that is not text");
    if (!(tensor instanceof View)) {
      throw fail(`${tensor instanceof Map ? "a dictionary" : "another value"} as ${quote(name)}`);
    }
    return { name, ...tensor.tensor };
  });
}
