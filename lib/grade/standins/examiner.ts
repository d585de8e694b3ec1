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
import { CALL, type Call, mutationOf, type Named, NEXT, type Reply } from "./messages.ts";

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
  /** Its number in the student's process. */
  readonly id: number;
  readonly kind: Reference["kind"];
  readonly classes: readonly number[];
}

/** The prototype of instances' stand-ins: they are not data. */
const INSTANCE = Object.freeze(Object.create(null));

/** Makes stand-ins, and passes their calls to the grader. */
export class Examiner {
  readonly #codecs: readonly ValueCodec[];
  readonly #call: (content: { call: number } & Record<string, unknown>) => Reply;
  /** Calls that have returned a promise which is not settled. */
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
   * @param call Sends the grader a call, and waits for its reply.
   */
  constructor(
    codecs: readonly ValueCodec[],
    call: (content: { call: number } & Record<string, unknown>) => Reply,
  ) {
    this.#codecs = codecs;
    this.#call = call;
  }

  /** Takes the result of a promise. */
  #settle(reply: Reply): void {
    this.#waiting.get(reply.call)?.(reply);
    this.#waiting.delete(reply.call);
  }

  /** Takes a message of the grader. */
  take(content: { type: string; token?: string } & Record<string, unknown>): void {
    if (content.type === "settled") this.#settle(content as unknown as Reply);
    else if (content.type === "names") {
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
  #write(args: readonly unknown[], what: string): string {
    const writer: Writer = {
      codecs: this.#codecs,
      refer: (thing) => {
        const id = this.#standIns.get(thing)?.id;
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

  /** Asks the student's process; gives a promise where its code does. */
  #ask(
    id: number,
    request: { member?: string; action: Call["action"]; args: readonly unknown[] },
    what: string,
  ): unknown {
    const token = this.#token;
    let args: string;
    try {
      args = this.#write(request.args, what);
    } catch (error) {
      throw this.#refuse((error as Error).message);
    }
    const call = ++this.#calls;
    const reply = this.#call({ ...request, type: "call", token, call, id, args, what });
    if (!reply.promised) return this.#result(reply, what);
    const settled = Promise.withResolvers<Reply>();
    this.#waiting.set(call, settled.resolve);
    return settled.promise.then((late) => this.#result(late, what));
  }

  #result({ value, thrown, fault, mutated = [] }: Reply, what: string): unknown {
    if (mutated.length > 0 && this.#strict) {
      const places = mutated.map((at) => at + 1).join(", ");
      throw this.#refuse(`${mutationOf(what, places)}: let it return a new value`);
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
    const call = ++this.#calls;
    this.#call({ type: "refused", token: this.#token, call, text });
    return new TypeError(text);
  }

  #resolve({ id, kind, name, classes }: Reference): unknown {
    let made = this.#made.get(id);
    if (made === undefined) {
      if (kind === "function") made = this.#function(id, name);
      else if (kind === "class") made = this.#class(id, name);
      else made = this.#instance(id, name);
      this.#standIns.set(made, { id, kind, classes: kind === "instance" ? classes : [] });
      this.#made.set(id, made);
    }
    return made;
  }

  #function(id: number, name: string): object {
    const call = (...args: unknown[]) => this.#ask(id, { action: "call", args }, `"${name}"`);
    return Object.defineProperty(call, "name", { value: name, configurable: true });
  }

  #class(id: number, name: string): object {
    const target = function () {};
    Object.defineProperty(target, "name", { value: name, configurable: true });
    return new Proxy(target, {
      construct: (_, args) => {
        const made = this.#ask(id, { action: "new", args }, `"new ${name}"`);
        if (typeof made === "object" && made !== null) return made;
        throw this.#refuse(`"new ${name}" gave no instance`);
      },
      apply: () => {
        throw new TypeError(`Class constructor ${name} cannot be invoked without "new"`);
      },
      get: (_, key) => {
        if (key === Symbol.hasInstance) return (value: unknown) => this.#isInstance(value, id);
        if (typeof key === "symbol" || key === "then" || key === "prototype") return undefined;
        if (key === "name") return name;
        return this.#member(id, key, name);
      },
      set: (_, key, value) => this.#set(id, key, value, name),
    });
  }

  #isInstance(value: unknown, classId: number): boolean {
    const thing = value as object;
    const classes = this.#standIns.get(thing)?.classes ?? this.#errors.get(thing) ?? [];
    return classes.includes(classId);
  }

  #instance(id: number, name: string): object {
    const proxy: object = new Proxy(Object.create(INSTANCE), {
      get: (_, key) => {
        if (key === Symbol.iterator) return () => this.#iterate(id, name);
        if (key === Symbol.asyncIterator) return () => this.#iterateLater(id, name);
        if (key === Symbol.toStringTag) return name;
        if (typeof key === "symbol" || key === "then") return undefined;
        return this.#member(id, key, name);
      },
      set: (_, key, value) => this.#set(id, key, value, name),
      defineProperty: () => false,
      deleteProperty: () => false,
    });
    this.#foreign.add(proxy);
    return proxy;
  }

  /** A property, or a method that knows its object. */
  #member(id: number, member: string, name: string): unknown {
    const what = `"${name}.${member}"`;
    const value = this.#ask(id, { member, action: "get", args: [] }, what);
    if (this.#standIns.get(value as object)?.kind !== "function") return value;
    return (...args: unknown[]) => this.#ask(id, { member, action: "call", args }, what);
  }

  #set(id: number, key: string | symbol, value: unknown, name: string): boolean {
    if (typeof key === "symbol") return false;
    this.#ask(id, { member: key, action: "set", args: [value] }, `"${name}.${key}"`);
    return true;
  }

  // deno-lint-ignore no-explicit-any
  #iterator(id: number, name: string): any {
    return this.#ask(id, { member: NEXT, action: "call", args: [] }, `the items of ${name}`);
  }

  *#iterate(id: number, name: string): Generator<unknown> {
    const iterator = this.#iterator(id, name);
    for (let { done, value } = iterator.next(); !done; { done, value } = iterator.next()) {
      yield value;
    }
  }

  async *#iterateLater(id: number, name: string): AsyncGenerator<unknown> {
    const iterator = this.#iterator(id, name);
    while (true) {
      const { done, value } = await iterator.next();
      if (done) return;
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
  // A test may declare the name for itself.
  const ask = globalThis.prompt.bind(globalThis);
  const examiner = new Examiner(await loadCodecs(modules), (content) => {
    // The protocol's only message on which the kernel's thread waits, as a test that awaits nothing must.
    const reply = ask(CALL + JSON.stringify(content));
    return reply === null
      ? { call: content.call, fault: "its test is over" } // It calls from a timer.
      : JSON.parse(reply);
  });
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
