/**
 * The examiner's end of the stand-ins: runs in the grader's own kernel, in which there is nobody's
 * code but the instructor's, and makes what stands for the student's names.
 *
 * @module
 */

import {
  decodeValue,
  encodeValue,
  loadCodecs,
  type Reader,
  type Reference,
  type ValueCodec,
  type Writer,
} from "./codec.ts";
import { type Call, MESSAGE_TYPE, type Named, NEXT, type Reply } from "./messages.ts";

/** The name under which cells of the grader find the examiner. */
export const EXAMINER = "__tunebook_examiner__";

/** The MIME type under which a test's last value leaves the examiner. */
export const SCORE_MIME = "application/vnd.tunebook.score+json";

/** A test's last value, if it is a score. */
export interface Score {
  readonly points: number;
  readonly message?: string;
}

/** What a stand-in is one of. */
interface StandIn {
  /** Its number in the student's process, once it is known. */
  readonly id: Promise<number>;
  readonly classes: readonly number[];
}

/** The prototype of instances' stand-ins: they are not data. */
const INSTANCE = Object.freeze(Object.create(null));

/** Makes stand-ins, and passes their calls to the grader. */
export class Examiner {
  readonly #codecs: readonly ValueCodec[];
  readonly #post: (content: Record<string, unknown>) => void;
  #waiting = new Map<number, (reply: Reply) => void>();
  #calls = 0;
  #token = "";
  /** Whether a changed argument is an error: so it is when an assignment is released. */
  #strict = false;
  /** Stand-ins by their numbers, so that the same thing is the same here. */
  #made = new Map<number, object>();
  #standIns = new WeakMap<object, StandIn>();
  /** The classes of errors that have come from the student. */
  #errors = new WeakMap<object, readonly number[]>();
  /** All objects that have come from the student: none of them is a score. */
  #foreign = new WeakSet<object>();
  #names: Record<string, unknown> = {};
  #heard: PromiseWithResolvers<void> = Promise.withResolvers();

  /**
   * @param codecs How more classes cross.
   * @param post Sends the grader a message.
   */
  constructor(codecs: readonly ValueCodec[], post: (content: Record<string, unknown>) => void) {
    this.#codecs = codecs;
    this.#post = post;
  }

  /** Takes a message of the grader. */
  take(content: { type: string; token?: string } & Record<string, unknown>): void {
    if (content.type === "reply" && content.token === this.#token) {
      this.#waiting.get(content.call as number)?.(content as unknown as Reply);
      this.#waiting.delete(content.call as number);
    } else if (content.type === "names") {
      this.#token = content.token!;
      this.#strict = content.strict === true;
      this.#waiting.clear();
      this.#made.clear();
      this.#define(content.names as Record<string, Named>, content.declared as string[]);
      this.#heard.resolve();
    }
  }

  /** Waits until the names of a test are there. */
  async heard(token: string): Promise<void> {
    while (this.#token !== token) {
      this.#heard = Promise.withResolvers();
      await this.#heard.promise;
    }
  }

  /** The values of names that a test has declared itself before, to be declared again. */
  get names(): Record<string, unknown> {
    return this.#names;
  }

  /** A test's last value as a score; undefined if it is none, or comes from the student. */
  scoreOf(value: unknown): Score | undefined {
    if (typeof value === "number") return { points: value };
    if (typeof value !== "object" || value === null || this.#foreign.has(value)) return undefined;
    const { points, message } = value as { points?: unknown; message?: unknown };
    if (typeof points !== "number") return undefined;
    if (message === undefined) return { points };
    // Not an object: it may come from the student, and have no text.
    return { points, message: Object(message) === message ? "" : String(message) };
  }

  #define(names: Record<string, Named>, declared: readonly string[]) {
    this.#names = {};
    for (const [name, given] of Object.entries(names)) {
      const isDeclared = declared.includes(name);
      if (given.text === undefined && given.fault === undefined) {
        // A test that uses it fails as it would in the notebook.
        if (isDeclared) this.#names[name] = undefined;
        else delete (globalThis as Record<string, unknown>)[name];
        continue;
      }
      let value: unknown;
      let fault = given.fault;
      try {
        if (fault === undefined) value = this.#read(given.text!);
      } catch (error) {
        fault = (error as Error).message;
      }
      if (fault !== undefined) {
        const reason = `The value of "${name}" cannot be tested: ${fault}`;
        Object.defineProperty(globalThis, name, {
          configurable: true,
          get: () => {
            throw this.#refuse(reason);
          },
          set: (value) => Object.defineProperty(globalThis, name, { value, configurable: true }),
        });
        continue;
      }
      if (given.promised === "kept") value = Promise.resolve(value);
      else if (given.promised === "broken") {
        value = Promise.reject(value);
        (value as Promise<never>).catch(() => {});
      }
      if (isDeclared) this.#names[name] = value;
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }

  // ---- Values ----

  #read(text: string): unknown {
    const value = decodeValue(text, this.#reader);
    this.#mark(value);
    return value;
  }

  #mark(value: unknown) {
    const next = [value];
    for (let item = next.pop();; item = next.pop()) {
      if (typeof item === "object" && item !== null && !this.#foreign.has(item)) {
        this.#foreign.add(item);
        if (!this.#standIns.has(item) && !ArrayBuffer.isView(item)) {
          const parts = item instanceof Map
            ? [item.keys(), item.values()]
            : [item instanceof Set ? item : Object.values(item)];
          for (const some of parts) for (const part of some) next.push(part);
        }
      }
      if (next.length === 0) break;
    }
  }

