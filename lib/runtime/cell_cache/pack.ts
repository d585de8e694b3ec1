// Values in the form in which they are kept: plain data unchanged, and placeholders for objects
// that the library's rooms register as restorable. Runs inside the kernel.

import { type Restorable, restorables } from "../../restorable.ts";

/** A placeholder for a value that a restorable has written. */
interface StandIn {
  [STAND_IN]: string;
  /** The number of its folder. */
  folder: number;
  data: unknown;
}
const STAND_IN = "tunebook kept";

/** Types that the structured clone algorithm copies completely. */
const CLONED = [ArrayBuffer, Date, RegExp, Error, Boolean, Number, String];

/** Objects that exist before a cell runs, by their paths: `list`, `model`, `table/rows`. */
export type Marks = Map<string, object>;

/**
 * Marks the objects that values consist of, to distinguish an object that a cell changed from one
 * that it replaced.
 *
 * @param values The values by name.
 */
export function mark(values: Record<string, unknown>): Marks {
  const marks: Marks = new Map();
  const seen = new Set<object>();
  let level = Object.entries(values);
  while (level.length > 0) {
    const next: [string, unknown][] = [];
    for (const [path, value] of level) {
      if (typeof value !== "object" || value === null || seen.has(value)) continue;
      seen.add(value);
      marks.set(path, value);
      if (restorables().some((one) => one.matches(value))) continue;
      const parts: [unknown, unknown][] = value instanceof Map
        ? [...value]
        : Array.isArray(value) || isPlain(value)
        ? Object.entries(value)
        : [];
      for (const [key, item] of parts) next.push([`${path}/${String(key)}`, item]);
    }
    level = next;
  }
  return marks;
}

/** Packs values that may share parts. */
export class Packer {
  /** Paths of marked objects, by what they were packed into. */
  readonly paths = new Map<object, string>();
  #folder: string;
  #folders = 0;
  #known = new Map<object, unknown>();
  #marked: Map<object, string>;

  /** @param folder Where restorables write. @param marks Objects that existed before. */
  constructor(folder: string, marks: Marks = new Map()) {
    this.#folder = folder;
    this.#marked = new Map([...marks].map(([path, value]) => [value, path]));
  }

