/**
 * What jinja2's `striptags` takes out of HTML and decodes in it, as markupsafe and Python's `html.unescape()` do.
 *
 * @module
 */

import { SPACES, strip } from "./methods.ts";
import { TemplateError } from "./values.ts";

/** Names that HTML takes without a semicolon, of the characters from 160 to 255 in their order. */
const LATIN = `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr
  deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest
  Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml
  ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig
  agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml
  eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml`
  .trim().split(/\s+/);

const NAMED: ReadonlyMap<string, string> = new Map([
  ...LATIN.map((name, i): [string, string] => [name, String.fromCharCode(160 + i)]),
  ...["amp&", "lt<", "gt>", 'quot"', "copy©", "reg®"].flatMap((pair): [string, string][] => {
    const [name, character] = [pair.slice(0, -1), pair.slice(-1)];
    return [[name, character], [name.toUpperCase(), character]];
  }),
]);

/** Takes comments and tags out of HTML, joins what white space separates by one space, and decodes its characters. */
export function stripTags(html: string): string {
  let result = "";
  let at = 0;
  for (let start = html.indexOf("<"); start >= 0; start = html.indexOf("<", at)) {
    const isComment = html.startsWith("<!--", start);
    const end = isComment ? html.indexOf("-->", start + 4) : html.indexOf(">", start);
    if (end < 0) break;
    result += html.slice(at, start);
    at = end + (isComment ? 3 : 1);
  }
  return unescape(strip(result + html.slice(at)).split(SPACES).join(" "));
}

function unescape(html: string): string {
  return html.replace(
    /&(#\d+;?|#[xX][\da-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g,
    (whole, reference: string) => {
      if (reference.startsWith("#")) return numbered(reference);
      const name = reference.replace(/;$/, "");
      if (NAMED.has(name)) return NAMED.get(name)!;
      if (reference.endsWith(";") && /^[A-Za-z]\w+$/.test(name)) {
        throw new TemplateError(`striptags does not know the character "${whole}"`);
      }
      for (let end = reference.length - 1; end > 1; end--) {
        const begun = NAMED.get(reference.slice(0, end));
        if (begun !== undefined) return begun + reference.slice(end);
      }
      return whole;
    },
  );
}

/** A character by its number, as HTML has it. */
function numbered(reference: string): string {
  const isHex = /^#x/i.test(reference);
  const code = parseInt(reference.slice(isHex ? 2 : 1), isHex ? 16 : 10);
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return "\ufffd";
  if (code >= 0x80 && code <= 0x9f) {
    return new TextDecoder("windows-1252").decode(Uint8Array.of(code));
  }
  // not characters: control characters but white space, and what Unicode reserves
  const isInvalid = (code < 0x20 && ![9, 10, 12, 13].includes(code)) || code === 0x7f ||
    (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
  return isInvalid ? "" : String.fromCodePoint(code);
}
