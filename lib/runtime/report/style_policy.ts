// What a notebook's own CSS may do in a report: colour and arrange its own output, nothing else.
// Style sheets are scoped to their output; nothing may fetch, cover the page, or escape its scope.

import postcss from "postcss";
import type { AtRule, ChildNode, Container, Declaration, Rule } from "postcss";

/** Longest style sheet that is looked at; a longer one is dropped. */
const MAX_SHEET = 200_000;

const ALLOWED_PROPERTIES = new RegExp(
  "^(?:" + [
    "--[a-z][\\w-]*",
    "(?:inline-|block-|min-|max-)?(?:width|height|inline-size|block-size)|(?:inline|block)-size",
    "(?:margin|padding)(?:-.+)?",
    "border(?:-.+)?|outline(?:-.+)?|box-(?:shadow|sizing|decoration-break)",
    "background(?:-color|-clip|-size|-position|-repeat|-image)?|color|opacity|accent-color",
    "font(?:-.+)?|text-.+|letter-spacing|word-(?:break|spacing|wrap)|overflow(?:-.+)?",
    "line-height|line-break|white-space(?:-collapse)?|hyphens|tab-size|vertical-align|direction|unicode-bidi",
    "writing-mode|quotes|content|list-style(?:-type|-position)?|caption-side|table-layout|empty-cells",
    "display|visibility|float|clear|position|top|right|bottom|left|inset(?:-.+)?|aspect-ratio",
    "flex(?:-.+)?|grid(?:-.+)?|order|gap|row-gap|column-gap|(?:align|justify|place)-(?:content|items|self)",
    "columns?(?:-.+)?|break-(?:after|before|inside)|page-break-(?:after|before|inside)|orphans|widows",
    "transform(?:-origin|-box)?|rotate|scale|translate|cursor|object-(?:fit|position)|filter|mix-blend-mode",
    "fill(?:-.+)?|stroke(?:-.+)?|stop-(?:color|opacity)|paint-order|text-anchor|dominant-baseline",
    "alignment-baseline|baseline-shift|(?:shape|text|image|color)-rendering|vector-effect|clip-(?:path|rule)",
    "mask|marker(?:-.+)?|color-scheme|print-color-adjust|-webkit-print-color-adjust",
  ].join("|") + ")$",
);

