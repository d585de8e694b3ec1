/**
 * The student's end of the stand-ins: runs in the student's kernel, which may do with it what it
 * wants, since all that it can change is what its own functions return.
 *
 * It is loaded before the notebook, and keeps what it needs of the language: a notebook that replaces
 * `JSON` by mistake still gets its honest grade.
 *
 * @module
 */

import {
  decodeValue,
  encodeValue,
  loadCodecs,
  messageOf,
  type Reader,
  type Reference,
  type ValueCodec,
  type Writer,
} from "./codec.ts";
import {
  type Call,
  type FromStudent,
  MESSAGE_TYPE,
  type Named,
  NEXT,
  type Reply,
} from "./messages.ts";

/** The name under which cells of the grader find the bridge. */
export const BRIDGE = "__tunebook_bridge__";

const toText = Function.prototype.toString;
const { apply, construct } = Reflect;

/** Serves calls of the stand-ins. */
export class Bridge {
  readonly #post: (message: FromStudent) => void;
  readonly #writer: Writer;
  readonly #reader: Reader;
  #things = new Map<number, object>();
  #numbers = new WeakMap<object, number>();
  #count = 0;
  #serving?: { token: string; end: () => void };

  /**
   * @param codecs How more classes cross.
   * @param post Sends the grader a message.
   */
  constructor(codecs: readonly ValueCodec[], post: (message: FromStudent) => void) {
    this.#post = post;
    this.#writer = {
      codecs,
      refer: (thing) => this.#refer(thing),
      classesOf: (error) => this.#classesOf(error),
    };
    this.#reader = { codecs, resolve: ({ id }) => this.#thing(id) };
    globalThis.addEventListener("comm_msg", (event) => {
      const { content } = (event as CustomEvent).detail;
      if (content?.token !== this.#serving?.token || this.#serving === undefined) return;
      if (content.type === "end") this.#serving.end();
      else if (content.type === "call") this.#answer(content.token, content);
    });
  }

  /**
   * Sends the values of names, then answers calls until the grader ends it.
   *
   * @param token Marks the messages of this round.
   * @param names How to read each name.
   */
  async serve(token: string, names: Readonly<Record<string, () => unknown>>): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#serving = { token, end: ended.resolve };
    const values: Record<string, Named> = {};
    for (const [name, read] of Object.entries(names)) values[name] = await this.#named(read);
    this.#post({ type: "names", token, names: values });
    await ended.promise;
    this.#serving = undefined;
  }

  async #named(read: () => unknown): Promise<Named> {
    let value: unknown;
    try {
      value = read();
    } catch {
      return {}; // It was never declared, or not reached.
    }
    if (!(value instanceof Promise)) return this.#encoded(value, "text");
    try {
      return { ...this.#encoded(await value, "text"), promised: "kept" };
    } catch (error) {
      return { ...this.#encoded(error, "text"), promised: "broken" };
    }
  }

  async #answer(token: string, { call, id, member, action, args }: Call) {
    const send = (reply: Omit<Reply, "call">) =>
      this.#post({ type: "reply", token, call, ...reply });
    try {
      const thing = this.#thing(id);
      const given = decodeValue(args, this.#reader) as unknown[];
      const before = given.map((value) => this.#encoded(value, "value").value);
      let result: Omit<Reply, "call">;
      try {
        let value = this.#act(thing, member, action, given);
        if (isPromise(value)) {
          send({ promised: true });
          value = await value;
        }
        result = this.#encoded(value, "value");
      } catch (error) {
        result = this.#encoded(error, "thrown");
      }
      const mutated = given.flatMap((value, at) =>
        this.#encoded(value, "value").value === before[at] ? [] : [at]
      );
      send(mutated.length > 0 ? { ...result, mutated } : result);
    } catch (error) {
      send({ fault: messageOf(error) });
    }
  }

  // deno-lint-ignore no-explicit-any
  #act(thing: any, member: Call["member"], action: Call["action"], args: unknown[]): unknown {
    if (action === "new") return construct(thing, args);
    if (member === undefined) return apply(thing, undefined, args);
    if (member === NEXT) {
      const iterate = thing[Symbol.asyncIterator] ?? thing[Symbol.iterator];
      if (typeof iterate !== "function") throw new TypeError("The value is not iterable");
      return apply(iterate, thing, args);
    }
    if (action === "set") {
      thing[member] = args[0];
      return undefined;
    }
    const value = thing[member];
    if (action === "get") return value;
    if (typeof value !== "function") throw new TypeError(`The value has no method "${member}"`);
    return apply(value, thing, args);
  }

  #encoded<Key extends string>(
    value: unknown,
    key: Key,
  ): { [K in Key]?: string } & { fault?: string } {
    try {
      return { [key]: encodeValue(value, this.#writer) } as { [K in Key]?: string };
    } catch (error) {
      return { fault: messageOf(error) } as
        & { fault: string }
        & { [K in Key]?: string };
    }
  }

  #refer(thing: object): Reference {
    if (thing instanceof Promise) throw new TypeError("a promise cannot cross: await it");
    const isFunction = typeof thing === "function";
    const owner = isFunction ? thing : thing.constructor;
    return {
      id: this.#numberOf(thing),
      kind: !isFunction ? "instance" : isClass(thing) ? "class" : "function",
      name: String((owner as { name?: unknown } | undefined)?.name ?? "object"),
      classes: isFunction ? [] : this.#classesOf(thing),
    };
  }

  #thing(id: number): object {
    const thing = this.#things.get(id);
    if (thing === undefined) throw new TypeError("it is gone, since the kernel was restarted");
    return thing;
  }

  /** The number of something that stays here. */
  #numberOf(thing: object): number {
    let id = this.#numbers.get(thing);
    if (id === undefined) {
      this.#numbers.set(thing, id = ++this.#count);
      this.#things.set(id, thing);
    }
    return id;
  }

  #classesOf(thing: object): number[] {
    const classes: number[] = [];
    for (let at = Object.getPrototypeOf(thing); at !== null; at = Object.getPrototypeOf(at)) {
      const { value } = Object.getOwnPropertyDescriptor(at, "constructor") ?? {};
      if (typeof value === "function" && isClass(value)) classes.push(this.#numberOf(value));
    }
    return classes;
  }
}

/** Whether `await` would wait for a value. */
function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

function isClass(value: object): boolean {
  return /^class\b/.test(apply(toText, value, []));
}

/**
 * Opens the bridge in this kernel.
 *
 * @param modules URLs of modules that export `codecs`.
 */
export async function openBridge(modules: readonly string[]): Promise<void> {
  // deno-lint-ignore no-explicit-any
  const { broadcast } = (Deno as any).jupyter;
  const bridge = new Bridge(
    await loadCodecs(modules),
    (message) => void broadcast(MESSAGE_TYPE, message),
  );
  Object.defineProperty(globalThis, BRIDGE, { value: bridge });
}
