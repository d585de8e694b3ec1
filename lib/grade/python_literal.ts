/**
 * Python's literals, as configuration files hold them: strings, numbers, `True`, `False`, `None`, lists, tuples, dicts
 * and `dict(…)`. Nothing is evaluated.
 *
 * @module
 */

/**
 * Reads a literal from a Python program.
 *
 * @param text The program.
 * @param at Where the literal begins.
 * @returns Its value; lists and tuples as arrays, dicts as objects.
 * @throws {SyntaxError} If there is something else, such as a call, or more than a literal in its statement.
 */
export function readPythonLiteral(text: string, at = 0): unknown {
  const reader = new LiteralReader(text, at);
  const value = reader.value(0);
  reader.end();
  return value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": "",
  "0": "\0",
};
const STRING =
  /([rRuU]?)("""(?:[^\\]|\\[^])*?"""|'''(?:[^\\]|\\[^])*?'''|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')/y;
const NUMBER = /[-+]?(?:\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+)/y;
const NAME = /[A-Za-z_]\w*/y;
const MAX_DEPTH = 20;

class LiteralReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.#fault();
    this.#space(depth > 0);
    const first = this.#string();
    if (first !== undefined) {
      // Strings that follow each other are one.
      let whole = first;
      for (;;) {
        this.#space(depth > 0);
        const next = this.#string();
        if (next === undefined) return whole;
        whole += next;
      }
    }
    const number = this.#take(NUMBER);
    if (number !== undefined) return Number(number.replaceAll("_", ""));
    switch (this.#text[this.#at]) {
      case "[":
        return this.#items("]", depth);
      case "(": {
        const start = this.#at;
        const items = this.#items(")", depth);
        const isTuple = items.length !== 1 || /,\s*\)$/.test(this.#text.slice(start, this.#at));
        return isTuple ? items : items[0];
      }
      case "{":
        return this.#dict(depth);
    }
    const name = this.#take(NAME);
    if (name === "True") return true;
    if (name === "False") return false;
    if (name === "None") return null;
    if (name === "dict" && this.#text[this.#at] === "(") return this.#keywords(depth);
    throw this.#fault();
  }

  /** Nothing else may follow in the statement. */
  end(): void {
    this.#space(false);
    if (this.#at < this.#text.length && !/[\n\r;]/.test(this.#text[this.#at]!)) throw this.#fault();
  }

  #items(close: string, depth: number): unknown[] {
    return this.#list(close, () => this.value(depth + 1));
  }

  #dict(depth: number): Record<string, unknown> {
    const entries = this.#list("}", () => {
      const key = this.value(depth + 1);
      this.#space(true);
      this.#expect(":");
      return [String(key), this.value(depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  }

  #keywords(depth: number): Record<string, unknown> {
    const entries = this.#list(")", () => {
      const key = this.#take(NAME);
      if (key === undefined) throw this.#fault();
      this.#space(true);
      this.#expect("=");
      return [key, this.value(depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  }

  /** The items between the bracket here and the one that closes it. */
  #list<Item>(close: string, read: () => Item): Item[] {
    const items: Item[] = [];
    this.#at++;
    for (;;) {
      this.#space(true);
      if (this.#text[this.#at] === close) break;
      items.push(read());
      this.#space(true);
      if (this.#text[this.#at] !== ",") break;
      this.#at++;
    }
    this.#expect(close);
    return items;
  }

  #string(): string | undefined {
    STRING.lastIndex = this.#at;
    const found = STRING.exec(this.#text);
    if (found === null) return undefined;
    this.#at = STRING.lastIndex;
    const [, prefix, quoted] = found;
    const width = /^("""|''')/.test(quoted!) ? 3 : 1;
    const inner = quoted!.slice(width, -width);
    if (/r/i.test(prefix!)) return inner;
    return inner.replace(
      /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|([^]))/g,
      (all, byte, unit, letter) => {
        if (letter === undefined) return String.fromCharCode(parseInt(byte ?? unit, 16));
        return ESCAPES[letter] ?? all;
      },
    );
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Skips blanks and comments, and in brackets the ends of lines. */
  #space(inBrackets: boolean): void {
    const pattern = inBrackets ? /(?:\s|\\\r?\n|#[^\n]*)*/y : /(?:[ \t]|\\\r?\n|#[^\n]*)*/y;
    this.#take(pattern);
  }

  #expect(mark: string): void {
    if (this.#text[this.#at] !== mark) throw this.#fault();
    this.#at++;
  }

  #fault(): SyntaxError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new SyntaxError(`Cannot read the Python literal in line ${line}: it is not a literal`);
  }
}
