import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Cell, Output } from "../../../lib/runtime/notebook.ts";
import { readReport, renderReport } from "../../../lib/runtime/report/mod.ts";
import {
  barChart,
  code,
  display,
  lossChart,
  markdown,
  notebookOf,
  PNG,
  sampleManifest,
  sampleNotebook,
  stream,
} from "./sample.ts";

/** The page's cells, without head, footer and data. */
async function body(...cells: Cell[]): Promise<string> {
  const html = await renderReport(notebookOf(...cells));
  return html.slice(html.indexOf("<main"), html.indexOf("</main>"));
}

const outputOf = (...outputs: Output[]) => body(code("x", outputs));

Deno.test("renderReport() takes its title from options, metadata, the first heading or the file's name", async () => {
  const own = notebookOf(markdown("# Own & *title*\n\nText"));
  const titles = async (...args: Parameters<typeof renderReport>) => {
    const html = await renderReport(...args);
    return [
      /<title>(.*?)<\/title>/.exec(html)?.[1],
      ...html.matchAll(/<h1>(.*?)<\/h1>/g).map((m) => m[1]),
    ];
  };
  assertEquals(await titles(own), ["Own &amp; title", "Own &amp; <em>title</em>"]);
  assertEquals(await titles(own, { title: "Given <b>" }), ["Given &lt;b&gt;", "Given &lt;b&gt;"]);
  const metadata = { ...own, metadata: { ...own.metadata, title: "From metadata" } };
  assertEquals(await titles(metadata), ["From metadata", "From metadata"]);
  const none = notebookOf(markdown("Text"));
  assertEquals(await titles(none), ["Notebook", "Notebook"]);
  assertEquals((await titles(none, { manifest: sampleManifest(none) }))[0], "00_fine_tune_gpt2");
});

Deno.test("renderReport() gives the same text twice", async () => {
  const notebook = sampleNotebook();
  const options = { manifest: sampleManifest(notebook) };
  assert(await renderReport(notebook, options) === await renderReport(notebook, options));
});

Deno.test("renderReport() carries Plotly only where a figure needs it, and allows it by its hash", async () => {
  const without = await renderReport(notebookOf(markdown("# A")));
  const withFigure = await renderReport(notebookOf(code("x", [lossChart(), barChart()])));
  assert(without.length < 80_000, `${without.length}`);
  assert(withFigure.length > 1_400_000 && withFigure.length < 3_000_000);
  assertEquals(withFigure.match(/plotly\.js/g)!.length > 0, true);
  for (const html of [without, withFigure]) {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1];
    assertStringIncludes(policy, "default-src 'none'");
    assert(!/unsafe-eval|https?:|script-src[^;]*unsafe-inline|\*/.test(policy), policy);
    const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1]);
    for (const script of scripts) {
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
      assertStringIncludes(policy, `'sha256-${new Uint8Array(digest).toBase64()}'`);
    }
    assertEquals(policy.match(/sha256-/g)!.length, scripts.length);
  }
});

Deno.test("renderReport() keeps a chart's static drawing and text alternative, and drops its script", async () => {
  const html = await outputOf(lossChart());
  assertStringIncludes(html, 'aria-label="Line chart: training loss falls from 3.45');
  assertStringIncludes(html, '<svg viewbox="0 0 760 320"');
  assert(!html.includes("__ran"));
  assert(!html.includes('tb-picture"'));
});

Deno.test("renderReport() chooses the richest form of a bundle that it can show", async () => {
  assertStringIncludes(
    await outputOf(display({ "text/html": "<b>x</b>", "text/plain": "plain" })),
    "<b>x</b>",
  );
  assertStringIncludes(
    await outputOf(display({ "text/html": "<script>1</script>", "text/plain": "plain" })),
    "plain</pre>",
  );
  assertStringIncludes(
    await outputOf(display({ "image/png": PNG, "text/plain": "A square" })),
    `<img src="data:image/png;base64,${PNG}" alt="A square">`,
  );
  assertStringIncludes(await outputOf(display({ "text/latex": "$$a^2$$" })), "<msup>");
  assertStringIncludes(await outputOf(display({ "application/json": { a: 1 } })), "hljs-attr");
  assertStringIncludes(
    await outputOf(
      display({
        "application/vnd.plotly.v1+json": { data: [{ type: "surface" }] },
        "image/png": PNG,
      }),
    ),
    "<img",
  );
  assertEquals(
    (await outputOf(display({ "application/vnd.tunebook.provenance+json": { kind: "seed" } })))
      .includes("seed"),
    false,
  );
});

