// Mathematics in Markdown: `$…$`, `$$…$$` and `\begin{align}…\end{align}` become MathML, which
// browsers draw by themselves and screen readers read; no fonts, no scripts, no network.

import katex from "katex";
import type MarkdownIt from "markdown-it";

type Parser = InstanceType<typeof MarkdownIt>;

/** Longest formula that is typeset; KaTeX's time grows faster than the length. */
const MAX_FORMULA = 5000;
/** Longest formula that may define macros: each use inserts the definition again. */
const MAX_WITH_MACROS = 500;
const DEFINITION = /\\(?:[gex]?def|(?:re)?newcommand|providecommand|let|futurelet|global|long)\b/;
/** More formulas in one text are shown as they were written. */
const MAX_FORMULAS = 2000;

/**
 * Typesets one formula.
 *
 * @param tex TeX, from anyone.
 * @param display Whether it is on a line of its own.
 * @returns MathML, or the TeX as code if it cannot be typeset. Nothing in it is a link or loads
 * anything.
 */
export function renderMath(tex: string, display: boolean): string {
  if (tex.length <= (DEFINITION.test(tex) ? MAX_WITH_MACROS : MAX_FORMULA)) {
    try {
      const html = katex.renderToString(tex, {
        output: "mathml",
        displayMode: display,
        throwOnError: true,
        strict: "ignore",
        trust: false,
        maxExpand: 500,
        maxSize: 20,
      });
      const mathml = alignColumns(drawVariants(html));
      return display ? `<div class="math-display">${mathml}</div>` : mathml;
    } catch { /* Wrong TeX, or nesting that exhausts the stack: shown as it was written. */ }
  }
  const code = `<code class="math-error">${escapeText(tex)}</code>`;
  return display ? `<p>${code}</p>` : code;
}

/**
 * A markdown-it plug-in that recognises formulas and hands them to {@linkcode renderMath}.
 *
 * As in Pandoc, an opening `$` has no blank after it, and a closing one no blank before it and no
 * digit after it, so that "$5 and $6" is about money.
 *
 * @param markdown The parser to extend.
 */
export function mathPlugin(markdown: Parser): void {
  markdown.inline.ruler.before("escape", "math", (state, silent) => {
    const { src, pos } = state;
    if (src[pos] === "$") {
      const display = src[pos + 1] === "$";
      const mark = display ? "$$" : "$";
      const start = pos + mark.length;
      const end = display ? src.indexOf("$$", start) : endOfInline(src, start, state.posMax);
      if (end < 0 || end + mark.length > state.posMax || src.slice(start, end).trim() === "") {
        return false;
      }
      if (!silent) {
        const token = state.push("math", "math", 0);
        token.content = src.slice(start, end);
        token.meta = { display };
      }
      state.pos = end + mark.length;
      return true;
    }
    const environment = environmentAt(src, pos);
    if (environment === undefined || pos + environment.length > state.posMax) return false;
    if (!silent) {
      const token = state.push("math", "math", 0);
      token.content = environment;
      token.meta = { display: true };
    }
    state.pos = pos + environment.length;
    return true;
  });

  markdown.block.ruler.before("fence", "math_block", (state, startLine, endLine, silent) => {
    const start = state.bMarks[startLine] + state.tShift[startLine];
    const dollars = state.src.startsWith("$$", start);
    if (!dollars && !state.src.startsWith("\\begin{", start)) return false;
    if (state.sCount[startLine] - state.blkIndent >= 4) return false;
    const limit = state.eMarks[endLine - 1];
    const environment = dollars ? undefined : environmentAt(state.src, start);
    const close = dollars ? state.src.indexOf("$$", start + 2) : -1;
    const end = dollars ? close + 2 : start + (environment?.length ?? -1);
    if ((dollars && close < 0) || (!dollars && environment === undefined) || end > limit) {
      return false;
    }
    if (dollars && state.src.slice(start + 2, close).trim() === "") return false;
    let line = startLine;
    while (line < endLine && state.eMarks[line] < end) line++;
    // Text after the formula on its last line: leave it to the inline rule.
    if (state.src.slice(end, state.eMarks[line]).trim() !== "") return false;
    if (silent) return true;
    const token = state.push("math", "math", 0);
    token.content = dollars ? state.src.slice(start + 2, close) : environment!;
    token.meta = { display: true };
    token.block = true;
    state.line = line + 1;
    return true;
  }, { alt: ["paragraph", "reference", "blockquote", "list"] });

  markdown.renderer.rules.math = (tokens, index, _options, env) => {
    const { content, meta } = tokens[index];
    const counts = env as { formulas?: number };
    counts.formulas = (counts.formulas ?? 0) + 1;
    if (counts.formulas > MAX_FORMULAS) return `<code>${escapeText(content)}</code>`;
    return renderMath(content.trim(), (meta as { display: boolean }).display);
  };
}

