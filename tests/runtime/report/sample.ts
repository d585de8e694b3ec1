// A notebook with everything that a report can show, and the manifest of its run, for tests and for
// looking at: `deno run -A tests/runtime/report/sample.ts out/sample.html` writes its report.

import type { Cell, Notebook, Output } from "../../../lib/runtime/notebook.ts";
import type { Manifest } from "../../../lib/runtime/manifest.ts";
import { renderReport } from "../../../lib/runtime/report/mod.ts";

/** A red square of 2 × 2 pixels. */
export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";

let made = 0;

/** Makes a Markdown cell. */
export function markdown(source: string, more: Partial<Cell> = {}): Cell {
  return { cell_type: "markdown", id: `m${++made}`, metadata: {}, source, ...more } as Cell;
}

/** Makes a code cell. */
export function code(source: string, outputs: Output[] = [], more: Partial<Cell> = {}): Cell {
  return {
    cell_type: "code",
    id: `c${++made}`,
    metadata: {},
    source,
    execution_count: made,
    outputs,
    ...more,
  } as Cell;
}

/** Makes a display of a MIME bundle. */
export function display(data: Record<string, unknown>): Output {
  return { output_type: "display_data", data, metadata: {} };
}

/** Makes a stream output. */
export function stream(text: string, name = "stdout"): Output {
  return { output_type: "stream", name, text };
}

/** Makes a notebook of cells. */
export function notebookOf(...cells: Cell[]): Notebook {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } },
    cells,
  };
}

/** A loss curve as charts of this library are shown: the figure, and HTML that is complete without scripts. */
export function lossChart(): Output {
  const steps = Array.from({ length: 60 }, (_, i) => i * 5);
  const train = steps.map((step) => 0.55 + 2.9 * Math.exp(-step / 45) + 0.05 * Math.sin(step));
  const validation = steps.map((step) => 0.72 + 2.75 * Math.exp(-step / 50));
  const path = (values: number[]) =>
    values.map((y, i) => `${i === 0 ? "M" : "L"}${60 + i * 11},${290 - y * 70}`).join("");
  const figure = {
    data: [
      { x: steps, y: train, name: "training", line: { color: "#3b7dd8" } },
      { x: steps, y: validation, name: "validation", line: { color: "#d9692a" } },
    ],
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      title: { text: "Loss" },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: "cross-entropy" }, rangemode: "tozero" },
    },
  };
  const html =
    `<div class="tb-figure"><style>.tb-figure .tb-still{display:block!important;overflow-x:auto}` +
    `.tb-figure .tb-picture,.tb-figure.tb-drawn .tb-still{display:none!important}</style>` +
    `<div class="tb-still" style="display:none"><svg viewBox="0 0 760 320" width="760" role="img" ` +
    `aria-label="Loss falls" style="max-width:100%"><g fill="none" stroke-width="2">` +
    `<path d="M60,290H740" stroke="rgba(128,128,128,.5)"></path><path d="${
      path(train)
    }" stroke="#3b7dd8"></path>` +
    `<path d="${
      path(validation)
    }" stroke="#d9692a"></path></g><text x="60" y="20" fill="currentColor">Loss</text></svg></div>` +
    `<img class="tb-picture" alt="x" src="data:image/svg+xml,%3Csvg/%3E"><div class="tb-live"></div>` +
    `<script type="application/json" class="tb-data">{}</script><script>globalThis.__ran = true</script></div>`;
  return display({
    "application/vnd.plotly.v1+json": figure,
    "text/html": html,
    "text/plain":
      "Line chart: training loss falls from 3.45 to 0.55 in 300 steps, validation loss to 0.73.",
  });
}

/** Bars of another tool: a figure with nothing that stands in for it. */
export function barChart(): Output {
  return display({
    "application/vnd.plotly.v1+json": {
      data: [{
        type: "bar",
        x: ["before", "after"],
        y: [0.21, 0.58],
        marker: { color: ["#9aa3af", "#2a9461"] },
      }],
      layout: { title: { text: "ROUGE-L" }, height: 300 },
    },
    "text/plain": "Bar chart: ROUGE-L 0.21 before, 0.58 after.",
  });
}

function chip(text: string, kind: string): string {
  return `<span class="tb-chip tb-${kind}">${text}</span>`;
}