Deno.test("renderReport() joins what one stream wrote and tells stderr apart", async () => {
  const html = await outputOf(stream("a\n"), stream("b\n"), stream("c\n", "stderr"), stream("d\n"));
  assertEquals(html.match(/<pre class="nb-output/g)?.length, 3);
  assertStringIncludes(html, ">a\nb</pre>");
  assertStringIncludes(html, "nb-stderr");
});

Deno.test("renderReport() shows errors with and without a traceback", async () => {
  const error = {
    output_type: "error" as const,
    ename: "TypeError",
    evalue: "No <b>",
    traceback: [] as string[],
  };
  assertStringIncludes(await outputOf(error), "<strong>TypeError: No &lt;b&gt;</strong>");
  const traced = await outputOf({
    ...error,
    traceback: ["\u001b[31mTypeError: No <b>\u001b[0m", "  at cell 1"],
  });
  assertEquals(traced.match(/No &lt;b&gt;/g)?.length, 1);
});

Deno.test("renderReport() follows tags and hidden inputs and outputs", async () => {
  const tagged = (...tags: string[]) =>
    body(code("secret()", [stream("result")], { metadata: { tags } }));
  assert(!(await tagged("remove-input")).includes("secret"));
  assert(!(await tagged("remove-output")).includes("result"));
  assert(!/secret|result/.test(await tagged("remove-cell")));
  assert(!(await tagged("hide-input")).includes('class="nb-code" open'));
  assertStringIncludes(await tagged("hide-output"), '<details class="nb-hidden">');
  assertStringIncludes(await tagged("injected-parameters"), "Parameters of this run");
  const hidden = await body(
    code("x", [stream("y")], { metadata: { jupyter: { source_hidden: true } } }),
  );
  assert(!hidden.includes('nb-code" open'));
});

Deno.test("renderReport() leaves code out when asked", async () => {
  const html = await renderReport(notebookOf(code("secret()", [stream("result")])), {
    code: false,
  });
  assert(!html.includes("secret"));
  assertStringIncludes(html, "result</pre>");
});

Deno.test("renderReport() makes one h1 and an outline without gaps", async () => {
  const html = await renderReport(
    notebookOf(
      markdown("# Title"),
      markdown("# Part\n\n### Deep"),
      code("x", [display({ "text/html": "<h1>Output</h1>" })]),
      markdown("# Part"),
    ),
  );
  assertEquals([...html.matchAll(/<h([1-6])\b/g)].map((m) => m[1]), ["1", "2", "3", "2", "2"]);
  assertStringIncludes(html, 'href="#h-part-2"');
});

Deno.test("renderReport() tells how it was made", async () => {
  const notebook = sampleNotebook();
  const html = await renderReport(notebook, { manifest: sampleManifest(notebook) });
  const footer = html.slice(html.indexOf("<footer"), html.indexOf("</footer>"));
  for (
    const text of [
      "Tunebook 0.1.0",
      "Deno 2.9.6",
      "5f16a7b1c0a9",
      "learningRate",
      "0.00005",
      "OpenBLAS 0.3.21",
      "a6b5c4d3e2f1",
      "3 min 12 s",
      "2026-11-22 10:40:12 UTC",
      "Order and time of 7 cells",
    ]
  ) {
    assertStringIncludes(footer, text);
  }
  // Links from the footer lead to cells.
  for (const [, anchor] of footer.matchAll(/href="#(cell-[^"]*)"/g)) {
    assertStringIncludes(html, `id="${anchor}"`);
  }
});

Deno.test("renderReport() takes the manifest that the runner left in the notebook", async () => {
  const notebook = sampleNotebook();
  const run = {
    ...notebook,
    metadata: { ...notebook.metadata, tunebook: sampleManifest(notebook) },
  };
  assertStringIncludes(await renderReport(run), "OpenBLAS 0.3.21");
});

Deno.test("renderReport() takes manifests that lack parts", async () => {
  const notebook = notebookOf(markdown("Text"));
  const html = await renderReport(notebook, { manifest: { tunebook: "1" } as never });
  assertStringIncludes(html, "not recorded");
  const wrong = {
    tunebook: "1",
    cells: [null, 3, {}],
    provenance: "x",
    parameters: [],
    notebook: 1,
  };
  for (const tunebook of [wrong, 3, null, [], {}]) {
    await renderReport({ ...notebook, metadata: { tunebook } });
  }
});

Deno.test("readReport() gives back the notebook and the manifest", async () => {
  const notebook = sampleNotebook();
  const manifest = sampleManifest(notebook);
  const report = await readReport(await renderReport(notebook, { manifest }));
  assertEquals(report.notebook?.cells, notebook.cells);
  assertEquals(report.manifest, manifest);
  const bare = await readReport(await renderReport(notebook, { embedNotebook: false }));
  assertEquals([bare.notebook, bare.manifest], [undefined, undefined]);
});

Deno.test("readReport() says what is wrong with other files and damaged reports", async () => {
  await assertRejects(() => readReport("<p>"), SyntaxError, "it is not a report by Tunebook");
  const html = await renderReport(notebookOf(markdown("Text")), {
    manifest: sampleManifest(notebookOf()),
  });
  await assertRejects(
    () => readReport(html.replace(/(id="nb-notebook"[^>]*>.{20})[\s\S]{20}/, "$1")),
    SyntaxError,
    "its notebook is damaged",
  );
  await assertRejects(
    () => readReport(html.replace('id="nb-manifest">{', 'id="nb-manifest">')),
    SyntaxError,
    "its manifest is damaged",
  );
});

Deno.test("renderReport() takes 5 MB of output and stays small", async () => {
  const line = "step 1 loss 2.345\n";
  const html = await renderReport(notebookOf(code("x", [stream(line.repeat(5e6 / line.length))])));
  assert(html.length < 700_000, `${html.length}`);
  assertStringIncludes(html, "are left out here");
});
