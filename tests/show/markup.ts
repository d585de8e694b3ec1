/** A strict reader of our own markup: any text that got out of its place makes it fail. */

import { AssertionError } from "@std/assert";

const voidElements = new Set(["br", "wbr", "img"]);

const allowed = new Set(
  ("div span svg g path text title img style script table caption thead tbody tr th td details " +
    "summary b sup br wbr mark").split(" "),
);

const attributes =
  /^(?:class|style|title|role|alt|src|type|scope|tabindex|viewBox|width|height|xmlns|x|y|d|fill|stroke|transform|shape-rendering|opacity|data-label|(?:aria|fill|stroke|font|text)-[a-z]+)$/;

/**
 * Asserts that HTML is well formed, has only elements and attributes that this library writes, and
 * nothing that runs, fetches or leads away.
 *
 * @param html What a view made.
 * @returns Its text, elements left out.
 */
export function assertSoundHtml(html: string): string {
  const open: string[] = [];
  let text = "";
  let at = 0;
  const fail = (why: string): never => {
    throw new AssertionError(`${why} at ${at}: ${JSON.stringify(html.slice(at, at + 120))}`);
  };
  while (at < html.length) {
    if (html[at] !== "<") {
      const end = html.indexOf("<", at) < 0 ? html.length : html.indexOf("<", at);
      const piece = html.slice(at, end);
      if (piece.includes(">")) fail("A stray >");
      if (/&(?!(?:amp|lt|gt|quot|#39|nbsp);)/.test(piece)) fail("A stray &");
      // deno-lint-ignore no-control-regex
      if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/u.test(piece)) {
        fail("A character that XML forbids");
      }
      text += piece;
      at = end;
      continue;
    }
    const tag = /^<(\/?)([a-z]+)((?:\s+[A-Za-z-]+="[^"<]*")*)\s*(\/?)>/.exec(html.slice(at));
    if (!tag) return fail("Not a tag of ours");
    const [whole, closing, name, rest, selfClosing] = tag;
    if (!allowed.has(name)) fail(`Unexpected element "${name}"`);
    if (closing) {
      if (open.pop() !== name) fail(`Misplaced </${name}>`);
    } else {
      for (const [, attribute, value] of rest.matchAll(/([A-Za-z-]+)="([^"]*)"/g)) {
        if (!attributes.test(attribute)) fail(`Unexpected attribute "${attribute}"`);
        if (attribute === "src" && !value.startsWith("data:image/svg+xml,")) fail("A foreign src");
        if (attribute === "style" && /url|import|expression/i.test(value)) {
          fail("A style that fetches");
        }
      }
      if (name === "script" || name === "style") {
        const end = html.indexOf(`</${name}>`, at);
        const inside = html.slice(at + whole.length, end);
        if (inside.includes("</")) fail(`A ${name} that ends early`);
        if (name === "style" && /url\(|@import/i.test(inside)) fail("A style that fetches");
        at = end + name.length + 3;
        continue;
      }
      if (!selfClosing && !voidElements.has(name)) open.push(name);
    }
    at += whole.length;
  }
  if (open.length > 0) throw new AssertionError(`Left open: ${open.join(", ")}`);
  return text;
}

/** Undoes {@link https://developer.mozilla.org/docs/Glossary/Character_reference} as this library writes them. */
export function unescapeHtml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'").replaceAll("&nbsp;", "\u00a0").replaceAll("&amp;", "&");
}
