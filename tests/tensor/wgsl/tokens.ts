// Divides WGSL into tokens, and reads them one after another.

/** A word, number or punctuation mark, and its line. */
export interface Token {
  readonly kind: "word" | "number" | "mark" | "end";
  readonly text: string;
  readonly line: number;
}

const PATTERN = new RegExp(
  [
    String.raw`(?<space>\s+|//.*)`,
    String.raw`(?<number>0[xX][\da-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?[fiu]?)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String
      .raw`(?<mark><<=|>>=|->|&&|\|\||\+\+|--|<<|>>|[-+*/%&|^<>=!]=|[-+*/%&|^~!<>=(){}[\],;:.@])`,
  ].join("|"),
  "y",
);

/**
 * Divides WGSL into tokens.
 *
 * @param wgsl The text.
 * @returns Its tokens, the last of which is its end.
 * @throws {SyntaxError} If the text contains anything else.
 */
export function tokensOf(wgsl: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (PATTERN.lastIndex = 0; PATTERN.lastIndex < wgsl.length;) {
    const at = PATTERN.lastIndex;
    const found = PATTERN.exec(wgsl);
    if (!found) throw new SyntaxError(`Cannot read WGSL at "${wgsl.slice(at, at + 20)}"`);
    const kind = (["number", "word", "mark"] as const).find((name) => found.groups![name]);
    if (kind) tokens.push({ kind, text: found[0], line });
    line += found[0].split("\n").length - 1;
  }
  tokens.push({ kind: "end", text: "", line });
  return tokens;
}

/** A position in a list of tokens. */
export class Cursor {
  /** Index of the next token. */
  at = 0;
  readonly #tokens: readonly Token[];

  /** @param tokens The tokens. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The next token. */
  get next(): Token {
    return this.#tokens[this.at];
  }

  /** Takes the next token. */
  take(): Token {
    return this.#tokens[this.at++];
  }

  /** Whether the next token is this one. */
  is(text: string): boolean {
    return this.next.text === text;
  }

  /** Takes the next token if it is this one, and returns whether it was. */
  skip(text: string): boolean {
    const found = this.is(text);
    if (found) this.at++;
    return found;
  }

  /** Takes the next token, which must be this one. */
  expect(text: string): void {
    if (!this.skip(text)) this.fail(`expected "${text}"`);
  }

  /** Takes a name. */
  name(): string {
    return this.next.kind === "word" ? this.take().text : this.fail("expected a name");
  }

  /** Skips everything up to and including the bracket that closes the last one. */
  skipToClose(open: string, close: string): void {
    for (let depth = 1; depth > 0; this.at++) {
      if (this.next.kind === "end") this.fail(`expected "${close}"`);
      if (this.is(open)) depth++;
      if (this.is(close)) depth--;
    }
  }

  /** Throws at the next token. */
  fail(reason: string): never {
    const { line, text } = this.next;
    throw new SyntaxError(`Cannot translate WGSL, line ${line}, at "${text}": ${reason}`);
  }
}
