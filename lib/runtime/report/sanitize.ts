// Makes a stranger's HTML, SVG and MathML safe to put in a report: known elements and attributes
// only, no script, nothing fetched, styles and ids confined to the output they come from. The
// page's content policy forbids script and network besides; this is the first of two fences.

// @ts-types="npm:@types/sanitize-html@2.16.2"
import sanitize from "sanitize-html";
import { escapeHtml } from "./html.ts";
import { safeInlineStyle, safeStyleSheet, scopedId, scopeLocalUrls } from "./style_policy.ts";

/** How to treat one piece of HTML. */
export interface SanitizeOptions {
  /** Prefix for ids, unique to the output. */
  prefix: string;
  /** Id of the element that will hold the HTML; its style sheets apply inside only. */
  scope?: string;
  /** Whether headings stay headings. In outputs they become paragraphs that look alike, so that the page's outline is the notebook's. */
  headings?: boolean;
  /** The data URL of a file attached to the cell. */
  attachment?: (name: string) => string | undefined;
}

/** HTML that may be put in a report. */
export interface SafeHtml {
  html: string;
  /** Scoped style sheets, to be put in one `<style>` before the HTML. */
  css: string;
  /** Whether nothing that can be seen is left. */
  empty: boolean;
}

// The sanitiser looks names up from the first on: those of long tables and drawings come first.
const HTML_TAGS =
  ("td tr th span div p b circle path rect g text a abbr address article aside bdi bdo blockquote br caption center cite code col colgroup " +
    "data dd del details dfn dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header " +
    "hr i img ins kbd li main mark meter nav ol pre progress q rp rt ruby s samp section small " +
    "strong style sub summary sup table tbody tfoot thead time tt u ul var wbr")
    .split(
      " ",
    );

// SVG names keep their capitals in some parsers and lose them in others; browsers put them right.
const SVG_TAGS =
  "svg g defs symbol use title desc path rect circle ellipse line polyline polygon " +
  "text tspan textPath image linearGradient radialGradient stop clipPath mask pattern marker " +
  "filter feGaussianBlur feOffset feMerge feMergeNode feBlend feColorMatrix feFlood feComposite";

const MATH_TAGS =
  ("math semantics annotation mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub " +
    "msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr " +
    "mstyle mpadded mphantom merror menclose").split(" ");

const TAGS = [
  ...HTML_TAGS,
  ...SVG_TAGS.split(" "),
  ...SVG_TAGS.toLowerCase().split(" "),
  ...MATH_TAGS,
];

const ATTRIBUTES =
  ("class id style title lang dir role tabindex width height align valign colspan rowspan scope headers " +
    "start type reversed value max min low high optimum open datetime cite href src alt color face size " +
    "bgcolor border cellpadding cellspacing abbr " +
    "xmlns viewbox viewBox preserveaspectratio preserveAspectRatio version d x y x1 y1 x2 y2 dx dy cx cy r " +
    "rx ry fx fy points transform rotate textlength textLength lengthadjust lengthAdjust pathlength pathLength " +
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset " +
    "stroke-linecap stroke-linejoin stroke-miterlimit opacity font-family font-size font-weight font-style " +
    "font-variant letter-spacing word-spacing text-anchor text-decoration dominant-baseline " +
    "alignment-baseline baseline-shift visibility display overflow paint-order vector-effect " +
    "shape-rendering text-rendering image-rendering clip-path clip-rule mask marker-start marker-mid " +
    "marker-end offset stop-color stop-opacity gradientunits gradientUnits gradienttransform " +
    "gradientTransform spreadmethod spreadMethod clippathunits clipPathUnits maskunits maskUnits " +
    "patternunits patternUnits patterncontentunits patternContentUnits patterntransform patternTransform " +
    "markerwidth markerWidth markerheight markerHeight markerunits markerUnits refx refX refy refY orient " +
    "filter filterunits filterUnits in in2 result mode operator stddeviation stdDeviation values " +
    "flood-color flood-opacity xlink:href " +
    "display displaystyle scriptlevel mathvariant mathsize mathcolor mathbackground stretchy symmetric fence " +
    "separator lspace rspace minsize maxsize largeop movablelimits accent accentunder linethickness " +
    "columnalign rowalign columnspacing rowspacing columnlines rowlines frame depth voffset notation " +
    "encoding aria-label aria-labelledby aria-describedby aria-hidden aria-level aria-valuenow " +
    "aria-valuemin aria-valuemax aria-valuetext aria-sort aria-colcount aria-rowcount").split(" ");

