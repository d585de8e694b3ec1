// The tokens of TypeScript code with their positions, for matching two forms of the same code.

import { parseTypeScript } from "./parse_typescript.ts";

/** A token. */
export interface Token {
  /** Equal for tokens with the same meaning, regardless of their quotes. */
  key: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/**
 * Splits TypeScript into tokens; comments, and punctuation that printers add or drop, are left out.
 *
 * @param source The text.
 * @returns The tokens; undefined if the text has a syntax error.
 */
export function tokenize(source: string): Token[] | undefined {
  // deno-lint-ignore no-explicit-any
  let tokens: any[];
  try {
    const options = { tokens: true, errorRecovery: true, allowReturnOutsideFunction: true };
    // deno-lint-ignore no-explicit-any
    tokens = (parseTypeScript(source, options) as any).tokens;
  } catch {
    return undefined;
  }
  return tokens.flatMap((token) => {
    if (token.type === "CommentLine" || token.type === "CommentBlock") return [];
    const label: string = token.type.label ?? "";
    if (/^[();,]$/.test(label) || label === "eof") return [];
    const key = token.value === undefined
      ? label
      : `${label} ${String(token.value?.value ?? token.value)}`;
    return [{ key, line: token.loc.start.line, column: token.loc.start.column + 1 }];
  });
}
