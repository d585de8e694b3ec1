/**
 * Makes `docs/interface.md`: every export of every entry point, by task, with the first sentence of its documentation.
 *
 *     npx -y deno@2.9.6 task interface
 *
 * A symbol's task is that of the file that declares it, so what joins a file is listed by itself.
 *
 * @module
 */

import { ENTRY_POINTS, type Exported, exportsOf } from "./interface.ts";

/** Tasks of each entry point in the order of the page, each with the files (below `lib/`) that serve it. */
const TASKS: Record<string, readonly (readonly [task: string, files: RegExp])[]> = {
  "tunebook": [
    ["A model from its name to its answers", /^pipeline\//],
    ["Load, look at and split data", /^dataset\/(load|parse|entry|origin|explore|near|split)/],
    ["Prompts and tokens", /^text\//],
    ["Examples and batches", /^dataset\/|^forest/],
    ["Networks, adapters, generation", /^model\//],
    ["Train", /^train\//],
    ["Score and judge", /^eval\//],
    ["Models' files", /^weights\//],
    ["Devices, tensors, random numbers", /^tensor\/|^random/],
  ],
  "tunebook/tensor": [
    ["Choose a device", /^tensor\/(pick|device|cpu\/blas)/],
    ["Make tensors, read them", /^tensor\/(create|tensor|formula_methods|scope)\.ts/],
    ["Gradients", /^tensor\/(tape|recording)/],
    ["Element by element", /^tensor\/(elementwise\/|ops\/(scale|gelu|gated|dropout)\/)/],
    [
      "Reduce",
      /^tensor\/(options|reductions\/|ops\/(argmax|variance|softmax|cumulative_sum|global_norm)\/)/,
    ],
    [
      "Shape and select",
      /^tensor\/(columns|ops\/(broadcast_to|concat|gather|one_hot|permute|reshape|slice|split|embedding|copy_rows|fill)\/)/,
    ],
    ["Multiply matrices", /^tensor\/ops\/matmul\//],
    ["Layers of transformers", /^tensor\/ops\/|^forest/],
    ["Packed weights", /^tensor\/(nf4|packed)/],
    ["Measure", /^tensor\/profile/],
  ],
  "tunebook/model": [
    ["Load and save networks", /^model\/(files|architectures|parameters)/],
    ["Families", /^model\/(families|decoder|transformer)/],
    ["Run a network", /^model\/(model|linear)/],
    ["Generate", /^model\/(generate|decoding|sampling)/],
    ["What learns", /^model\/trainable/],
    ["LoRA adapters", /^model\/(lora|gguf_adapter)/],
    ["Quantised weights", /^model\/quantize/],
    ["Export", /^model\/(gguf_export|onnx)/],
  ],
  "tunebook/text": [
    ["Tokenizers", /^text\/(tokenizer|files|gpt2)/],
    ["Prompt formats", /^text\/alpaca/],
    ["Conversations", /^text\/chat/],
    ["Masks", /^text\/mask/],
    ["Templates for Ollama", /^text\/ollama/],
  ],
  "tunebook/data": [
    ["Load and write", /^dataset\/(load|parse|entry|origin|chat_entry|forms|files|write)/],
    [
      "Explore and clean",
      /^dataset\/(explore|vocabulary|outliers|inspect|near|dedupe|clean|normalize|personal|review|corrections)/,
    ],
    ["Augment", /^dataset\/augment\//],
    ["Split and balance", /^dataset\/(split|balance)/],
    ["Encode", /^dataset\/(encode|sequences)/],
    ["Preferences", /^dataset\/preferences/],
    ["Batches", /^dataset\/(batches|collate|forest)|^forest/],
  ],
  "tunebook/train": [
    ["Train", /^train\/(sft|dpo|preference|training|options|settings|early|defaults)/],
    ["Optimizer and learning rate", /^train\/(optimizer|schedule)/],
    ["Measure and log", /^train\/(evaluate|tensorboard)/],
    ["Several processes", /^mpi\/|^train\/(notebook_)?ranks/],
  ],
  "tunebook/eval": [
    ["Responses", /^eval\/responses/],
    ["Scores against references", /^eval\/(scores|rouge|score_metrics|metrics\/)/],
    ["Judges", /^eval\/(judge|judges\/|agreement|outcome|ollama)/],
    ["People", /^eval\/people/],
    ["Whether to trust a judge", /^eval\/trust/],
    ["Whether one is better", /^eval\/(bootstrap|compare|significance|evaluation_report)/],
    ["Filter prompts and answers", /^eval\/filters\//],
  ],
  "tunebook/weights": [
    ["Find and download models", /^weights\/(resolve|hub|names)/],
    ["Ollama", /^weights\/ollama/],
    ["Safetensors files", /^weights\/(safetensors|dtype)/],
    ["GGUF files", /^weights\/gguf/],
    ["PyTorch's files", /^weights\/pytorch/],
    ["Read and write", /^weights\/(rows|sha256|write_tensors)/],
  ],
  "tunebook/show": [
    ["Charts", /^show\/(charts|histogram|figure|plotly|live_plotly)/],
    ["Training", /^show\/(live|loss_curve|topic_losses|step_record|progress|profile)/],
    ["Tokens, masks, batches", /^show\/(token|chips|batch|forest)/],
    ["Tables and comparisons", /^show\/(table|compare|evaluation|exploration|runs_view)/],
    ["Frames and views", /^show\/(frames|view)/],
  ],
  "tunebook/course": [["Exercises", /^course\//]],
  "tunebook/serve": [["Serve a model", /^serve\//]],
  "tunebook/runtime": [
    ["Notebook files", /^runtime\/(notebook|clean)/],
    ["Run", /^runtime\/(runner|parameters|outputs|cell_error|manifest|sandbox)/],
    ["Check and verify", /^runtime\/(check_|verify|compare|report\/check)/],
    ["Report", /^runtime\/report\//],
    ["Test reports", /^runtime\/(junit|run_suite)/],
    ["Sessions and kernels", /^runtime\/(session|kernel)/],
    ["The kernel of other clients", /^runtime\/jupyter/],
  ],
  "tunebook/grade": [
    ["A course", /^grade\/course/],
    ["Assignments", /^grade\/metadata/],
    ["Release", /^grade\/(release|prove|stubs|variants)/],
    ["Before handing in", /^grade\/(validate|structure)/],
    ["Collect", /^grade\/collect/],
    ["Grade", /^grade\/(autograde|batch|verdict|standins)/],
    ["The gradebook", /^grade\/(gradebook|scores|serve)/],
    ["Feedback", /^grade\/feedback/],
    ["Similar submissions", /^grade\/similar/],
  ],
};

/** What each entry point is for. */
const PURPOSES: Record<string, string> = {
  "tunebook": "The first hour: what a first notebook imports.",
  "tunebook/tensor": "Arrays with gradients, on the CPU and on WebGPU.",
  "tunebook/model": "GPT-2, Llama and Gemma; adapters, generation, files.",
  "tunebook/text": "Tokenizers, prompt formats, chat templates, masks.",
  "tunebook/data": "Data sets: loading, exploring, splitting, encoding, batches.",
  "tunebook/train": "Fine-tuning: the loop, the optimizer, schedules.",
  "tunebook/eval": "Scores against references, judges, comparisons with intervals, filters.",
  "tunebook/weights": "Models' files: finding, downloading, reading, writing.",
  "tunebook/show": 'Views for notebooks; import them as `import * as show from "tunebook/show"`.',
  "tunebook/course": "Exercises and their checks.",
  "tunebook/serve": "A model behind HTTP, for the clients of Ollama and OpenAI.",
  "tunebook/runtime": "Notebooks: running, checking, reporting. It can be used alone.",
  "tunebook/grade":
    "Assignments: release, collect, grade, return. `tunebook grade` is the command for it.",
};

/**
 * Makes the page.
 *
 * @returns Markdown.
 * @throws {Error} If an entry point or a file has no task.
 */
export async function interfacePage(): Promise<string> {
  const parts = [
    "# Interface\n\nEvery export of every entry point, by task. Types are listed below the functions that use them. " +
    "This page is made by `tests/interface_page.ts` from the documentation in the code; a test holds it to the code.\n",
  ];
  for (const entry of ENTRY_POINTS.keys()) {
    const tasks = TASKS[entry];
    if (tasks === undefined) throw new Error(`"${entry}" has no tasks in tests/interface_page.ts`);
    parts.push(`## ${entry}\n\n${PURPOSES[entry]}\n`);
    const byTask = Map.groupBy((await exportsOf(entry)).values(), ({ name, file }) => {
      const task = tasks.find(([, files]) => files.test(file.replace(/^lib\//, "")))?.[0];
      if (task === undefined) {
        throw new Error(
          `"${name}" of "${entry}" has no task: add "${file}" to tests/interface_page.ts`,
        );
      }
      return task;
    });
    for (const [task] of tasks) {
      const symbols = byTask.get(task);
      if (symbols === undefined) continue;
      const values = symbols.filter(({ isValue }) => isValue);
      const types = symbols.filter(({ isValue }) => !isValue);
      parts.push(`### ${task}\n`);
      if (values.length > 0) {
        parts.push(`| | |\n|---|---|\n${values.map(rowOf).join("\n")}\n`);
      }
      if (types.length > 0) {
        parts.push(`Types: ${types.map(({ name }) => `\`${name}\``).join(", ")}.\n`);
      }
    }
  }
  return parts.join("\n");
}

function rowOf({ name, kind, summary }: Exported): string {
  const call = kind === "function" ? `${name}()` : name;
  const text = summary.replace(/\{@linkcode ([^}]*)\}/g, "`$1`").replaceAll("|", "\\|");
  return `| \`${call}\` | ${text} |`;
}

if (import.meta.main) {
  const path = new URL("../docs/interface.md", import.meta.url);
  await Deno.writeTextFile(path, await interfacePage());
}
