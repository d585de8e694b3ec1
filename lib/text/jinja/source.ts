/**
 * A template's text as tokens for the parser of `@huggingface/jinja`. What stands between tags, and how tags strip the
 * white space around them, is decided here as jinja2 decides it (with `trim_blocks` and `lstrip_blocks`, as transformers
 * sets both); the library's tokenizer reads what is within a tag.
 *
 * @module
 */

import { tokenize } from "@huggingface/jinja";

/** A token of the library's. */
export interface Token {
  value: string;
  type: string;
}

/** transformers' mark around what an assistant said. */
const GENERATION = /^\s*(end)?generation\s*$/;

/** Statements whose ends are checked here: those that the parser sees as loops, loops, and others with names of their own. */
const FOLLOWED = ["for", "with", "generation", "autoescape", "block", "macro", "call", "filter"];

const OPENINGS = /\{(?:%|\{|#)/g;
/** What a tag does to the white space before it: takes all, takes an indent that only it follows, or leaves it. */
type Before = "all" | "indent" | "none";

/** What a tag does to the white space after it: takes all, takes one line end, or leaves it. */
type After = "all" | "newline" | "none";

/**
 * Splits a template into tokens.
 *
 * @param source The template.
 * @returns The tokens.
 * @throws {SyntaxError} If a tag is not closed.
 */
export function tokensOf(source: string): Token[] {
  const text = source.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const tokens: Token[] = [];
  let at = 0;
  let after: After = "none";
  const open: string[] = [];
  const blocks = new Map<string, boolean>();
  const pushText = (end: number, before: Before) => {
    const value = stripped(text.slice(at, end), at === 0, after, before);
    if (value !== "") tokens.push({ value, type: "Text" });
  };
  for (;;) {
    OPENINGS.lastIndex = at;
    const opening = OPENINGS.exec(text);
    if (!opening) {
      pushText(text.length, "none");
      if (open.length > 0) throw new SyntaxError(`"{% ${open.at(-1)} %}" is not closed`);
      return tokens;
    }
    const [mark] = opening;
    const tag = tagAt(text, opening.index, mark);
    pushText(opening.index, mark === "{{" && tag.before === "indent" ? "none" : tag.before);
    at = tag.end;
    after = mark === "{{" && tag.after === "newline" ? "none" : tag.after;
    if (mark === "{%" && tag.content.trim() === "raw") {
      if (after === "newline") after = "none";
      const end = rawEnd(text, at);
      pushText(end.index, STRIP_BEFORE[end[1] as Sign]);
      after = STRIP_AFTER[end[2] as Sign];
      at = end.index + end[0].length;
    } else if (mark === "{%") {
      follow(open, tag.content);
      followBlock(tag.content, open, blocks);
      const generation = GENERATION.exec(tag.content);
      const content = !generation
        ? tag.content
        : generation[1]
        ? "endfor"
        : `for ${GENERATION_VARIABLE} in []`;
      tokens.push(...tagTokens(content, "{%", "%}"));
    } else if (mark === "{{") tokens.push(...tagTokens(tag.content, "{{", "}}"));
  }
}

/** Keeps the statements that are open; refuses an end that is not that of the innermost. */
function follow(open: string[], content: string): void {
  const [name = ""] = /^\w+/.exec(content.trim()) ?? [];
  if (FOLLOWED.includes(name)) open.push(name);
  if (!name.startsWith("end") || !FOLLOWED.includes(name.slice(3))) return;
  if (open.pop() !== name.slice(3)) throw new SyntaxError(`"{% ${name} %}" closes nothing`);
}

/**
 * Checks a block, which stays where it is written, since no template extends another here. Within a loop, macro or block it
 * would not see the names of these unless it is scoped.
 *
 * @param content The tag.
 * @param open The statements that are open, this one included.
 * @param blocks The blocks so far, and whether each is open.
 */
function followBlock(content: string, open: readonly string[], blocks: Map<string, boolean>): void {
  const [, isEnd, rest = ""] = /^\s*(end)?block(?!\w)(.*)$/s.exec(content) ?? [];
  const [name = "", modifier] = rest.trim().split(/\s+/);
  if (isEnd) {
    const innermost = Array.from(blocks.keys()).findLast((each) => blocks.get(each))!;
    blocks.set(innermost, false);
    if (name !== "" && name !== innermost) {
      throw new SyntaxError(`"{% endblock ${name} %}" closes the block "${innermost}"`);
    }
  } else if (/^\s*block(?!\w)/.test(content)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new SyntaxError(`"${name}" is not a name of a block`);
    if (blocks.has(name)) throw new SyntaxError(`the block "${name}" is defined twice`);
    blocks.set(name, true);
    if (modifier !== undefined && modifier !== "scoped") {
      throw new SyntaxError(`the block "${name}" is "${modifier}", which is not supported`);
    }
    const around = open.slice(0, -1).findLast((each) => each !== "generation");
    if (modifier === undefined && around !== undefined) {
      throw new SyntaxError(`the block "${name}" is within "{% ${around} %}", expected it scoped`);
    }
  }
}

/** A text without the white space that the tags around it take. */
function stripped(data: string, first: boolean, after: After, before: Before): string {
  let kept = data;
  if (after === "all") kept = data.trimStart();
  else if (after === "newline" && data.startsWith("\n")) kept = data.slice(1);
  if (before === "all") return kept.trimEnd();
  if (before === "none") return kept;
  const taken = data.slice(0, data.length - kept.length);
  const line = kept.lastIndexOf("\n") + 1;
  const atLineStart = line > 0 || first || taken.endsWith("\n");
  return atLineStart && kept.slice(line).trim() === "" ? kept.slice(0, line) : kept;
}

type Sign = "-" | "+" | "";
const STRIP_BEFORE: Readonly<Record<Sign, Before>> = { "-": "all", "+": "none", "": "indent" };
const STRIP_AFTER: Readonly<Record<Sign, After>> = { "-": "all", "+": "none", "": "newline" };

/** The tag that begins at a place: what is in it, its signs, where it ends. */
function tagAt(
  text: string,
  start: number,
  mark: string,
): { content: string; before: Before; after: After; end: number } {
  const signAt = (index: number): Sign =>
    text[index] === "-" || text[index] === "+" ? text[index] as Sign : "";
  const opens = signAt(start + 2);
  const inner = start + 2 + opens.length;
  const end = mark === "{#"
    ? text.indexOf("#}", inner)
    : closingOf(text, inner, mark === "{%" ? "%}" : "}}");
  if (end < 0) throw new SyntaxError(`the tag "${mark}" is not closed`);
  const sign = end > inner ? signAt(end - 1) : "";
  const closes = mark === "{{" && sign === "+" ? "" : sign;
  return {
    content: text.slice(inner, end - closes.length),
    before: STRIP_BEFORE[opens],
    after: STRIP_AFTER[closes],
    end: end + 2,
  };
}

/** Where a raw block ends. */
function rawEnd(text: string, start: number): RegExpExecArray {
  const end = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
  end.lastIndex = start;
  const found = end.exec(text);
  if (!found) throw new SyntaxError('"{% raw %}" is not closed');
  return found;
}

/** Where a tag ends: strings and brackets within it may hold what looks like an end. */
function closingOf(text: string, start: number, closing: string): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const character = text[i]!;
    if (character === "'" || character === '"') {
      for (i++; i < text.length && text[i] !== character; i++) if (text[i] === "\\") i++;
    } else if (text.startsWith(closing, i) && (closing === "%}" || depth === 0)) return i;
    else if (character === "{") depth++;
    else if (character === "}") depth--;
  }
  return -1;
}

function tagTokens(content: string, opening: string, closing: string): Token[] {
  // a line end within a tag is white space; one at its end is not the template's
  const read = tokenize(`${opening} ${content} ${closing}`) as Token[];
  if (read.at(-1)?.value !== closing) throw new SyntaxError(`a tag "${opening}" is not closed`);
  const joined = joinExponents(read);
  assertLiterals(joined.slice(1, -1));
  const tokens = rewriteParentheses(joined);
  if (opening === "{%") return rewriteStatement(tokens);
  const inner = tokens.slice(1, -1);
  if (splitAtCommas(inner).length < 2) return rewriteTests(tokens);
  return rewriteTests([tokens[0]!, ...TUPLE_OPEN, ...inner, ...TUPLE_CLOSE, tokens.at(-1)!]);
}

/**
 * Refuses what the library reads and jinja2 does not: whole numbers that JavaScript rounds, and items of a list without
 * commas between.
 */
function assertLiterals(tokens: readonly Token[]): void {
  let depth = 0;
  for (const [i, { type, value }] of tokens.entries()) {
    if (type === "NumericLiteral" && /^\d+$/.test(value) && !Number.isSafeInteger(Number(value))) {
      throw new SyntaxError(`the whole number ${value} is too large for a template`);
    }
    const before = tokens[i - 1];
    const isWord = type === "Identifier" && !WITHIN.includes(value);
    const begins = isWord || type === "NumericLiteral" || type === "OpenCurlyBracket" ||
      (type === "StringLiteral" && before?.type !== "StringLiteral");
    const test = ["is", "not"].includes(tokens[i - 2]?.value ?? "");
    if (depth > 0 && begins && before && !test && endsOperand(before)) {
      throw new SyntaxError(`a comma was expected before "${value}"`);
    }
    if (/^Open/.test(type)) depth++;
    if (/^Close/.test(type)) depth--;
  }
}

/** Words between operands. */
const WITHIN = ["and", "or", "not", "in", "is", "if", "else"];

function endsOperand({ type, value }: Token): boolean {
  return /Literal$/.test(type) || /^Close(Paren|Square|Curly)/.test(type) ||
    (type === "Identifier" && !WITHIN.includes(value));
}

/** Joins `1`, `e5`, which the library takes as two tokens, to `1.0e5`. */
function joinExponents(tokens: readonly Token[]): Token[] {
  const result: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { value, type } = tokens[i]!;
    const word = tokens[i + 1]?.type === "Identifier" ? tokens[i + 1]!.value : "";
    if (type !== "NumericLiteral" || !/^e\d*$/i.test(word)) {
      result.push(tokens[i]!);
      continue;
    }
    const float = value.includes(".") ? value : `${value}.0`;
    if (word.length > 1) {
      result.push({ value: float + word, type });
      i += 1;
    } else {
      // `1e-5`: the sign may stand with the digits or apart
      const rest = tokens[i + 2]?.type === "NumericLiteral" ? 1 : 2;
      const exponent = tokens.slice(i + 2, i + 2 + rest).map((token) => token.value).join("");
      if (!/^[-+]\d+$/.test(exponent)) {
        throw new SyntaxError(`the number "${value}e" has no exponent`);
      }
      result.push({ value: `${float}e${exponent}`, type });
      i += 1 + rest;
    }
  }
  return result;
}