  /**
   * Packs a value.
   *
   * @returns What `v8.serialize` takes.
   * @throws {TypeError} If a part of it cannot be kept; the message gives the reason.
   */
  async pack(value: unknown): Promise<unknown> {
    // A value that cannot be kept must not leave a partial entry that is used later.
    const before = new Map(this.#known);
    try {
      return await this.#pack(value);
    } catch (error) {
      this.#known = before;
      throw error;
    }
  }

  async #pack(value: unknown): Promise<unknown> {
    if (typeof value === "function") throw new TypeError("it is, or holds, a function");
    if (typeof value === "symbol") throw new TypeError("it is, or holds, a symbol");
    if (typeof value !== "object" || value === null) return value;
    if (this.#known.has(value)) return this.#known.get(value);
    const remember = <T extends object>(copy: T): T => {
      this.#known.set(value, copy);
      const path = this.#marked.get(value);
      if (path !== undefined) this.paths.set(copy, path);
      return copy;
    };
    const restorable = restorables().find((one) => one.matches(value));
    if (restorable !== undefined) {
      const folder = ++this.#folders;
      const standIn: StandIn = remember({ [STAND_IN]: restorable.kind, folder, data: undefined });
      standIn.data = await this.#pack(await restorable.save(value, `${this.#folder}/${folder}`));
      return standIn;
    }
    if (Array.isArray(value)) {
      const copy: unknown[] = remember(new Array(value.length));
      for (const key of Object.keys(value)) {
        copy[key as never] = await this.#pack(value[key as never]);
      }
      return copy;
    }
    if (value instanceof Map) {
      const copy = remember(new Map());
      for (const [key, item] of value) copy.set(await this.#pack(key), await this.#pack(item));
      return copy;
    }
    if (value instanceof Set) {
      const copy = remember(new Set());
      for (const item of value) copy.add(await this.#pack(item));
      return copy;
    }
    if (ArrayBuffer.isView(value) || CLONED.some((type) => value instanceof type)) {
      return remember(value);
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const name = prototype.constructor?.name ?? "a class";
      throw new TypeError(`it is, or holds, an instance of ${name}`);
    }
    const copy: Record<string, unknown> = remember({});
    for (const [key, item] of Object.entries(value)) copy[key] = await this.#pack(item);
    return copy;
  }
}

/** Unpacks what a {@linkcode Packer} has packed. */
export class Unpacker {
  #folder: string;
  #known = new Map<object, unknown>();
  #present: Map<object, object | undefined>;

  /**
   * @param folder Where restorables wrote.
   * @param paths Paths of marked objects, by what they were packed into.
   * @param marks The existing objects, which get the content of the kept objects with the same
   * path.
   */
  constructor(folder: string, paths: Map<object, string> = new Map(), marks: Marks = new Map()) {
    this.#folder = folder;
    this.#present = new Map([...paths].map(([packed, path]) => [packed, marks.get(path)]));
  }

  /** Unpacks a value. */
  async unpack(value: unknown): Promise<unknown> {
    if (typeof value !== "object" || value === null) return value;
    if (this.#known.has(value)) return this.#known.get(value);
    const present = this.#present.get(value);
    if (isStandIn(value)) {
      const restorable = restorables().find(({ kind }) => kind === value[STAND_IN]);
      if (restorable === undefined) {
        throw new TypeError(`nothing restores "${value[STAND_IN]}" any more`);
      }
      const made = await this.#restore(restorable, value, present);
      this.#known.set(value, made);
      return made;
    }
    const target = canFill(present, value) ? present : value;
    this.#known.set(value, target);
    if (Array.isArray(value)) {
      for (const key of Object.keys(value)) {
        value[key as never] = await this.unpack(value[key as never]) as never;
      }
    } else if (value instanceof Map) {
      const entries = [...value];
      value.clear();
      for (const [key, item] of entries) value.set(await this.unpack(key), await this.unpack(item));
    } else if (value instanceof Set) {
      const items = [...value];
      value.clear();
      for (const item of items) value.add(await this.unpack(item));
    } else if (isPlain(value)) {
      for (const [key, item] of Object.entries(value)) value[key] = await this.unpack(item);
    }
    if (target !== value) fill(target, value);
    return target;
  }

  async #restore(
    restorable: Restorable,
    { folder, data }: StandIn,
    present: unknown,
  ): Promise<unknown> {
    const filled = restorable.matches(present) ? present : undefined;
    return await restorable.restore(await this.unpack(data), `${this.#folder}/${folder}`, filled);
  }
}

function isStandIn(value: object): value is StandIn {
  return STAND_IN in value && "folder" in value && "data" in value;
}

/** Whether an object can receive the content of another. */
function canFill(present: unknown, content: object): present is object {
  if (ArrayBuffer.isView(content)) {
    return ArrayBuffer.isView(present) && present.constructor === content.constructor &&
      present.byteLength === content.byteLength;
  }
  return (Array.isArray(present) && Array.isArray(content)) ||
    (present instanceof Map && content instanceof Map) ||
    (present instanceof Set && content instanceof Set) ||
    (isPlain(present) && isPlain(content));
}

/** Copies the content of an object into another of the same kind. */
function fill(present: object, content: object) {
  if (ArrayBuffer.isView(present) && ArrayBuffer.isView(content)) {
    const bytes = (view: ArrayBufferView) =>
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    bytes(present).set(bytes(content));
  } else if (present instanceof Map && content instanceof Map) {
    present.clear();
    for (const [key, item] of content) present.set(key, item);
  } else if (present instanceof Set && content instanceof Set) {
    present.clear();
    for (const item of content) present.add(item);
  } else if (Array.isArray(present)) {
    present.length = 0;
    Object.assign(present, content);
    present.length = (content as unknown[]).length;
  } else {
    for (const key of Object.keys(present)) delete (present as Record<string, unknown>)[key];
    Object.assign(present, content);
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