const ROLES = new Set(
  ("img list listitem table row cell rowgroup columnheader rowheader note presentation none group " +
    "graphics-document graphics-object graphics-symbol figure math progressbar meter separator term definition")
    .split(" "),
);

const LANDMARKS = new Set(["main", "nav", "header", "footer", "aside", "article", "section"]);

const SAFE_IMAGE =
  /^data:image\/(?:png|jpe?g|gif|webp|avif|bmp|svg\+xml)(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=\s%]*$/i;
const SAFE_SVG_TEXT = /^data:image\/svg\+xml(?:;[\w=.-]+)*,/i;

/** Attributes whose values may refer to the output's own ids. */
const REFERENCES = new Set(["aria-labelledby", "aria-describedby", "headers"]);

/**
 * Says whether an address may be the target of a link: http, https, mailto, a place in this page,
 * or a file beside it. Following it needs a click in any case.
 *
 * @param href The address, from anyone.
 * @returns Whether the link may stay.
 */
export function isSafeLink(href: string): boolean {
  // Browsers ignore control characters and blanks inside a scheme, and read \ as /.
  // deno-lint-ignore no-control-regex
  const compact = href.replace(/[\u0000-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202f\ufeff]/g, "");
  if (compact.includes("\\") || compact.startsWith("//")) return false;
  const scheme = /^([^/?#]*):/.exec(compact)?.[1].toLowerCase();
  return scheme === undefined || /^(?:https?|mailto)$/.test(scheme);
}

/**
 * Sanitises HTML from a notebook.
 *
 * @param html Any string; broken and hostile markup included.
 * @param options Where the HTML goes.
 * @returns Markup without script, event handlers, forms, frames, or anything to fetch.
 */
export function sanitizeHtml(html: string, options: SanitizeOptions): SafeHtml {
  if (nestsTooDeep(html)) return { html: `<pre>${escapeHtml(html)}</pre>`, css: "", empty: false };
  const sheets: string[] = [];
  const run = (tags: string[]) =>
    sanitize(html, {
      allowedTags: tags,
      allowedAttributes: { "*": ATTRIBUTES },
      allowVulnerableTags: true, // <style> is taken out below and comes back filtered
      allowedSchemes: ["http", "https", "mailto", "data"], // isSafeLink and SAFE_IMAGE say which where
      allowProtocolRelative: false,
      parseStyleAttributes: false, // done by safeInlineStyle
      nestingLimit: 200,
      nonTextTags: [
        "script",
        "style",
        "textarea",
        "option",
        "xmp",
        "noscript",
        "iframe",
        "noembed",
      ],
      transformTags: Object.fromEntries(
        TAGS.map((name) => [name, (tag, attributes) => transformTag(tag, attributes, options)]),
      ),
      exclusiveFilter: (frame) => {
        if (frame.tag.toLowerCase() !== "style") return false;
        sheets.push(frame.text);
        return true;
      },
    });
  let safe = run(TAGS);
  // Text is escaped, so this could only be a style element that was not taken out.
  if (/<style/i.test(safe)) safe = run(TAGS.filter((tag) => tag !== "style"));
  const css = options.scope === undefined
    ? ""
    : sheets.map((sheet) => safeStyleSheet(sheet, options.scope!, options.prefix)).join("\n");
  const visible = /<(?:img|svg|hr|progress|meter|table|math)\b/i.test(safe) ||
    safe.replace(/<[^>]*>/g, "").trim() !== "";
  return { html: safe, css, empty: !visible };
}

/** Elements that may be open at a time; for each that is, the parser takes time at the next. */
const MAX_OPEN = 4000;
/** Elements that hold nothing, or that the next of their kind ends. */
const ENDS_ITSELF =
  /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|t[dhr]|tbody|thead|tfoot|option|r[tp]|h[1-6])$/i;

/** Whether more elements are left open than a parser takes in linear time. */
function nestsTooDeep(html: string): boolean {
  if (html.length < 3 * MAX_OPEN) return false;
  let open = 0;
  let end = -1;
  for (const { 0: tag, 1: closes, 2: name, index } of html.matchAll(/<(\/?)([a-z][\w:-]*)/gi)) {
    if (ENDS_ITSELF.test(name)) continue;
    if (end < index) end = html.indexOf(">", index + tag.length);
    if (end < 0) break;
    if (closes !== "") open = Math.max(0, open - 1);
    else if (html[end - 1] !== "/" && ++open > MAX_OPEN) return true;
  }
  return false;
}

function transformTag(
  tag: string,
  given: Record<string, string>,
  options: SanitizeOptions,
): sanitize.Tag {
  const attribs: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const kept = transformAttribute(tag, name, value, options);
    if (kept !== undefined) attribs[name] = kept;
  }
  let tagName = tag;
  let text: string | undefined;
  if (tag === "img" || tag === "image") {
    const source = imageSource(attribs.src ?? attribs.href ?? attribs["xlink:href"] ?? "", options);
    if (source === undefined) {
      if (tag === "image") return { tagName: "g", attribs: {} };
      const where = (given.src ?? "").slice(0, 200);
      const what = [given.alt?.trim(), where.startsWith("data:") ? "" : where].filter((part) =>
        part
      );
      text = `Image not in this file${what.length > 0 ? `: ${what.join(", ")}` : ""}`;
      return { tagName: "span", attribs: { class: "nb-absent" }, text };
    }
    delete attribs["xlink:href"];
    attribs[tag === "img" ? "src" : "href"] = source;
    if (tag === "img") attribs.alt ??= "";
  } else if (attribs.src !== undefined) {
    delete attribs.src;
  }
  if (/^h[1-6]$/.test(tag) && options.headings !== true) {
    tagName = "p";
    attribs.class = `nb-heading ${attribs.class ?? ""}`.trim();
  } else if (LANDMARKS.has(tag)) {
    tagName = "div"; // the page's landmarks are its own
  } else if (tag === "th") {
    attribs.scope ??= "col";
  }
  return { tagName, attribs };
}