/**
 * Rewrites parentheses that group, not those of calls: `(a,)` and `()`, which the library's parser does not know, become
 * `([a] | __tuple__)`; `(a < b)` becomes `((a < b) | __group__)`, so that `(a < b) == c` is told from `a < b == c`.
 */
function rewriteParentheses(tokens: readonly Token[]): Token[] {
  const result: Token[] = [];
  const opens: number[] = [];
  for (const token of tokens) {
    if (token.type === "OpenParen") opens.push(result.length);
    const open = token.type === "CloseParen" ? opens.pop() : undefined;
    if (open === undefined || isCall(result[open - 1])) {
      result.push(token);
      continue;
    }
    const inner = result.slice(open + 1);
    if (inner.length === 0 || inner.at(-1)!.type === "Comma") {
      result.splice(open, 1, ...TUPLE_OPEN);
      result.push(...TUPLE_CLOSE);
    } else if (isComparison(inner)) {
      result.splice(open, 0, result[open]!);
      result.push(token, PIPE, { value: GROUP_FILTER, type: "Identifier" }, token);
    } else result.push(token);
  }
  return result;
}

/** Whether a parenthesis after a token begins a call's arguments, rather than an expression. */
function isCall(before: Token | undefined): boolean {
  if (before?.type === "Identifier") return !OPERATORS.includes(before.value);
  return before?.type === "CloseParen" || before?.type === "CloseSquareBracket";
}

