// Markdown cells: GitHub's Markdown as markdown-it reads it, formulas, highlighted code, attached
// images; sanitised as a whole at the end, regardless of the source of the markup.

import MarkdownIt from "markdown-it";
import { highlight } from "./code.ts";
import { escapeHtml } from "./html.ts";
import { mathPlugin } from "./math.ts";
import { type SafeHtml, sanitizeHtml, type SanitizeOptions } from "./sanitize.ts";

/** Longer text is shown as it was written: some markup takes more than linear time. */
const MAX_MARKDOWN = 100_000;

const parser = new MarkdownIt({
  html: true,
  linkify: true,
  maxNesting: 60,
  highlight: (code, language) =>
    `<pre><code class="hljs">${highlight(code, language.split(/\s/)[0])}</code></pre>`,
}).use(mathPlugin);

// markdown-it refuses links that it takes for dangerous, leaving their source in the text; here the
// sanitiser decides, so that all ways of writing a link are judged alike.
parser.validateLink = () => true;

// A wide table scrolls by itself instead of widening the page.
parser.renderer.rules.table_open = () => '<div class="table-scroll" role="group"><table>';
parser.renderer.rules.table_close = () => "</table></div>";

/**
 * Renders Markdown.
 *
 * @param source Markdown, from anyone.
 * @param options Where the result goes.
 * @returns HTML that may be put in a report.
 */
export function renderMarkdown(source: string, options: SanitizeOptions): SafeHtml {
  let html: string;
  if (source.length > MAX_MARKDOWN) return plain(source, options);
  try {
    html = parser.render(source);
  } catch {
    // Only exhausted stacks end here; the text matters more than its markup.
    return plain(source, options);
  }
  const safe = sanitizeHtml(html, options);
  return { ...safe, html: drawTasks(safe.html) };
}

function plain(source: string, options: SanitizeOptions): SafeHtml {
  return sanitizeHtml(`<pre>${escapeHtml(source)}</pre>`, options);
}

/** `- [ ] to do` and `- [x] done`. */
function drawTasks(html: string): string {
  return html.replace(
    /<li>(<p>)?\[([ xX])\] /g,
    (_, paragraph: string | undefined, mark: string) =>
      `<li class="nb-task">${paragraph ?? ""}<span role="img" aria-label="${
        mark === " " ? "To do" : "Done"
      }">${mark === " " ? "☐" : "☑"}</span> `,
  );
}
