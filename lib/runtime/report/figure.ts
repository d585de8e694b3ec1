// Plotly figures from strangers: cleaned before they are put in a page, so that nothing in them
// links, loads or reaches beyond the chart. Plotly reads labels as a small HTML of its own.

/** A figure that may be drawn. */
export interface CleanFigure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** Kinds of trace in Plotly's cartesian bundle; figures with others keep their static drawing. */
const TRACE_TYPES = new Set(
  ("scatter bar box heatmap histogram histogram2d histogram2dcontour contour pie violin image " +
    "scatterternary waterfall funnel").split(" "),
);

/** Keys under which a figure may name something to load or to open. */
const ADDRESS_KEYS =
  /^(?:source|src|href|url|xlink:href|plotlyServerURL|topojsonURL|sourceattribution)$/i;

/** Keys of objects that would change how other objects behave. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

const SAFE_IMAGE = /^data:image\/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=]*$/i;

/** Tags of Plotly's labels that only change how text looks. */
const TEXT_TAG = /^<\/?(?:b|i|u|s|em|strong|sub|sup|br|extra|span)\s*\/?>$/i;

const MAX_DEPTH = 40;
const MAX_VALUES = 2_000_000;
const MAX_HEIGHT = 1600;

/**
 * Cleans a Plotly figure.
 *
 * @param value What a notebook holds under `application/vnd.plotly.v1+json`; anything.
 * @returns A copy with `data` and `layout` only, without links, images to fetch, own menu buttons and
 *   fixed widths; undefined if it is not a figure, is too large, or has traces that this report
 *   cannot draw.
 */
export function cleanFigure(value: unknown): CleanFigure | undefined {
  if (!isRecord(value) || !Array.isArray(value.data)) return undefined;
  const drawable = value.data.every((trace) =>
    isRecord(trace) && TRACE_TYPES.has(String(trace.type ?? "scatter"))
  );
  if (!drawable) return undefined;
  const budget = { values: MAX_VALUES };
  const data = clean(value.data, budget, 0) as CleanFigure["data"];
  const layout = clean(
    isRecord(value.layout) ? value.layout : {},
    budget,
    0,
  ) as CleanFigure["layout"];
  if (budget.values < 0) return undefined;
  for (const key of ["width", "modebar", "autosize", "updatemenus", "sliders", "newshape"]) {
    delete layout[key];
  }
  const height = Number(layout.height);
  layout.height = height >= 80 ? Math.min(height, MAX_HEIGHT) : 380;
  return { data, layout };
}

function clean(value: unknown, budget: { values: number }, depth: number): unknown {
  if (budget.values-- < 0 || depth > MAX_DEPTH) return undefined;
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map((item) => clean(item, budget, depth + 1) ?? null);
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (PROTOTYPE_KEYS.has(key)) continue;
    if (ADDRESS_KEYS.test(key) && typeof item === "string" && !SAFE_IMAGE.test(item)) continue;
    const kept = clean(item, budget, depth + 1);
    if (kept !== undefined) copy[key] = kept;
  }
  return copy;
}

/**
 * Plotly reads labels as a small HTML. Tags that only style stay, links lose their tags, and every
 * other `<` is escaped, so that a token such as `<unk>` is read as it is and no two texts that
 * Plotly joins can make a tag.
 */
function cleanText(text: string): string {
  if (!text.includes("<")) return text;
  let before: string;
  do {
    before = text;
    text = text.replace(/<\/?a(?:\s[^<>]*)?>/gi, "");
  } while (text !== before);
  return text.replace(
    /<[^<>]*>?/g,
    (tag) => TEXT_TAG.test(tag) ? tag : tag.replace("<", "&lt;").replace(/>$/, "&gt;"),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