/**
 * Rewrites statements that the library does not know: `with a = 1` becomes a loop over one item, and so do `block` and
 * `autoescape false`; `do x` becomes an assignment to a name that nobody reads, `filter a | b` a set block that is printed,
 * a recursive loop one that sets a name first.
 */
function rewriteStatement(tokens: Token[]): Token[] {
  const [open, name, ...rest] = tokens as [Token, Token, ...Token[]];
  const close = rest.at(-1)!;
  const word = (value: string): Token => ({ value, type: "Identifier" });
  const withoutNames = [open, word("for"), word(WITH_VARIABLE), word("in"), ...EMPTY_LIST, close];
  switch (name.value) {
    case "set":
      if (CONSTANTS.includes(rest[0]?.value ?? "") && rest[0]!.type === "Identifier") {
        throw new SyntaxError(`"${rest[0]!.value}" cannot be set`);
      }
      return rewriteTests(tokens);
    case "do":
      return [open, word("set"), word("__do__"), EQUALS, ...rewriteTests(rest)];
    case "filter":
      return [open, word("set"), word(FILTER_VARIABLE), PIPE, ...rewriteTests(rest)];
    case "endfilter":
      return [
        ...[open, word("endset"), ...rest],
        { value: "{{", type: "OpenExpression" },
        word(FILTER_VARIABLE),
        { value: "}}", type: "CloseExpression" },
      ];
    case "for": {
      const isRecursive = rest.at(-2)?.type === "Identifier" && rest.at(-2)!.value === "recursive";
      if (!isRecursive || rest.at(-3)?.value === "in") {
        return rewriteTests(tokens);
      }
      const mark = [open, word("set"), word(RECURSIVE_VARIABLE), EQUALS, word("true"), close];
      return [...rewriteTests([open, name, ...rest.slice(0, -2), close]), ...mark];
    }
    case "autoescape":
      if (!["false", "False"].includes(rest[0]!.value) || rest.length > 2) {
        throw new SyntaxError('"autoescape" is supported only as "{% autoescape false %}"');
      }
      return withoutNames;
    case "block":
      return withoutNames;
    case "endwith":
    case "endautoescape":
    case "endblock":
      return [open, word("endfor"), close];
    case "with": {
      const assignments = splitAtCommas(rest.slice(0, -1));
      if (assignments.length === 0) return withoutNames;
      const targets = assignments.map((part) => part.slice(0, 1));
      const values = assignments.map((part) => {
        if (part[1]?.type !== "Equals") throw new SyntaxError('"with" takes names and values');
        return rewriteTests(part.slice(2));
      });
      return [
        ...withoutNames,
        open,
        word("set"),
        ...withCommas(targets),
        EQUALS,
        ...withCommas(values),
        close,
      ];
    }
    default:
      return rewriteTests(tokens);
  }
}

