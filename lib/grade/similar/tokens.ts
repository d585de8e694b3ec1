// Submissions as tokens that survive what a copier changes first: names, literals, comments and
// layout in code; case and punctuation in text.

import { parseTypeScript } from "../../runtime/parse_typescript.ts";

/** A token with its place. */
export interface PlacedToken {
  /** Equal for tokens that stand for the same. */
  readonly key: string;
  /** Where it begins in the source, in UTF-16 units. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

/** What ends statements and separates items, which formatters add and drop. */
const SEPARATORS = new Set([";", ","]);

const KEYWORDS = new Set(
  ("break case catch class const continue debugger default delete do else export extends finally for " +
    "function if import in instanceof new return super switch this throw try typeof var void while with")
    .split(" "),
);

/** Ways to declare a variable are exchanged without another thought. */
const DECLARATIONS = new Set(["let", "var", "const"]);

/** For code that does not parse. Every alternative takes linear time, unclosed comments included. */
const LEXER =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\[\s\S])*(?:`|$)|\d[\w.]*|[\p{ID_Start}$_#][\p{ID_Continue}$]*|=>|\.\.\.|[-+*/%&|^!<>=?]+|./gsu;

/**
 * Splits code into tokens: every name is the same, and so is every literal.
 *
 * @param source TypeScript or JavaScript, from anyone; it need not parse.
 * @returns The tokens in their order.
 */
export function codeTokens(source: string): PlacedToken[] {
  let tokens: BabelToken[];
  try {
    const options = { tokens: true, errorRecovery: true, allowReturnOutsideFunction: true };
    tokens = (parseTypeScript(source, options) as unknown as { tokens: BabelToken[] }).tokens;
  } catch {
    return lexedTokens(source);
  }
  return tokens.flatMap((token) => {
    if (typeof token.type === "string") return []; // a comment
    const { label, keyword } = token.type;
    const { start, end } = token;
    const text = source.slice(start, end);
    if (label === "eof" || SEPARATORS.has(text)) return [];
    return [{ key: keyOf(text, label, keyword), start, end }];
  });
}

/** What this module reads of a token of Babel's. */
interface BabelToken {
  readonly type: string | { readonly label: string; readonly keyword?: string };
  readonly start: number;
  readonly end: number;
}

function keyOf(text: string, label: string, keyword: string | undefined): string {
  if (/^(?:string|num|bigint|regexp|null|true|false)$/.test(label)) return "literal";
  if (/^\.\.\.[`$]|`/.test(label)) return "template";
  if (DECLARATIONS.has(text)) return "const";
  if (keyword !== undefined) return keyword;
  return /^#?name$/.test(label) ? "name" : text;
}

function lexedTokens(source: string): PlacedToken[] {
  const tokens: PlacedToken[] = [];
  for (const match of source.matchAll(LEXER)) {
    const [text] = match;
    if (/^(?:\s|\/\/|\/\*)/.test(text) || SEPARATORS.has(text)) continue;
    tokens.push({ key: lexedKey(text), start: match.index, end: match.index + text.length });
  }
  return tokens;
}

function lexedKey(text: string): string {
  if (/^["'\d]|^(?:null|true|false)$/.test(text)) return "literal";
  if (text.startsWith("`")) return "template";
  if (DECLARATIONS.has(text)) return "const";
  if (KEYWORDS.has(text)) return text;
  return /^[\p{ID_Start}$_#]/u.test(text) ? "name" : text;
}

/**
 * Splits text into its words, without case, accents' forms and punctuation.
 *
 * @param source Text or Markdown.
 * @returns The words in their order.
 */
export function textTokens(source: string): PlacedToken[] {
  return Array.from(source.matchAll(/[\p{L}\p{M}\p{N}]+/gu), (match) => ({
    key: match[0].normalize("NFKC").toLowerCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
}