const CHIPS = `<style>
.tb-tokens{line-height:2.1;font-family:ui-monospace,Menlo,monospace;font-size:12.5px}
.tb-chip{border-radius:4px;padding:2px 5px;margin:0 2px 2px 0;border:1px solid transparent;white-space:pre}
.tb-prompt{background:#dbe6f8;color:#1b3763}.tb-response{background:#d5efdf;color:#124a2c}
.tb-pad{color:#6b7280;border-color:rgba(128,128,128,.45)}
@media (prefers-color-scheme: dark){.tb-prompt{background:#24375a;color:#d3e2fb}.tb-response{background:#17442b;color:#cff3dd}.tb-pad{color:#9ca3af}}
</style><div class="tb-tokens">${
  ["Below", " is", " an", " instruction"].map((t) => chip(t, "prompt")).join("") +
  ["The", " spelling", " is", " “", "Occasion", "”", "."].map((t) => chip(t, "response")).join("") +
  chip("&lt;|endoftext|&gt;", "response") + chip("&lt;|endoftext|&gt;", "pad")
}</div>`;

/** The rich notebook. */
export function sampleNotebook(): Notebook {
  made = 0;
  return notebookOf(
    markdown(`# Fine-tuning GPT-2 to follow instructions

This notebook fine-tunes **GPT-2** on 1,100 instructions. It follows the plan of the course: *load*, *look*,
train, and [judge](#Judging-the-answers). What you read here was made by \`tunebook run\`; the last
section says how to make it again.`),
    code(`const epochs = 2;\nconst learningRate = 5e-5;`, [], {
      metadata: { tags: ["parameters"] },
    }),
    markdown(`## The data

An entry has three texts. The prompt is built from the first two:

| Field | Example | Counts in the loss |
|:--|:--|--:|
| \`instruction\` | Identify the correct spelling | no |
| \`input\` | Ocassion | no |
| \`output\` | The correct spelling is “Occasion”. | yes |

- [x] look at lengths
- [ ] look at duplicates`),
    code(
      `// Load the entries and look at one
import { loadInstructions } from "tunebook";
import { tokenView } from "tunebook/show";

const entries = await loadInstructions("data/instructions.json");
const longest = entries.reduce((a, b) => a.output.length > b.output.length ? a : b);
console.log(\`\${entries.length} entries, longest answer \${longest.output.length} characters\`);
tokenView(entries[0]); // each token a chip`,
      [
        stream("1100 entries, longest answer 512 characters\n"),
        display({ "text/html": CHIPS, "text/plain": "13 tokens" }),
      ],
    ),
    markdown(`## What is minimised

Over the tokens that count, the mean negative log-likelihood

$$\\mathcal{L}(\\theta) = -\\frac{1}{|\\mathcal{C}|}\\sum_{t \\in \\mathcal{C}} \\log \\frac{\\exp(\\mathbf{h}_t^\\top \\mathbf{e}_{x_{t+1}})}{\\sum_{v=1}^{V} \\exp(\\mathbf{h}_t^\\top \\mathbf{e}_v)}$$

where $\\mathbf{h}_t \\in \\mathbb{R}^{d}$ is the hidden state at $t$ and $V = 50{,}257$. It costs $5 and $6, not more.

### The update

AdamW with decay $\\lambda$:

\\begin{align}
m_t &= \\beta_1 m_{t-1} + (1-\\beta_1)\\, g_t \\\\
\\theta_t &= \\theta_{t-1} - \\eta \\left( \\frac{\\hat m_t}{\\sqrt{\\hat v_t} + \\epsilon} + \\lambda \\theta_{t-1} \\right)
\\end{align}

> A batching or memory trick may not change the loss.`),
    code(
      `for await (const step of sft(model, { entries, epochs, learningRate })) {
  if (step.index % 50 === 0) console.log(step.index, step.loss.toFixed(3));
}`,
      [
        stream("  0%\r 50%\r100% \u001b[32mdone\u001b[0m\n0 3.452\n50 1.601\n100 0.902\n"),
        stream(
          "\u001b[33mwarning\u001b[39m: 3 examples are longer than 1,024 tokens and were left out\n",
          "stderr",
        ),
        lossChart(),
      ],
    ),
    markdown(
      "## Judging the answers\n\nBefore and after, on 110 answers that were not seen in training.",
    ),
    code(`compare(before, after)`, [
      barChart(),
      display({
        "text/html":
          `<table><thead><tr><th>Instruction</th><th>Before</th><th>After</th><th>Score</th></tr></thead><tbody>${
            [[
              "Rewrite the sentence in passive voice",
              "The sentence the sentence",
              "The song was sung by her.",
              95,
            ], [
              "Name three primary colours",
              "Name three primary colours Name",
              "Red, yellow and blue.",
              100,
            ], [
              "What is the antonym of “humble”?",
              "humble",
              "The antonym of “humble” is “proud”.",
              98,
            ]].map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("")
          }</tbody></table>`,
        "text/plain": "3 rows",
      }),
    ]),
    markdown("### Where it goes wrong"),
    code(`answers.at(-1).score.toFixed(1)`, [{
      output_type: "error",
      ename: "TypeError",
      evalue: "Cannot read properties of undefined (reading 'toFixed')",
      traceback: [
        "\u001b[31mTypeError\u001b[39m: Cannot read properties of undefined (reading 'toFixed')",
        "    at \u001b[36mcell 6, line 1\u001b[39m",
      ],
    }]),
    code(`picture`, [
      {
        output_type: "execute_result",
        execution_count: 9,
        metadata: { "image/png": { width: 96, height: 96 } },
        data: { "image/png": PNG, "text/plain": "A red square" },
      },
      display({
        "image/svg+xml":
          `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 24" width="240"><text y="18">an SVG image</text></svg>`,
        "text/plain": "<svg>",
      }),
    ], { metadata: { jupyter: { source_hidden: true } } }),
    code(`Deno.version`, [
      {
        output_type: "execute_result",
        execution_count: 10,
        metadata: {},
        data: {
          "text/plain": '{ deno: \u001b[32m"2.9.6"\u001b[39m, v8: \u001b[32m"15.0"\u001b[39m }',
        },
      },
      display({ "application/json": { a: [1, 2, 3], text: "</script>" } }),
      display({ "text/latex": "$e^{i\\pi} + 1 = 0$" }),
      display({ "text/markdown": "**Markdown** in an output, with `code` and $x^2$" }),
    ]),
    markdown(
      "![dot](attachment:dot.png) An attached image, and one that is elsewhere: ![logo](https://example.com/x.png)",
      {
        attachments: { "dot.png": { "image/png": PNG } },
      } as Partial<Cell>,
    ),
  );
}