  get #reader(): Reader {
    return {
      codecs: this.#codecs,
      resolve: (reference) => this.#resolve(reference),
      onError: (error, classes) => void this.#errors.set(error, classes),
    };
  }

  /** Writes arguments; a stand-in goes back as what it stands for. */
  async #write(args: readonly unknown[], what: string): Promise<string> {
    // Instances that are being made have no number before they are.
    const numbers = new Map<object, number>();
    const find = async (value: unknown, depth: number): Promise<void> => {
      const thing = value as object;
      const standIn = this.#standIns.get(thing);
      if (standIn !== undefined) numbers.set(thing, await standIn.id);
      else if (depth > 0 && typeof value === "object" && value !== null) {
        const isList = Array.isArray(value) || value instanceof Set;
        const isPlain = Object.getPrototypeOf(value) === Object.prototype;
        const parts = value instanceof Map
          ? [...value.values()]
          : isList
          ? value
          : isPlain
          ? Object.values(value)
          : [];
        for (const part of parts) {
          if (typeof part === "object" || typeof part === "function") await find(part, depth - 1);
        }
      }
    };
    for (const value of args) await find(value, 8);
    const writer: Writer = {
      codecs: this.#codecs,
      refer: (thing) => {
        const id = numbers.get(thing);
        if (id !== undefined) return { id, kind: "instance", name: "", classes: [] };
        const kind = typeof thing === "function"
          ? "a function"
          : thing instanceof Promise
          ? "a promise"
          : `an instance of ${thing.constructor?.name ?? "a class"}`;
        throw new TypeError(`${kind} cannot cross into the student's process`);
      },
      classesOf: () => [],
    };
    try {
      return encodeValue(args, writer);
    } catch (error) {
      throw new TypeError(`Cannot call ${what} from a test: ${(error as Error).message}`);
    }
  }

  // ---- Calls ----

  async #ask(
    standIn: Promise<number>,
    request: { member?: string; action: Call["action"]; args: readonly unknown[] },
    what: string,
  ): Promise<unknown> {
    const token = this.#token;
    const id = await standIn;
    let args: string;
    try {
      args = await this.#write(request.args, what);
    } catch (error) {
      throw this.#refuse((error as Error).message);
    }
    if (token !== this.#token) throw new Error(`Cannot call ${what}: its test is over`);
    const call = ++this.#calls;
    const heard = Promise.withResolvers<Reply>();
    this.#waiting.set(call, heard.resolve);
    const { member, action } = request;
    this.#post({ type: "call", token, call, id, member, action, args, what });
    const { value, thrown, fault, mutated = [] } = await heard.promise;
    if (mutated.length > 0) {
      const places = mutated.map((at) => at + 1).join(", ");
      const changed = `${what} changed its argument ${places} in place, which no test can see`;
      if (this.#strict) throw this.#refuse(`${changed}: let it return a new value`);
      this.#post({ type: "note", token, text: changed });
    }
    const sent = thrown ?? value;
    let read: unknown;
    try {
      if (sent === undefined) throw new TypeError(fault ?? "it sent no value");
      read = this.#read(sent);
    } catch (error) {
      const reason = (error as Error).message;
      throw this.#refuse(`${what} gave nothing that can be tested: ${reason}`);
    }
    if (thrown !== undefined) throw read;
    return read;
  }

  /**
   * The error of what cannot cross. The grader hears it too, and the test has failed: it may expect an
   * error, and this one is not the student's.
   */
  #refuse(text: string): TypeError {
    this.#post({ type: "refused", token: this.#token, text });
    return new TypeError(text);
  }

  #resolve(reference: Reference): unknown {
    const { id, kind, name, classes } = reference;
    let made = this.#made.get(id);
    if (made === undefined) {
      const number = Promise.resolve(id);
      if (kind === "function") made = this.#function(number, name);
      else if (kind === "class") made = this.#class(id, name);
      else made = this.#instance(number, name, classes);
      this.#made.set(id, made);
    }
    return made;
  }

  #function(id: Promise<number>, name: string): object {
    const call = (...args: unknown[]) => this.#ask(id, { action: "call", args }, `"${name}"`);
    Object.defineProperty(call, "name", { value: name, configurable: true });
    this.#standIns.set(call, { id, classes: [] });
    return call;
  }

  #class(id: number, name: string): object {
    const number = Promise.resolve(id);
    const target = function () {};
    Object.defineProperty(target, "name", { value: name, configurable: true });
    const proxy = new Proxy(target, {
      construct: (_, args) => {
        const made = this.#ask(number, { action: "new", args }, `"new ${name}"`);
        made.catch(() => {}); // Its first use tells.
        const instance = made.then((value) => {
          const standIn = this.#standIns.get(value as object);
          if (standIn === undefined) throw this.#refuse(`"new ${name}" gave no instance`);
          return standIn.id;
        });
        instance.catch(() => {});
        return this.#instance(instance, name, [id], made);
      },
      apply: () => {
        throw new TypeError(`Class constructor ${name} cannot be invoked without "new"`);
      },
      get: (_, key) => {
        if (key === Symbol.hasInstance) return (value: unknown) => this.#isInstance(value, id);
        if (typeof key === "symbol" || key === "then" || key === "prototype") return undefined;
        if (key === "name") return name;
        return this.#member(number, key, `${name}.${key}`);
      },
    });
    this.#standIns.set(proxy, { id: number, classes: [] });
    return proxy;
  }

  #isInstance(value: unknown, classId: number): boolean {
    const thing = value as object;
    const classes = this.#standIns.get(thing)?.classes ?? this.#errors.get(thing) ?? [];
    return classes.includes(classId);
  }

  /** @param made Settles when the instance has been made, if that is under way. */
  #instance(
    id: Promise<number>,
    name: string,
    classes: readonly number[],
    made?: Promise<unknown>,
  ): object {
    const proxy: object = new Proxy(Object.create(INSTANCE), {
      get: (_, key) => {
        if (key === Symbol.asyncIterator) return () => this.#iterate(id, name);
        if (key === Symbol.toStringTag) return name;
        if (typeof key === "symbol") return undefined;
        if (key === "then") return made && made.then.bind(made);
        return this.#member(id, key, `${name}.${key}`);
      },
      set: (_, key) => {
        throw new TypeError(`Cannot set "${String(key)}" of an instance of ${name} from a test`);
      },
      defineProperty: () => false,
      deleteProperty: () => false,
    });
    this.#standIns.set(proxy, { id, classes });
    this.#foreign.add(proxy);
    return proxy;
  }

  /** A member: called, it is a method; awaited, a property. */
  #member(id: Promise<number>, member: string, what: string): object {
    const name = `"${what}"`;
    const call = (...args: unknown[]) => this.#ask(id, { member, action: "call", args }, name);
    return Object.assign(call, {
      then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) =>
        this.#ask(id, { member, action: "get", args: [] }, name).then(resolve, reject),
    });
  }

  async *#iterate(id: Promise<number>, name: string): AsyncGenerator<unknown> {
    // deno-lint-ignore no-explicit-any
    const iterator: any = await this.#ask(
      id,
      { member: NEXT, action: "call", args: [] },
      `the items of ${name}`,
    );
    while (true) {
      const { done, value } = await iterator.next();
      if (done) return value;
      yield value;
    }
  }
}

/**
 * Opens the examiner in this kernel.
 *
 * @param modules URLs of modules that export `codecs`.
 */
export async function openExaminer(modules: readonly string[]): Promise<void> {
  // deno-lint-ignore no-explicit-any
  const { jupyter } = Deno as any;
  const examiner = new Examiner(
    await loadCodecs(modules),
    (content) => void jupyter.broadcast(MESSAGE_TYPE, content),
  );
  globalThis.addEventListener("comm_msg", (event) => {
    examiner.take((event as CustomEvent).detail.content);
  });
  const format = jupyter.format.bind(jupyter);
  jupyter.format = async (value: unknown) => {
    const score = examiner.scoreOf(value);
    if (score === undefined) return await format(value);
    const points = Number.isFinite(score.points) ? score.points : String(score.points);
    return { [SCORE_MIME]: { ...score, points } };
  };
  Object.defineProperty(globalThis, EXAMINER, { value: examiner });
}