function transformAttribute(
  tag: string,
  name: string,
  value: string,
  options: SanitizeOptions,
): string | undefined {
  const { prefix } = options;
  switch (name.toLowerCase()) {
    case "class": {
      // Names that begin with nb- are the report's own.
      const classes = value.split(/\s+/).filter((one) => /^(?!nb-)[A-Za-z_][\w-]*$/i.test(one));
      return classes.length > 0 ? classes.join(" ") : undefined;
    }
    case "id":
      return value === "" ? undefined : scopedId(value, prefix);
    case "style":
      return safeInlineStyle(value, prefix) || undefined;
    case "role":
      return ROLES.has(value) ? value : undefined;
    case "tabindex":
      return value === "0" || value === "-1" ? value : undefined;
    case "href":
    case "xlink:href":
      if (tag === "image") return value;
      if (tag !== "a") {
        return value.startsWith("#") ? `#${scopedId(value.slice(1), prefix)}` : undefined;
      }
      if (value.startsWith("#") && options.headings !== true) {
        return `#${scopedId(value.slice(1), prefix)}`;
      }
      return isSafeLink(value) && name === "href" ? value : undefined;
    case "cite":
      return undefined;
    default:
      if (REFERENCES.has(name)) {
        return value.split(/\s+/).map((id) => scopedId(id, prefix)).join(" ");
      }
      if (/url\s*\(/i.test(value)) {
        const local = scopeLocalUrls(value, prefix);
        return /^url\(#[\w.:-]+\)$/.test(local) ? local : undefined;
      }
      return value;
  }
}

function imageSource(source: string, options: SanitizeOptions): string | undefined {
  const attachment = /^attachment:(.*)$/s.exec(source)?.[1];
  if (attachment !== undefined) {
    let name = attachment;
    try {
      name = decodeURIComponent(attachment);
    } catch { /* A name with a lone % is taken as it is. */ }
    return options.attachment?.(name) ?? options.attachment?.(attachment);
  }
  return SAFE_IMAGE.test(source) || SAFE_SVG_TEXT.test(source) ? source : undefined;
}
