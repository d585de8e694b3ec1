// What a notebook draws stays in its own box: in a browser, its HTML covers, moves, hides and imitates
// nothing of the page around it, whatever its styles say.

import { assertEquals } from "@std/assert";
import { renderReport } from "../../lib/runtime/report/mod.ts";
import { chromiumProgram, launchBrowser, open } from "../browser.ts";
import {
  code,
  display,
  markdown,
  notebookOf,
  sampleManifest,
  stream,
} from "../runtime/report/sample.ts";

const LARGE = "position:absolute;top:-3000px;left:-100px;width:3000px;height:6000px";
const COVER = `<div style="${LARGE};background:#fff;z-index:99">Log in</div>`;
/** A style sheet for the output's own root, whose selectors a style sheet may write in several ways. */
const root = (style: string, selector = ":root") => `<style>${selector}{${style}}</style>${COVER}`;

/** Ways to cover the page, each as HTML. */
const COVERS: Record<string, string> = {
  "a large box": COVER,
  "a fixed box": `<div style="position:fixed;inset:0;background:#fff">Log in</div>`,
  "a shadow": `<div style="box-shadow:0 0 0 9999px #fff;position:relative">x</div>`,
  "an outline": `<div style="outline:9999px solid #fff;position:relative">x</div>`,
  "a margin": `<div style="margin:-3000px;height:6000px;background:#fff">x</div>`,
  "a float": `<div style="float:left;margin-bottom:-3000px;height:3000px;width:100%">x</div>`,
  "a transform":
    `<div style="transform:translateY(-500px) scale(9);background:#fff;width:100%">x</div>`,
  "the root in place": root(`${LARGE};background:#fff`),
  "the root by another name": root(`${LARGE};background:#fff`, "body"),
  "the root moved": root("position:relative;top:-400px;height:900px;background:#fff"),
  "the root by margins": root("margin:-400px -300px;height:900px;background:#fff"),
  "the root transformed": root("translate:0 -300px;scale:5;rotate:1deg;background:#fff"),
  "the root's shadow": root("box-shadow:0 0 0 9999px #fff;position:relative"),
  "no root": root("display:contents"),
  "a root in line": root("display:inline"),
  "a root that is a row": root("display:table-row"),
  "a root that clips nothing": root("overflow:visible!important;clip-path:none;mask:none"),
  "names of the report": `<style>.nb-top,.nb-foot,.nb-stream{display:none}</style>
    <div class="nb-top" id="nb-how">How this report was made</div>`,
  "what is next to it": `<style>:root+*,:root~*{display:none}</style><p>x</p>`,
  "its size": `<div style="height:1000000000px">x</div>`,
  "the report's colours": `<style>:root{--nb-ink:#fff;--nb-paper:#fff}</style><p>x</p>`,
};

/** In the page: parts of the report itself that cannot be seen where they should be. */
function covered(): string[] {
  const found: string[] = [];
  const parts = [...document.querySelectorAll("h1, .nb-stream, #nb-how, .nb-foot, .nb-top")]
    .filter((part) => part.closest(".nb-confined, .nb-prose") === null);
  for (const part of parts) {
    part.scrollIntoView({ block: "center" });
    const { x, y, width, height } = part.getBoundingClientRect();
    const label = part.id || part.className || part.localName;
    for (const across of [0.02, 0.5, 0.9]) {
      const hit = document.elementFromPoint(x + width * across, y + Math.min(height / 2, 200));
      if (hit === null || !(part.contains(hit) || hit.contains(part))) {
        found.push(`${label} under ${hit?.className || hit?.localName}`);
      }
    }
    if (height === 0) found.push(`${label} hidden`);
    const { color, backgroundColor } = getComputedStyle(part);
    if (color === backgroundColor) found.push(`${label} without contrast`);
  }
  if (parts.length !== 6) found.push(`${parts.length} parts`);
  return found;
}

Deno.test({
  name: `nothing in a notebook covers the page of its report${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    const browser = await launchBrowser();
    try {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const raw = (source: string) => ({
        cell_type: "raw" as const,
        id: "r",
        metadata: { raw_mimetype: "text/html" },
        source,
      });
      for (const [way, html] of Object.entries(COVERS)) {
        await t.step(way, async () => {
          const notebook = notebookOf(
            markdown("# Title\n\nSome text."),
            code("1", [stream("accuracy 0.51")], { id: "a", execution_count: 1 }),
            code("2", [display({ "text/html": html, "text/plain": "x" })], { id: "b" }),
            markdown(html, { id: "m" }),
            raw(html),
            code("3", [stream("after")], { id: "c", execution_count: 3 }),
          );
          const path = `${folder}/report.html`;
          const manifest = sampleManifest(notebook);
          await Deno.writeTextFile(path, await renderReport(notebook, { manifest }));
          const { page } = await open(context, path);
          assertEquals(await page.evaluate(covered), []);
          await page.close();
        });
      }
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