const CONSTANTS = ["none", "true", "false", "None", "True", "False"];
const COMMA: Token = { value: ",", type: "Comma" };
const EQUALS: Token = { value: "=", type: "Equals" };
const EMPTY_LIST: readonly Token[] = [
  { value: "[", type: "OpenSquareBracket" },
  { value: "]", type: "CloseSquareBracket" },
];

function splitAtCommas(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [];
  let depth = 0;
  for (const token of tokens) {
    if (/^Open/.test(token.type)) depth++;
    if (/^Close/.test(token.type)) depth--;
    if (parts.length === 0) parts.push([]);
    if (depth === 0 && token.type === "Comma") parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

function withCommas(parts: readonly (readonly Token[])[]): Token[] {
  return parts.flatMap((part, i) => i === 0 ? part : [COMMA, ...part]);
}

const LITERALS = ["StringLiteral", "NumericLiteral", "Identifier"];
const OPENERS = ["OpenSquareBracket", "OpenCurlyBracket"];

/** Name of the filter that stands for a test. */
export const TEST_FILTER = "__test__";

/** Name of the filter that marks an expression in parentheses, so that `(a < b) == c` is told from `a < b == c`. */
export const GROUP_FILTER = "__group__";

/** Name of the filter that makes a tuple of a list. */
export const TUPLE_FILTER = "__tuple__";

const PIPE: Token = { value: "|", type: "Pipe" };
const TUPLE_OPEN: readonly Token[] = [
  { value: "(", type: "OpenParen" },
  { value: "[", type: "OpenSquareBracket" },
];
const TUPLE_CLOSE: readonly Token[] = [
  { value: "]", type: "CloseSquareBracket" },
  PIPE,
  { value: TUPLE_FILTER, type: "Identifier" },
  { value: ")", type: "CloseParen" },
];

/** Name of the loop variable that stands for `generation`. */
export const GENERATION_VARIABLE = "__generation__";

/** Name that a loop sets first if it is recursive. */
export const RECURSIVE_VARIABLE = "__recursive__";

/** Name of what `filter` writes. */
const FILTER_VARIABLE = "__filter__";

/** Name of the loop variable that stands for `with`, and for what else only has names of its own. */
export const WITH_VARIABLE = "__with__";

/**
 * Rewrites `x is not divisibleby 3` into a filter, `x | __test__("divisibleby", true, 3)`, which binds as tests do: the
 * library's parser knows tests without arguments only.
 */
function rewriteTests(tokens: Token[]): Token[] {
  const result: Token[] = [];
  const token = (value: string, type: string): Token => ({ value, type });
  for (let i = 0; i < tokens.length; i++) {
    const current = tokens[i]!;
    const isTest = current.type === "Identifier" && current.value === "is" && i > 1 &&
      tokens[i - 1]!.type !== "Dot";
    if (!isTest) {
      result.push(current);
      continue;
    }
    let next = i + 1;
    const negated = tokens[next]?.value === "not" && tokens[next]?.type === "Identifier";
    if (negated) next++;
    const name = tokens[next++];
    if (name?.type !== "Identifier") {
      throw new SyntaxError('a test\'s name was expected after "is"');
    }
    result.push(
      token("|", "Pipe"),
      token(TEST_FILTER, "Identifier"),
      token("(", "OpenParen"),
      token(name.value, "StringLiteral"),
      token(",", "Comma"),
      token(negated ? "true" : "false", "Identifier"),
    );
    const follows = tokens[next];
    if (follows?.type === "OpenParen") {
      const end = closingBracket(tokens, next);
      if (end > next + 1) {
        result.push(token(",", "Comma"), ...rewriteTests(tokens.slice(next + 1, end)));
      }
      next = end + 1;
    } else if (follows && isOperand(follows)) {
      const end = operandEnd(tokens, next);
      result.push(token(",", "Comma"), ...rewriteTests(tokens.slice(next, end)));
      next = end;
    }
    result.push(token(")", "CloseParen"));
    i = next - 1;
  }
  return result;
}

/** Whether tokens are a comparison, not within brackets of their own. */
function isComparison(tokens: readonly Token[]): boolean {
  if (splitAtCommas(tokens).length > 1) return false;
  let depth = 0;
  return tokens.some(({ type, value }) => {
    if (/^Open/.test(type)) depth++;
    if (/^Close/.test(type)) depth--;
    return depth === 0 &&
      (type === "ComparisonBinaryOperator" || (type === "Identifier" && value === "in"));
  });
}

/** Words after which a parenthesis begins an expression, not a call. */
const OPERATORS = ["and", "or", "not", "in", "is", "if", "elif", "else", "set", "for", "do"];

/** Whether a token begins the argument of a test that has no parentheses. */
function isOperand({ type, value }: Token): boolean {
  if (type === "Identifier") {
    // As in jinja2, which takes any other word for the argument, and then fails at these.
    if (["if", "in", "is", "not"].includes(value)) {
      throw new SyntaxError(`"${value}" cannot follow a test: put the test in parentheses`);
    }
    return !["else", "or", "and"].includes(value);
  }
  return LITERALS.includes(type) || OPENERS.includes(type);
}

/** One past a primary expression: a literal or name with what is subscripted or called of it. */
function operandEnd(tokens: readonly Token[], start: number): number {
  let at = OPENERS.includes(tokens[start]!.type) ? closingBracket(tokens, start) + 1 : start + 1;
  for (;;) {
    const type = tokens[at]?.type;
    if (type === "Dot") at += 2;
    else if (type === "OpenSquareBracket" || type === "OpenParen") {
      at = closingBracket(tokens, at) + 1;
    } else return at;
  }
}

function closingBracket(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (/^Open(Paren|SquareBracket|CurlyBracket)$/.test(tokens[i]!.type)) depth++;
    if (/^Close(Paren|SquareBracket|CurlyBracket)$/.test(tokens[i]!.type)) depth--;
    if (depth === 0) return i;
  }
  throw new SyntaxError("a bracket is not closed");
}
