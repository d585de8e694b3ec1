// `tunebook export`: hands on a notebook or a model in another form. Nothing is run.

import { type Command, Option } from "commander";
import { adapterOption } from "./adapter_options.ts";
import type { ExportModelOptions } from "./export_model.ts";
import type { ExportNotebookOptions } from "./export_notebook.ts";
import { formatOption } from "./format.ts";

type Options = ExportNotebookOptions & ExportModelOptions;

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("export")
    .summary("make a report of a notebook, or a model for Ollama or llama.cpp")
    .description(
      "Of a notebook, with the outputs that it holds, makes a report: one HTML file that opens anywhere, offline, " +
        "with live charts, or Markdown; of a report, gives the notebook back. Of a model, makes a GGUF file, a model in a running Ollama, or a directory in Hugging Face's " +
        "layout. Nothing is run, so a stranger's notebook is safe to export and to open.",
    )
    .argument(
      "<notebook|model>",
      "an .ipynb file, or a report that carries one; or a model's name, directory or GGUF file, or an adapter's directory",
    )
    .optionsGroup("Of a notebook:")
    .option("--html <file>", "where to write the report")
    .option("--md <file>", "write it as Markdown, its pictures in a folder beside it")
    .option("--output <file>", "where to write the notebook itself")
    .option("--theme <file>", "a style sheet that goes over the HTML report's own")
    .option("--title <text>", "the report's title (default: the notebook's own)")
    .option("--no-code", "leave the code out of the page; the notebook inside the file keeps it")
    .option("--no-notebook", "do not put the notebook into the file")
    .optionsGroup("Of a model:")
    .option("--ollama <name>", "the model to make in Ollama, at OLLAMA_HOST")
    .option("--gguf <file>", "the GGUF file to write")
    .option("--hf <dir>", "the directory to write config.json, safetensors and tokenizer into")
    .addOption(
      new Option(
        "--type <name>",
        "how matrices are stored; bf16 only in a directory, q8_0 only elsewhere (default: f16; f32 in a directory)",
      )
        .choices(["f32", "f16", "bf16", "q8_0"]),
    )
    .addOption(formatOption())
    .addOption(adapterOption())
    .option("--merge", "make the adapter part of the weights; else it goes beside them", false)
    .option("--overwrite", "replace another run's model in --hf", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook export book.ipynb --html out/book.html --no-code\n" +
        "  tunebook export models/nano-sft --ollama nano-sft",
    )
    .action(exportAny);
}

async function exportAny(what: string, options: Options, command: Command): Promise<void> {
  const given = (names: readonly (keyof Options)[]) => names.some((name) => options[name] != null);
  const ofModel = given(["gguf", "ollama", "hf"]);
  if (ofModel === given(["html", "md", "output"])) {
    return command.error(
      "error: give some of --html, --md and --output for a notebook, or some of --ollama, --gguf and --hf for a model",
    );
  }
  if (!ofModel) {
    const { exportNotebook } = await import("./export_notebook.ts");
    return await exportNotebook(what, options);
  }
  if (/\.(ipynb|html?)$/i.test(what)) {
    throw new TypeError(`Cannot export "${what}" as a model: it is a notebook or a report of one`);
  }
  const { exportModel } = await import("./export_model.ts");
  await exportModel(what, options);
}