function endOfInline(src: string, start: number, max: number): number {
  if (/\s/.test(src[start] ?? " ")) return -1;
  for (let i = start; i < max; i++) {
    if (src[i] === "\\") i++;
    else if (src[i] === "$") {
      if (/\s/.test(src[i - 1]) || /\d/.test(src[i + 1] ?? "")) return -1;
      return i;
    } else if (src[i] === "\n" && src[i + 1] === "\n") return -1;
  }
  return -1;
}

/** The environment that begins at a place, from `\begin{name}` to its `\end{name}`. */
function environmentAt(src: string, position: number): string | undefined {
  if (!src.startsWith("\\begin{", position)) return undefined;
  const name = /^\\begin\{([a-zA-Z]{1,20}\*?)\}/.exec(src.slice(position, position + 32))?.[1];
  if (name === undefined) return undefined;
  const end = environmentEnd(src, name, position);
  return end < 0 ? undefined : src.slice(position, end + name.length + 6);
}

/** Names of environments that end nowhere after a place in the text that was searched last. */
let endless = { src: "", after: new Map<string, number>() };

function environmentEnd(src: string, name: string, position: number): number {
  if (endless.src !== src) endless = { src, after: new Map() };
  if (position >= (endless.after.get(name) ?? Infinity)) return -1;
  const end = src.indexOf(`\\end{${name}}`, position);
  if (end < 0) endless.after.set(name, position);
  return end;
}

// MathML Core dropped `mathvariant` but for "normal", so letters that have characters of their own
// get them here; bold, italic and sans serif are left to the style sheet, which needs no such font.
const VARIANTS: Record<string, { upper: number; lower?: number; digit?: number; holes: string }> = {
  "double-struck": { upper: 0x1d538, lower: 0x1d552, digit: 0x1d7d8, holes: "CℂHℍNℕPℙQℚRℝZℤ" },
  script: { upper: 0x1d49c, lower: 0x1d4b6, holes: "BℬEℰFℱHℋIℐLℒMℳRℛeℯgℊoℴ" },
  fraktur: { upper: 0x1d504, lower: 0x1d51e, holes: "CℭHℌIℑRℜZℨ" },
};

function drawVariants(mathml: string): string {
  return mathml.replace(
    /<(mi|mn|mo|mtext) mathvariant="(double-struck|script|fraktur)">([A-Za-z0-9]+)</g,
    (_, tag: string, variant: string, text: string) =>
      `<${tag} mathvariant="normal">${[...text].map((c) => drawVariant(c, variant)).join("")}<`,
  );
}

function drawVariant(character: string, name: string): string {
  const variant = VARIANTS[name];
  const hole = variant.holes.indexOf(character);
  if (hole >= 0) return [...variant.holes][[...variant.holes].indexOf(character) + 1];
  const code = character.charCodeAt(0);
  if (code >= 97) {
    return variant.lower ? String.fromCodePoint(variant.lower + code - 97) : character;
  }
  if (code >= 65) return String.fromCodePoint(variant.upper + code - 65);
  return variant.digit ? String.fromCodePoint(variant.digit + code - 48) : character;
}

// MathML Core dropped `columnalign` and `columnspacing` too; cells carry styles instead.
function alignColumns(mathml: string): string {
  if (!mathml.includes("<mtable")) return mathml;
  const tables: { align: string[]; spacing: string[]; column: number }[] = [];
  return mathml.replace(/<(\/?)(mtable|mtr|mtd)\b([^>]*)>/g, (tag, close, name, attributes) => {
    if (name === "mtable") {
      if (close) tables.pop();
      else {
        const list = (attribute: string) =>
          new RegExp(`${attribute}="([^"]*)"`).exec(attributes)?.[1].trim().split(/\s+/) ?? [];
        tables.push({ align: list("columnalign"), spacing: list("columnspacing"), column: -1 });
      }
      return tag;
    }
    const table = tables.at(-1);
    if (table === undefined || close) return tag;
    if (name === "mtr") {
      table.column = -1;
      return tag;
    }
    const column = ++table.column;
    // The last entry of a list holds for all columns after it.
    const align = table.align[column] ?? table.align.at(-1) ?? "center";
    const before = column === 0 ? "0" : table.spacing[column - 1] ?? table.spacing.at(-1) ?? "1em";
    if (!/^(?:left|right|center)$/.test(align) || !/^[\d.]+(?:em|ex|px|pt)?$/.test(before)) {
      return tag;
    }
    return `<mtd style="text-align:${align};padding-left:${before};padding-right:0"${attributes}>`;
  });
}

function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