/** Anything that could load a resource, run script in an old browser, or hide one of these. */
const FORBIDDEN_VALUE =
  /[\\<{}@]|(?:^|[^\w-])(?:url|src|image|-?[a-z]*-?image-set|element|paint|-?[a-z]*-?cross-fade|expression)\s*\(|javascript:|vbscript:|-moz-binding|behavior/i;

const LOCAL_URL = /url\(\s*(["']?)#([\w.:-]+)\1\s*\)/gi;

const SELECTOR_CHARACTERS = /^[\w\s.#:>+~*()[\]="',|^$-]+$/;

/**
 * Gives ids that a notebook chose a prefix, so that they can neither collide with the report's own
 * nor shadow names in its scripts.
 *
 * @param id An id, as the notebook wrote it.
 * @param prefix The prefix of one output.
 * @returns The id to use in the report.
 */
export function scopedId(id: string, prefix: string): string {
  return `${prefix}-${id.replace(/[^\w.:-]/g, "-")}`;
}

/**
 * Rewrites references to an output's own ids, such as `url(#gradient)`.
 *
 * @param value An attribute's or a property's value.
 * @param prefix The prefix of the output's ids.
 * @returns The value with the ids rewritten.
 */
export function scopeLocalUrls(value: string, prefix: string): string {
  return value.replace(LOCAL_URL, (_, _quote, id: string) => `url(#${scopedId(id, prefix)})`);
}

/**
 * Filters a `style` attribute.
 *
 * @param style The attribute's value, from anyone.
 * @param prefix The prefix of the output's ids.
 * @returns The declarations that are allowed, possibly none.
 */
export function safeInlineStyle(style: string, prefix: string): string {
  // A table repeats a few styles in each of its cells; without addresses the prefix does not matter.
  const plain = style.length < 200 && !/url/i.test(style);
  const known = plain ? inlineStyles.get(style) : undefined;
  if (known !== undefined) return known;
  const safe = filterInlineStyle(style, prefix);
  if (plain) {
    if (inlineStyles.size >= MAX_KNOWN_STYLES) inlineStyles.clear();
    inlineStyles.set(style, safe);
  }
  return safe;
}

const inlineStyles = new Map<string, string>();
const MAX_KNOWN_STYLES = 1000;

function filterInlineStyle(style: string, prefix: string): string {
  let declarations: Declaration[];
  try {
    const root = postcss.parse(style);
    declarations = root.nodes.filter((node): node is Declaration => node.type === "decl");
  } catch {
    return "";
  }
  return declarations.map((declaration) => safeDeclaration(declaration, prefix))
    .filter((text) => text !== "").join(";");
}

/**
 * Filters a style sheet and scopes it to one output.
 *
 * Rules for `prefers-color-scheme` are made to follow the report's own theme switch too.
 *
 * @param css The style sheet, from anyone.
 * @param scope The id of the element that the sheet may style.
 * @param prefix The prefix of the output's ids.
 * @returns A style sheet that is safe in a `<style>` element, possibly empty.
 */
export function safeStyleSheet(css: string, scope: string, prefix: string): string {
  if (css.length > MAX_SHEET) return "";
  // Comment marks of old: <style><!-- … --></style>.
  const text = css.replace(/<!--|-->/g, "");
  try {
    return safeNodes(postcss.parse(text), `#${scope}`, prefix, 0);
  } catch {
    return "";
  }
}

function safeNodes(parent: Container<ChildNode>, scope: string, prefix: string, depth: number) {
  if (depth > 8) return "";
  let css = "";
  for (const node of parent.nodes ?? []) {
    if (node.type === "rule") css += safeRule(node, scope, prefix);
    else if (node.type === "atrule") css += safeAtRule(node, scope, prefix, depth);
  }
  return css;
}

function safeAtRule(rule: AtRule, scope: string, prefix: string, depth: number): string {
  if (!/^(?:media|supports|container)$/i.test(rule.name) || rule.nodes === undefined) return "";
  const condition = rule.params.replace(/\s+/g, " ").trim();
  if (!/^[\w\s():.,<>=/%-]*$/.test(condition) || /<[^=\s\d]/.test(condition)) return "";
  if (!balanced(condition)) return "";
  const theme = /^\(prefers-color-scheme: ?(dark|light)\)$/i.exec(condition)?.[1].toLowerCase();
  if (theme !== undefined && rule.name.toLowerCase() === "media") {
    const other = theme === "dark" ? "light" : "dark";
    const bySystem = safeNodes(
      rule,
      `:root:not([data-theme=${other}]) ${scope}`,
      prefix,
      depth + 1,
    );
    const bySwitch = safeNodes(rule, `:root[data-theme=${theme}] ${scope}`, prefix, depth + 1);
    // Paper is light.
    const onPaper = theme === "light"
      ? `@media print{${safeNodes(rule, scope, prefix, depth + 1)}}`
      : "";
    return `@media screen and ${condition}{${bySystem}}@media screen{${bySwitch}}${onPaper}`;
  }
  const inner = safeNodes(rule, scope, prefix, depth + 1);
  return inner === "" ? "" : `@${rule.name.toLowerCase()} ${condition}{${inner}}`;
}

function safeRule(rule: Rule, scope: string, prefix: string): string {
  const selectors = rule.selectors.map((selector) => safeSelector(selector.trim(), scope, prefix))
    .filter((selector) => selector !== undefined);
  // Nested rules are dropped: with `:is(body, &)` they could reach out of the scope.
  const declarations = rule.nodes.filter((node): node is Declaration => node.type === "decl")
    .map((declaration) => safeDeclaration(declaration, prefix)).filter((text) => text !== "");
  if (selectors.length === 0 || declarations.length === 0) return "";
  return `${selectors.join(",")}{${declarations.join(";")}}`;
}

function safeSelector(selector: string, scope: string, prefix: string): string | undefined {
  if (!SELECTOR_CHARACTERS.test(selector) || /^[>+~|]/.test(selector)) return undefined;
  if (!balanced(selector)) return undefined;
  if (/^(?::root|:host|html|body)$/i.test(selector)) return scope;
  const scoped = selector.replace(/#([\w-]+)/g, (_, id: string) => `#${scopedId(id, prefix)}`);
  return `${scope} ${scoped}`;
}

function safeDeclaration(declaration: Declaration, prefix: string): string {
  const property = declaration.prop.toLowerCase();
  if (!ALLOWED_PROPERTIES.test(property)) return "";
  const value = scopeLocalUrls(declaration.value.replace(/\s+/g, " "), prefix);
  const withoutLocal = value.replace(LOCAL_URL, "");
  if (FORBIDDEN_VALUE.test(withoutLocal) || withoutLocal.includes(";") || !balanced(value)) {
    return "";
  }
  if (property === "position" && !/^(?:static|relative|absolute)$/i.test(value.trim())) return "";
  return `${property}:${value}${declaration.important ? "!important" : ""}`;
}

/**
 * Whether brackets and quotes are closed, so that a browser ends the text at the same place as this
 * parser.
 */
function balanced(text: string): boolean {
  const open: string[] = [];
  let quote = "";
  for (const character of text) {
    if (quote !== "") {
      if (character === quote) quote = "";
      if (character === "\n") return false;
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "(") open.push(")");
    else if (character === "[") open.push("]");
    else if (character === ")" || character === "]") {
      if (open.pop() !== character) return false;
    }
  }
  return quote === "" && open.length === 0;
}