/** How the rich notebook was run. */
export function sampleManifest(notebook: Notebook): Manifest {
  const cells = notebook.cells.filter((cell) => cell.cell_type === "code");
  return {
    tunebook: "0.1.0",
    deno: "2.9.6",
    v8: "15.0.245.2",
    typescript: "6.0.2",
    os: "linux x86_64",
    cores: 2,
    startedAt: "2026-11-22T10:40:12.000Z",
    notebook: {
      name: "00_fine_tune_gpt2.ipynb",
      sha256: "5f16a7b1c0a94b4ac6d8f8bd3f7a45f6f5e9ad5a1c37d2e6a78d4f9f2b0c1d3e",
    },
    parameters: { epochs: 2, learningRate: 0.00005, model: "data/nano" },
    provenance: [
      { kind: "device", device: "cpu", blas: "OpenBLAS 0.3.21", threads: 2 },
      { kind: "seed", seed: 123 },
      {
        kind: "data",
        name: "instructions.json",
        entries: 1100,
        sha256: "0c1f3a57e6cd1cb2ad8a9a4bb9ad0d3ed6a54bd4b4a2ab8b55a1f1c2e3d4f5a6",
      },
      {
        kind: "weights",
        name: "nano",
        parameters: 7_412_736,
        sha256: "a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5",
      },
    ],
    cells: cells.map((cell, index) => ({
      id: cell.id,
      executionCount: cell.cell_type === "code" ? cell.execution_count : null,
      seconds: [0.004, 0.31, 192.4, 14.2, 0.02, 0.05, 0.6][index] ?? 0.1,
    })),
  };
}

if (import.meta.main) {
  const notebook = sampleNotebook();
  const html = await renderReport(notebook, { manifest: sampleManifest(notebook) });
  await Deno.writeTextFile(Deno.args[0], html);
  console.log(`${Deno.args[0]}: ${html.length.toLocaleString("en-US")} characters`);
}
