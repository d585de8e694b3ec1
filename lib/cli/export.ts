// `tunebook export`: hands on a notebook as a report, or a model in another form. Nothing is run.

import { type Command, Option } from "commander";
import { formatOption } from "./format.ts";

interface Options {
  html?: string;
  title?: string;
  code: boolean;
  notebook: boolean;
  gguf?: string;
  ollama?: string;
  hf?: string;
  type?: "f32" | "f16" | "q8_0";
  format?: string;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("export")
    .summary("make a report of a notebook, or a model for Ollama or llama.cpp")
    .description(
      "Of a notebook, with the outputs that it holds, makes one HTML file that opens anywhere, offline, with live " +
        "charts. Of a model, makes a GGUF file, a model in a running Ollama, or a directory in Hugging Face's " +
        "layout. Nothing is run, so a stranger's notebook is safe to export and to open.",
    )
    .argument("<notebook|model>", "an .ipynb file; or a model's name, directory or GGUF file")
    .optionsGroup("Of a notebook:")
    .option("--html <file>", "where to write the report")
    .option("--title <text>", "the report's title (default: the notebook's own)")
    .option("--no-code", "leave the code out of the page; the notebook inside the file keeps it")
    .option("--no-notebook", "do not put the notebook into the file")
    .optionsGroup("Of a model:")
    .option("--ollama <name>", "the model to make in Ollama, at OLLAMA_HOST")
    .option("--gguf <file>", "the GGUF file to write")
    .option("--hf <dir>", "the directory to write config.json, safetensors and tokenizer into")
    .addOption(
      new Option("--type <name>", "how matrices are stored (default: f16; f32 in a directory)")
        .choices(["f32", "f16", "q8_0"]),
    )
    .addOption(formatOption())
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook export book.ipynb --html out/book.html --no-code\n" +
        "  tunebook export models/nano-sft --ollama nano-sft",
    )
    .action(exportAny);
}

async function exportAny(what: string, options: Options): Promise<void> {
  const { html, gguf, ollama, hf } = options;
  const ofModel = [gguf, ollama, hf].some((given) => given !== undefined);
  if (ofModel === (html !== undefined)) {
    throw new TypeError(
      "Cannot export: give --html for a notebook, or some of --ollama, --gguf and --hf for a model",
    );
  }
  if (html !== undefined) return await exportNotebook(what, html, options);
  if (what.endsWith(".ipynb")) {
    throw new TypeError(`Cannot export "${what}" as a model: a notebook has --html`);
  }
  const { exportModel } = await import("./export_model.ts");
  await exportModel(what, options);
}

async function exportNotebook(path: string, html: string, options: Options): Promise<void> {
  const [{ readNotebook }, { renderReport }, { writeFileAtomic }] = await Promise.all([
    import("../runtime/notebook.ts"),
    import("../runtime/report/mod.ts"),
    import("../runtime/write_file.ts"),
  ]);
  const page = await renderReport(await readNotebook(path), {
    title: options.title,
    code: options.code,
    embedNotebook: options.notebook,
  });
  await writeFileAtomic(html, page);
  console.error(`Wrote ${html} (${(page.length / 1e6).toFixed(1)} MB)`);
}
